"""The whole job: read, choose, project, write, verify. Nothing appears at the target unless all of it went well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec

from ..schemas.errors import Place, UsageError
from ..schemas.keys import MEANING
from ..schemas.model import Catalog, Coordinates, Record
from ..schemas.problems import Problem
from . import blocks, registry, sharding, targets, verifying
from .blockwise import BlockProjection
from .choosing import Choice
from .engines import EngineName, engine_of
from .fidelity import Fidelity
from .files import appearing_whole, no_gc
from .format import Blocks, Context, Format, Indivisible, Item, Options, Reading, Written
from .gathering import gathered
from .images import Exif, ImageFinder
from .ledger import Ledger, Withdrawn
from .limiting import limited
from .manifest import unfolded
from .nearby import address_of, as_told, format_at, scratch, told
from .opening import Progress, counted, sized, streamed
from .parallel import in_parts, processes
from .places import sending
from .projection import Carry, projector
from .report import Report, make_report, refusal
from .storage import Storage


@scratch()
def convert(
    source: str | Path | Storage | Sequence[str | Path | Storage],
    target: str | Path | Storage,
    *,
    to: str,
    from_: str | None = None,
    images: str | Path | None = None,
    coordinates: Coordinates | None = None,
    allow_loss: bool = False,
    carry: Carry = "full",
    exif: Exif = "turned",
    dry_run: bool = False,
    overwrite: bool = False,
    verify: bool | None = None,
    choice: Choice | None = None,
    join: bool = False,
    complete_report: bool = True,
    labels: tuple[str, ...] | None = None,
    jobs: int | None = None,
    shards: int | None = None,
    engine: EngineName = "local",
    memory: int | None = None,
    options: Mapping[str, Options] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Convert the data set at `source`, or several as one, to the format `to` at `target`: paths, or URLs of object
    storage.

    `join`: an image in several sources is one, with the annotations of all, and not a mistake. `choice` says what is
    wanted; `verify` whether what was written is read again and compared (None: where it is
    not too large); `options` maps a format's name to its Options; `labels` are label names in order, for sources that
    have none; `jobs` is the number of processes (None: one a core for large sets); `memory` the bytes that all of them
    together may take (None: as much as it takes, unless the source is too large for what is free); `shards` makes of
    `target` a folder of so many complete sets, as `sharding` says, written by `engine`. InvalidInput if a source is
    broken, LossRefused if something would be lost and `allow_loss` is not given, UsageError if the call makes no sense,
    LocalFailure if the disk refuses. In each case nothing has been written.
    """
    given_sources = [address_of(one) for one in ([source] if isinstance(source, str | Path | Storage) else source)]
    sources, target = unfolded(given_sources), address_of(target)
    if not sources:
        raise UsageError("no-source", "no source was given", hint="give one or more")
    ledger = Ledger(complete=complete_report)
    readers, writer = [format_at(one, from_) for one in sources], registry.get(to)
    given = {name: registry.get(name).options() for name in (*(reader.name for reader in readers), to)}
    given |= dict(options or {})
    if not dry_run:
        targets.check(target, [*given_sources, *sources], writer, given[to], overwrite=overwrite, shards=shards)
    on_disk = [one for one in sources if isinstance(one, Path)]
    limit = limited(memory, on_disk, readers, writer, given[to], choice, ledger)
    workers = engine_of(engine, jobs, shards, limit)
    finder = None if images is None else ImageFinder(Path(images), exif)
    context = Context(images=finder, exif=exif, labels=labels, memory=limit, jobs=jobs if shards is None else 1)
    boxes = writer.fidelity(given[to]).boxes_only
    context = msgspec.structs.replace(context, boxes=boxes, shapes=writer.shapes(given[to]))
    with no_gc(), as_told(ledger):
        to_open = [
            (one, reader, reader.to_read(given[to]) if reader.name == to else given[reader.name])
            for one, reader in zip(sources, readers, strict=True)
        ]
        survey_by = None if shards is None or dry_run else workers
        reading = gathered(to_open, context, ledger, join=join, choice=choice, survey_by=survey_by)
        if writer.settle is not None:
            given[to] = writer.settle(
                given[to], reading.catalog, lambda: reading.records(Ledger(lenient=True, places=False)), ledger
            )
        run = Run(reading, writer, given[to], context, coordinates, carry, allow_loss, verify)
        if not run.fidelity.ids:
            _book_merged(reading.catalog, ledger)
        count = processes(jobs, reading.images, limit) if writer.write_part is not None and not dry_run else 1
        if dry_run:
            for _ in run.records(ledger, progress):
                pass
            ledger.forecast()
        elif shards is not None:
            sharding.in_shards(run, target, shards, workers, ledger, progress)
        else:
            with sending(target) as here:
                run.in_parts(here, ledger, progress, count)
    _tell_turned(ledger, exif)
    if not run.fidelity.ids:
        ledger.decide("ids", f"{to} holds no ids: images and annotations are numbered anew on the way back")
    ledger.tell_left_out()
    from_names = list(dict.fromkeys(reader.name for reader in readers))
    settings: dict[str, Any] = {"from": ", ".join(from_names), "to": to, "coordinates": run.space, "carry": carry}
    settings |= {"exif": exif, "allow_loss": allow_loss, "verify": verify}
    if shards is not None:
        settings["shards"] = shards
    for name in sorted({*from_names, to}):
        settings[name] = msgspec.to_builtins(given[name])
    if choice is not None:
        settings |= choice.settings()
    named = ", ".join(map(told, sources))
    report = make_report(named, told(target), settings, ledger, dry_run=dry_run, verified=run.verified)
    if ledger.refused() and not allow_loss and not dry_run:
        raise refusal(report, to)
    return report


class Run:
    """One conversion with all choices made."""

    def __init__(
        self,
        reading: Reading,
        writer: Format,
        options: Options,
        context: Context,
        coordinates: Coordinates | None,
        carry: Carry,
        allow_loss: bool,
        verify: bool | None,
    ) -> None:
        self.writer, self.options, self.context = writer, options, context
        self.carry: Carry = carry
        self.allow_loss = allow_loss
        self.verify = verify
        self.verified = False
        self.whole = reading
        self.fidelity: Fidelity = writer.fidelity(options)
        aim = _aim(self.fidelity, carry)
        blocks_for = blocks.wanted(reading, writer, options, aim, context)
        self.blocks: Blocks | None = None if blocks_for is None else blocks_for(aim)
        if reading.records_for is not None:
            reading = msgspec.structs.replace(reading, records=reading.records_for(aim))
        self.reading = reading
        self.space: Coordinates = _space(reading.catalog.coordinates, self.fidelity, coordinates, writer.name)
        self.catalog: Catalog = msgspec.structs.replace(reading.catalog, coordinates=self.space)

    def records(
        self, ledger: Ledger, progress: Progress | None = None, start: int = 0, stop: int | None = None
    ) -> Iterator[Record]:
        """Projected records. Once a loss is booked that will be refused, the rest is looked at but not handed on.

        Where both sides go by `blocks`, there are blocks among them.
        """
        if self.blocks is not None:
            yield from self._in_blocks(self.blocks(ledger, start, stop), ledger, progress)
            return
        project = self.projection(ledger)
        for record in streamed(self.reading, ledger, progress, start, stop):
            projected = project(record)
            if self.allow_loss or not ledger.refused():
                yield projected
        if self.context.images is not None:
            ledger.turned.update(self.context.images.turned)

    def _in_blocks(self, items: Iterator[Item], ledger: Ledger, progress: Progress | None) -> Iterator[Record]:
        projection = BlockProjection(
            self.fidelity,
            ledger,
            coordinates=self.reading.catalog.coordinates,
            target=self.space,
            carry=self.carry,
        )
        for item in counted(items, self.reading.images, ledger, progress):
            for projected in projection.project(item):
                if self.allow_loss or not ledger.refused():
                    yield cast(Record, projected)  # whose writer takes blocks, too: that is asked before

    def projection(self, ledger: Ledger) -> Callable[[Record], Record]:
        """The projection that keeps these books, of records as the source has them."""
        project = projector(
            self.fidelity,
            ledger,
            coordinates=self.reading.catalog.coordinates,
            target=self.space,
            carry=self.carry,
        )
        return lambda record: project(sized(record, self.context))

    def in_one(self, target: Path, ledger: Ledger, progress: Progress | None) -> None:
        with suppress(Withdrawn), appearing_whole(target) as temporary:
            self.verified = self.write(temporary, ledger, progress)

    def write(
        self, path: Path, ledger: Ledger, progress: Progress | None = None, start: int = 0, stop: int | None = None
    ) -> bool:
        """Images `start` to `stop` as one set at `path`, booked; whether it was verified. Withdrawn where a loss is
        refused.
        """
        records = self.records(ledger, progress, start, stop)
        written = self.writer.write(path, self.options, self.context, self.catalog, records)
        self._settle(written, ledger)
        return self._verify(path, ledger, start, stop)

    def in_parts(self, target: Path, ledger: Ledger, progress: Progress | None, count: int) -> None:
        """The same with several processes, for writers that can."""
        write_part, join = self.writer.write_part, self.writer.join
        if write_part is None or join is None or count == 1:
            return self.in_one(target, ledger, progress)
        with suppress(Withdrawn), appearing_whole(target) as temporary:

            def part(start: int, stop: int, books: Ledger, tell: Callable[[int], None]) -> Any:
                records = self.records(books, lambda done, _: tell(done), start, stop)
                context = self.context
                if self.reading.before is not None:
                    context = msgspec.structs.replace(context, before=self.reading.before(start))
                return write_part(temporary, start, self.options, context, self.catalog, records)

            try:
                parts = in_parts(part, self.reading.images, count, ledger, progress)
            except Indivisible:
                self.verified = self.write(temporary, ledger, progress)
                return None
            if ledger.refused() and not self.allow_loss:
                raise Withdrawn
            self._settle(join(temporary, self.options, self.context, self.catalog, parts), ledger)
            self.verified = self._verify(temporary, ledger)
        return None

    def _settle(self, written: Written, ledger: Ledger) -> None:
        if ledger.refused() and not self.allow_loss:
            raise Withdrawn
        ledger.written["images"] = written.images
        ledger.written["annotations"] = written.annotations
        for decision in written.decisions:
            ledger.decide(decision.code, decision.text)
        ledger.balance()

    def _verify(self, temporary: Path, ledger: Ledger, start: int = 0, stop: int | None = None) -> bool:
        """Read what was written, where that is wanted, or was not said and does not take long."""
        small = ledger.written["images"] <= verifying.IMAGES and ledger.written["annotations"] <= verifying.ANNOTATIONS
        if self.verify is False or (self.verify is None and not small):
            return False
        if not self.writer.readable(self.options):
            ledger.decide("not-verified", "what was written cannot be read by itself, and so not be compared")
            return False

        def records(books: Ledger, *_: int | None) -> Iterator[Record]:
            return (sized(record, self.context) for record in self.whole.records(books, start, stop))

        def back() -> Reading:
            options = self.writer.to_verify(self.options)
            return self.writer.read(temporary, options, Context(memory=self.context.memory), Ledger())

        source = msgspec.structs.replace(self.whole, records=records)

        verifying.verify(source, back, self.projection, self.fidelity, self.space)
        return True


_EXIF = {"turned": "as people see the picture", "raw": "of the stored pixels"}


def _tell_turned(ledger: Ledger, exif: Exif) -> None:
    for name in sorted(ledger.turned):
        message = f"the picture has an EXIF turning tag: its size is {_EXIF[exif]}"
        ledger.problem(Problem(code="exif-turned", severity="notice", message=message, place=Place(image=name)))
    if ledger.turned:
        ledger.decide("exif", f"{len(ledger.turned)} pictures have an EXIF turning tag: sizes are {_EXIF[exif]}")


def _book_merged(catalog: Catalog, ledger: Ledger) -> None:
    """Labels are told apart by name alone where there are no ids."""
    shared = [name for name, times in Counter(label.name for label in catalog.labels).items() if times > 1]
    for name in shared:
        ledger.book("label-merged", detail=name)


def _aim(fidelity: Fidelity, carry: Carry) -> Fidelity:
    """What a reader may work for: nothing is carried for the way back where that is not wanted."""
    return fidelity if carry == "full" else msgspec.structs.replace(fidelity, metadata=MEANING)


def _space(source: Coordinates, fidelity: Fidelity, wanted: Coordinates | None, to: str) -> Coordinates:
    if wanted is None:
        return source if source in fidelity.coordinates else fidelity.coordinates[0]
    if wanted not in fidelity.coordinates:
        raise UsageError(
            "coordinates",
            f"{to} has {' and '.join(fidelity.coordinates)} coordinates only, not {wanted}",
            hint="leave --coordinates out",
        )
    return wanted
