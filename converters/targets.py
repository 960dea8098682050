"""Whether a target can be meant: found out before the work. Nothing is overwritten that is not of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..schemas.errors import UsageError
from .files import check_target
from .format import Format, Options
from .manifest import MANIFEST, manifest_in
from .nearby import Address, told
from .places import STAGING
from .storage import Storage


def check(
    target: Address,
    sources: Sequence[Address],
    writer: Format,
    options: Options,
    *,
    overwrite: bool,
    shards: int | None,
) -> None:
    """UsageError where this target cannot be meant for these sources."""
    if isinstance(target, Storage):
        _check_on_storage(target, sources, writer, options, overwrite=overwrite, shards=shards)
        return
    fits = check_conversion_target if shards is None else check_shards_target
    for source in sources:
        fits(target, source if isinstance(source, Path) else None, writer, options, overwrite=overwrite)


def check_conversion_target(
    target: Path, source: Path | None, writer: Format, options: Options, *, overwrite: bool
) -> None:
    """UsageError where this target cannot be meant: a folder for a file, the source itself, something in the way."""
    if writer.output(options) == "file" and target.is_dir():
        hint = f"give a file in it, such as {target / ('annotations' + writer.suffix)}"
        raise UsageError("target-is-folder", f"{writer.name} is written to a file, and {target} is a folder", hint=hint)
    if source is not None and target.resolve() == source.resolve():
        raise UsageError("target-is-source", "source and target are the same", hint="the source is never touched")
    if source is not None and source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        hint = "choose a target outside the data set, or it would be part of it next time"
        raise UsageError("target-in-source", f"{target} lies inside {source}", hint=hint)
    check_target(target, overwrite=overwrite, owns=writer.owns, recognises=lambda path: writer.sniff(path).matches)


def check_shards_target(
    target: Path, source: Path | None, writer: Format, options: Options, *, overwrite: bool
) -> None:
    """UsageError where this folder cannot be meant: it is the source, or something else is in the way.

    Overwritten are only shards of the same format, in a folder that holds nothing else.
    """
    here, there = target.resolve(), source.resolve() if source is not None else None
    if there is not None and (there.is_relative_to(here) or (there.is_dir() and here.is_relative_to(there))):
        hint = "choose a folder of its own"
        raise UsageError("target-is-source", f"the source {source} and the shards would lie in each other", hint=hint)

    def owns(name: str) -> bool:
        front, _, inside = name.partition("/")
        known = {MANIFEST} | {shard.name for shard in (manifest.shards if manifest else ())}
        return front in known and (not inside or writer.owns(inside))

    manifest = manifest_in(target)
    recognised = manifest is not None and manifest.format == writer.name
    check_target(target, overwrite=overwrite, owns=owns, recognises=lambda _: recognised)


def _check_on_storage(
    target: Storage,
    sources: Sequence[Address],
    writer: Format,
    options: Options,
    *,
    overwrite: bool,
    shards: int | None,
) -> None:
    """There many objects cannot be exchanged for others at once, nor appear at once without a manifest."""
    if overwrite:
        hint = "choose another name, or remove what is there first"
        raise UsageError("overwrite", "on object storage nothing is overwritten", hint=hint)
    if shards is None and writer.output(options) == "folder":
        message = f"{writer.name} is many files, which cannot appear on object storage all at once"
        raise UsageError("shards-needed", message, hint="--shards 1 adds a manifest, which appears last")
    for source in map(told, sources):
        if f"{source}/".startswith(f"{target.url}/") or f"{target.url}/".startswith(f"{source}/"):
            hint = "choose a name of its own"
            raise UsageError("target-is-source", f"{source} and {target.url} would lie in each other", hint=hint)
    if target.exists():
        raise _is_there(target)


def _is_there(target: Storage) -> UsageError:
    """What is there already. Removing is for the user to decide: a killed run looks like one at work."""
    staged = [one for one in target.objects() if one.name.startswith(STAGING)]
    if not staged:
        return UsageError("target-exists", f"there is something at {target.url} already", hint="choose another name")
    below = ", ".join(sorted({target.below(one.name.partition("/")[0]).url for one in staged}))
    many = f"{len(staged):,} objects of {sum(one.size for one in staged):,} bytes"
    message = f"another run is writing to {target.url}, or was killed while it did: it left {many} below {below}"
    return UsageError(
        "target-staged", message, hint="remove all that is there if that run has ended, or choose another name"
    )
