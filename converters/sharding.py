"""One data set as several: N shards, each a complete set of the target format, and a manifest that names them.

The rule: images in the order of the sources, cut into N runs whose lengths differ by one at most. The same input makes
the same bytes, whatever the number of processes; the shards one behind the other are what one target would be; and who
writes a shard needs the sources that its run lies in and nobody else's work. All shards have one catalogue, and what is
decided for a data set (labels, splits, VOC's convention, YOLO's task) is decided once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ..schemas.errors import UsageError
from .engines import Engine
from .format import Format, Options
from .lazily import forgetting
from .ledger import Ledger, Withdrawn
from .manifest import Manifest, Shard, fingerprint
from .nearby import Address, as_told
from .opening import Progress
from .parallel import runs
from .places import Place, appearing_place
from .verifying import IMAGES

if TYPE_CHECKING:
    from .pipeline import Run


def in_shards(
    run: Run, target: Address, shards: int, engine: Engine, ledger: Ledger, progress: Progress | None
) -> None:
    """The run's images as so many shards in a folder, by that engine. All of them appear, or none.

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
    bounds = runs(images, shards)
    with suppress(Withdrawn), forgetting(), appearing_place(target) as place:

        def task(number: int, books: Ledger, tell: Callable[[int], None]) -> _Done | None:
            name = shard_name(run.writer, run.options, number, shards)
            return write_shard(run, place, name, *bounds[number], books, tell)

        parts: list[_Done | None] = engine.run(task, [stop - start for start, stop in bounds], ledger, progress)
        done = [part for part in parts if part is not None]
        if len(done) < shards:
            raise Withdrawn
        manifest = Manifest(
            format=run.writer.name,
            options=msgspec.to_builtins(run.options),
            coordinates=run.space,
            labels=list(run.catalog.names()),
            images=sum(part.shard.images for part in done),
            annotations=sum(part.shard.annotations for part in done),
            shards=[part.shard for part in done],
        )
        ledger.written["images"], ledger.written["annotations"] = manifest.images, manifest.annotations
        ledger.balance()
        place.finish(manifest)
        run.verified = all(part.verified for part in done)


class _Done(msgspec.Struct, frozen=True):
    shard: Shard
    verified: bool


def write_shard(
    run: Run, place: Place, name: str, start: int, stop: int, books: Ledger, tell: Callable[[int], None]
) -> _Done | None:
    """Images `start` to `stop` as the shard of that name: written, booked, verified. None where a loss is refused."""
    with suppress(Withdrawn), as_told(books), place.making(name) as path:
        verified = run.write(path, books, lambda done, _: tell(done), start, stop)
        files, size, digest = fingerprint(path)
        counts = {"images": books.written["images"], "annotations": books.written["annotations"]}
        return _Done(Shard(name=name, **counts, files=files, bytes=size, sha256=digest), verified)
    return None


def shard_name(writer: Format, options: Options, number: int, shards: int) -> str:
    """`shard-00000-of-00004.json`; where the format's target is a folder, without a suffix."""
    suffix = writer.suffix if writer.output(options) == "file" else ""
    return f"shard-{number:05}-of-{shards:05}{suffix}"
