"""One data set as several: N shards, each a complete set of the target format, and a manifest that names them.

The rule: images in the order of the sources, cut into N runs whose lengths differ by one at most. The same input makes
the same bytes, whatever the number of processes; the shards one behind the other are what one target would be; and who
writes a shard needs the sources that its run lies in and nobody else's work. All shards have one catalogue, and what is
decided for a data set (labels, splits, VOC's convention, YOLO's task) is decided once for all of them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ..schemas.errors import InvalidInput, Place, UsageError
from .files import appearing_whole, check_target, names_below, read_bytes
from .format import Format, Options
from .ledger import Ledger, Withdrawn
from .opening import Progress
from .parallel import in_parts, runs
from .verifying import IMAGES

if TYPE_CHECKING:
    from .pipeline import Run

MANIFEST = "manifest.json"
_LIMIT = 1 << 30


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One shard: its name in the folder, what it holds, and its files. `sha256` is that of its file; of a folder, that
    of what `sha256sum` prints for its files in the order of their names.
    """

    name: str
    images: int
    annotations: int
    files: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `manifest.json`. It is written last: a folder without one is not finished."""

    annolake: Literal["shards"] = "shards"
    format: str
    options: dict[str, Any]
    coordinates: str
    labels: list[str]
    images: int
    annotations: int
    shards: list[Shard]


def in_shards(run: Run, target: Path, shards: int, count: int, ledger: Ledger, progress: Progress | None) -> None:
    """The run's images as so many shards in a folder, by `count` processes. All of them appear, or none.

    UsageError where there are fewer images than shards, and where the format cannot be cut.
    """
    images = run.reading.images
    if shards > 1 and (reason := run.writer.undivided(run.options)):
        raise UsageError("shards", f"{run.writer.name} is not written in shards here: {reason}", hint="or --shards 1")
    if shards > max(images, 1):
        hint = "give at most one shard an image"
        raise UsageError("shards", f"{shards:,} shards were asked for, and there are {images:,} images", hint=hint)
    if run.verify is None and images > IMAGES:
        run.verify = False
    with suppress(Withdrawn), appearing_whole(target) as temporary:
        temporary.mkdir()
        bounds = runs(images, shards)

        def part(start: int, stop: int, books: Ledger, tell: Callable[[int], None]) -> list[_Done]:
            begin = bounds[start][0]
            parts: list[_Done] = []
            for number in range(start, stop):
                done, own = write_shard(run, temporary, number, shards, books.another(), lambda at: tell(at - begin))
                books.add(own)
                parts += [] if done is None else [done]
            return parts

        def tell_images(done: int, _: int | None) -> None:
            if progress is not None:
                progress(done, images)

        count = min(count, shards)
        if count > 1:
            parts = [done for some in in_parts(part, shards, count, ledger, tell_images) for done in some]
        else:
            parts = part(0, shards, ledger, lambda done: tell_images(done, None))
        if ledger.refused() and not run.allow_loss:
            raise Withdrawn
        written = [done.shard for done in parts]
        ledger.written["images"] = sum(shard.images for shard in written)
        ledger.written["annotations"] = sum(shard.annotations for shard in written)
        ledger.balance()
        (temporary / MANIFEST).write_bytes(_manifest(run, written))
        run.verified = all(done.verified for done in parts)


class _Done(msgspec.Struct, frozen=True):
    shard: Shard
    verified: bool


def write_shard(
    run: Run, folder: Path, number: int, shards: int, books: Ledger, tell: Callable[[int], None]
) -> tuple[_Done | None, Ledger]:
    """Shard `number` (from 0) of so many, written below `folder`, and its books; nothing where a loss is refused.

    `tell` is called with the number of the image in the whole data set that has been reached.
    """
    start, stop = runs(run.reading.images, shards)[number]
    name = shard_name(run.writer, run.options, number, shards)
    path = folder / name
    try:
        verified = run.write(path, books, lambda done, _: tell(start + done), start, stop)
    except Withdrawn:
        return None, books
    images, annotations = books.written["images"], books.written["annotations"]
    files, size, digest = _fingerprint(path)
    shard = Shard(name=name, images=images, annotations=annotations, files=files, bytes=size, sha256=digest)
    return _Done(shard, verified), books


def shard_name(writer: Format, options: Options, number: int, shards: int) -> str:
    """`shard-00000-of-00004.json`; where the format's target is a folder, without a suffix."""
    suffix = writer.suffix if writer.output(options) == "file" else ""
    return f"shard-{number:05}-of-{shards:05}{suffix}"


def check_shards_target(target: Path, source: Path, writer: Format, options: Options, *, overwrite: bool) -> None:
    """UsageError where this folder cannot be meant: it is the source, or something else is in the way.

    Overwritten are only shards of the same format, in a folder that holds nothing else.
    """
    if (
        target.resolve() == source.resolve()
        or (source.is_dir() and target.resolve().is_relative_to(source.resolve()))
        or source.resolve().is_relative_to(target.resolve())
    ):
        hint = "choose a folder of its own"
        raise UsageError("target-is-source", f"the source {source} and the shards would lie in each other", hint=hint)

    def owns(name: str) -> bool:
        front, _, inside = name.partition("/")
        known = {MANIFEST} | {shard.name for shard in (manifest.shards if manifest else ())}
        return front in known and (not inside or writer.owns(inside))

    manifest = _manifest_in(target)
    recognised = manifest is not None and manifest.format == writer.name
    check_target(target, overwrite=overwrite, owns=owns, recognises=lambda _: recognised)


def unfolded(sources: Iterable[str | Path]) -> list[Path]:
    """The sources, with the shards of a folder in its place. InvalidInput where one that the manifest names is not
    there.
    """
    out: list[Path] = []
    for source in map(Path, sources):
        manifest = _manifest_in(source)
        shards = [source / shard.name for shard in manifest.shards] if manifest else [source]
        if manifest:
            for shard in shards:
                if not os.path.lexists(shard):
                    place = Place(file=str(shard))
                    hint = "bring all shards that the manifest names"
                    raise InvalidInput(
                        "shard-missing", f"{MANIFEST} names a shard that is not there", place=place, hint=hint
                    )
        out += shards
    return out


def _manifest_in(folder: Path) -> Manifest | None:
    """The manifest of a folder of shards; None where it is none."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = msgspec.json.decode(read_bytes(path, _LIMIT), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return manifest if all(Path(shard.name).name == shard.name for shard in manifest.shards) else None


def _manifest(run: Run, shards: list[Shard]) -> bytes:
    manifest = Manifest(
        format=run.writer.name,
        options=msgspec.to_builtins(run.options),
        coordinates=run.space,
        labels=list(run.catalog.names()),
        images=sum(shard.images for shard in shards),
        annotations=sum(shard.annotations for shard in shards),
        shards=shards,
    )
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def _fingerprint(path: Path) -> tuple[int, int, str]:
    """Files, bytes and digest, as `Shard` has them."""
    if path.is_file():
        return 1, path.stat().st_size, _digest(path)
    files = size = 0
    digest = hashlib.sha256()
    for name in sorted(names_below(str(path), lambda _: True)):
        files += 1
        size += (path / name).stat().st_size
        digest.update(f"{_digest(path / name)}  {name}\n".encode("utf-8", "surrogateescape"))
    return files, size, digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
