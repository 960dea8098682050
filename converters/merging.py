"""Several sources as one data set, in the order they were given."""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import replace

from ..schemas.errors import InvalidInput, Place
from ..schemas.model import Annotation, Catalog, Category, Coordinates, Record, count_objects
from . import registry
from .blocks import Block
from .catalogs import same_facts
from .coordinates import in_space
from .fidelity import Fidelity
from .format import Blocks, Context, Item, Reading, Records, Way
from .ledger import Ledger
from .opening import sized
from .samenames import mark, shared


class Glance(msgspec.Struct, frozen=True):
    """A mark for the name of each image of a source, the numbers and names of its tracks, and the names themselves
    where they were asked for.
    """

    marks: array[int]
    tracks: set[Any]
    names: list[str]


def glance(reading: Reading, *, names: bool = False) -> Glance:
    """Look a source through. What is broken is told when it is read for good."""
    found = Glance(array("Q"), set(), [])
    for item in _looked(reading):
        images = [item] if isinstance(item, Record) else item.records
        found.marks.extend([mark(record.image) for record in images])
        for annotation in _said(item):
            if isinstance(track := annotation.metadata.get("track_id"), int | str):
                found.tracks.add(track)
        if names:
            found.names.extend([record.image for record in images])
    return found


def _looked(reading: Reading) -> Iterator[Item]:
    """All that is in a source, its outlines undecoded where its reader can; nothing is said about it."""
    if reading.spelled_for is None or reading.blocks_for is not None:
        return _quietly(reading)
    coco = registry.get("coco")
    return reading.spelled_for(coco.fidelity(coco.options()))(Ledger(lenient=True, places=False))


def _said(item: Item) -> Iterable[Annotation]:
    """The annotations that may say something of a track."""
    if isinstance(item, Record):
        return item.annotations
    if isinstance(item, Block):
        return chain.from_iterable(record.annotations for record in item.expanded(Ledger()))
    return chain.from_iterable(one for one in item.objects if not isinstance(one, msgspec.Struct))


def _quietly(reading: Reading) -> Iterator[Record]:
    return reading.records(Ledger(lenient=True, places=False))


def merged(
    sources: Sequence[tuple[str, Reading]],
    context: Context,
    ledger: Ledger,
    *,
    join: bool = False,
    glances: Sequence[Glance] | None = None,
    sets: Sequence[str | None] | None = None,
) -> Reading:
    """One reading of all `sources`, each with the name it is told by. Labels of one name are one label; tracks that
    share a number get new ones.

    Each source is looked through once for its names, unless `glances` has them. `sets` tells of which set a source is a
    shard, if it is one: shards of one set share their tracks. Where several have an image of one
    name, nobody can say whether it is the same picture: InvalidInput (`same-name`), unless `join` says that it is; the
    first source that has it then gives it the annotations of all.
    """
    if glances is None:
        glances = [glance(reading) for _, reading in sources]
    merge = _Merge(sources, context, glances, sets or [None] * len(sources), join=join)
    if any(merge.shifts):
        ledger.decide("tracks-renumbered", "tracks of several sources had the same numbers: later ones have new ones")
    if merge.guests:
        joined = f"{len(merge.guests):,} images stand in several sources: each has the annotations of all"
        ledger.decide("images-joined", joined)
    readings = [reading for _, reading in sources]
    whole = sets is not None and None not in sets and len(set(sets)) == 1

    def records_for(fidelity: Fidelity) -> Records:
        return merge.records_of([r.records if r.records_for is None else r.records_for(fidelity) for r in readings])

    def offered(way: Way) -> Callable[[Fidelity], Blocks] | None:
        ways: list[Any] = [getattr(reading, way) for reading in readings]
        if merge.changes or None in ways:
            return None
        return lambda fidelity: merge.records_of([each(fidelity) for each in ways])

    return Reading(
        catalog=replace(_catalog([one.catalog for one in readings], ledger, whole=whole), coordinates=merge.space),
        records=merge.records_of([reading.records for reading in readings]),
        images=sum(reading.images for reading in readings),
        records_for=None if merge.guests else records_for,
        blocks_for=offered("blocks_for"),
        shapes_for=offered("shapes_for"),
        spelled_for=offered("spelled_for"),
    )


class _Merge:
    """`guests`: by name, the images of later sources that are to join the one of an earlier source, packed. It travels
    to other processes, and holds nothing of the sources that all of them would have to carry.
    """

    def __init__(
        self,
        sources: Sequence[tuple[str, Reading]],
        context: Context,
        glances: Sequence[Glance],
        sets: Sequence[str | None],
        *,
        join: bool,
    ) -> None:
        self.context = context
        self.names = [name for name, _ in sources]
        self.images = [reading.images for _, reading in sources]
        self.spaces: list[Coordinates] = [reading.catalog.coordinates for _, reading in sources]
        self.space: Coordinates = self.spaces[0] if len(set(self.spaces)) == 1 else "pixels"
        self.guests: dict[str, list[tuple[int, bytes]]] = {}
        self.owners: dict[str, int] = {}
        for number, marks in enumerate(shared([seen.marks for seen in glances])):
            if marks:
                self._invite(number, sources[number][1], marks, join=join)
        self.owners = {name: self.owners[name] for name in self.guests}
        self.shifts = _track_shifts([seen.tracks for seen in glances], sets)
        self.changes = bool(self.guests or any(self.shifts) or len(set(self.spaces)) > 1)
        """Whether a record may become another one, so that each has to be looked at."""

    def records_of(self, streams: Sequence[Records | Blocks]) -> Any:
        """The streams one behind the other."""

        def records(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Any]:
            first = 0
            for number, (images, stream) in enumerate(zip(self.images, streams, strict=True)):
                end = images if stop is None else min(stop - first, images)
                begin = max(start - first, 0)
                first += images
                if begin >= end:
                    continue
                if not self.changes:
                    yield from stream(ledger, begin, end)
                    continue
                record: Any
                for record in stream(ledger, begin, end):
                    if record.image not in self.guests:
                        yield self._prepared(record, number)
                    elif self.owners[record.image] == number:
                        yield self._with_guests(self._prepared(record, number), ledger)
                    else:  # counted where it joins the other
                        ledger.seen["images"] -= 1
                        ledger.seen["annotations"] -= count_objects(record)

        return records

    def _invite(self, number: int, reading: Reading, marks: frozenset[int], *, join: bool) -> None:
        """Note the images of a source that an earlier one has too: they are among those with these marks."""
        for record in _quietly(reading):
            if mark(record.image) in marks and self.owners.setdefault(record.image, number) != number:
                if not join:
                    raise _same_name(self.names[number], record.image)
                packed = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)
                self.guests.setdefault(record.image, []).append((number, packed))

    def _prepared(self, record: Record, number: int) -> Record:
        space = self.spaces[number]
        if space != self.space:
            record = in_space(sized(record, self.context), space, self.space)
        return _renumbered(record, self.shifts[number]) if self.shifts[number] else record

    def _with_guests(self, record: Record, ledger: Ledger) -> Record:
        for number, packed in self.guests[record.image]:
            guest = self._prepared(pickle.loads(packed), number)
            ledger.seen["annotations"] += count_objects(guest)
            for fact in ("width", "height"):
                mine, other = getattr(record, fact), getattr(guest, fact)
                if mine and other and mine != other:
                    raise InvalidInput(
                        "image-size",
                        f"its {fact} is {mine} in one source and {other} in another: this is not one picture",
                        place=Place(file=self.names[number], image=record.image),
                        hint="rename one of the two images, or mend the size",
                    )
            record = replace(
                record,
                annotations=[*record.annotations, *(_tied_anew(a, number) for a in guest.annotations)],
                tags=(*record.tags, *guest.tags),
                width=record.width or guest.width,
                height=record.height or guest.height,
                split=record.split if record.split is not None else guest.split,
                extras={**guest.extras, **record.extras},
            )
        return record


def _tied_anew(annotation: Annotation, number: int) -> Annotation:
    """Names of objects with several rings are unique within a source only."""
    instance = annotation.metadata.get("instance")
    if instance is None:
        return annotation
    return replace(annotation, metadata={**annotation.metadata, "instance": f"{instance} ({number + 1})"})


def _same_name(source: str, image: str) -> InvalidInput:
    return InvalidInput(
        "same-name",
        "an earlier source has an image of this name too",
        place=Place(file=source, image=image),
        hint="rename one of them if they are two pictures; --join if they are one",
    )


def _track_shifts(tracks: Sequence[set[Any]], sets: Sequence[str | None]) -> list[int]:
    """For each source what its track numbers are raised by, so that no two share one, but for shards of one set."""
    keys = [number if of is None else of for number, of in enumerate(sets)]
    groups: dict[int | str, set[Any]] = {}
    for key, own in zip(keys, tracks, strict=True):
        groups.setdefault(key, set()).update(own)
    shifts: dict[int | str, int] = {}
    taken: set[Any] = set()
    for key, own in groups.items():
        clash = not taken.isdisjoint(own)
        shift = shifts[key] = 1 + max((t for t in taken if isinstance(t, int)), default=0) if clash else 0
        taken |= {_shifted(track, shift) for track in own} if shift else own
    return [shifts[key] for key in keys]


def _shifted(track: Any, shift: int) -> Any:
    return track + shift if isinstance(track, int) else f"{track} ({shift})"


def _renumbered(record: Record, shift: int) -> Record:
    def moved(annotation: Annotation) -> Annotation:
        track = annotation.metadata.get("track_id")
        if not isinstance(track, int | str):
            return annotation
        return replace(annotation, metadata={**annotation.metadata, "track_id": _shifted(track, shift)})

    return replace(record, annotations=[moved(annotation) for annotation in record.annotations])


def _catalog(catalogs: Sequence[Catalog], ledger: Ledger, *, whole: bool) -> Catalog:
    """Labels in the order of the sources, each name as the first source has it; what only formats know, likewise.
    `whole`: the sources are shards of one set, of which all that is known still holds.
    """
    labels: list[Category] = []
    names: set[str] = set()
    ids: set[Any] = set()
    extras: dict[str, Any] = {}
    for catalog in catalogs:
        new = [label for label in catalog.labels if label.name not in names]
        labels += [replace(label, id=None) if label.id in ids else label for label in new]
        names.update(label.name for label in new)
        ids.update(label.id for label in new if label.id is not None)
        for name, facts in catalog.extras.items():
            if not same_facts(extras.setdefault(name, facts), facts):
                ledger.decide("merged-facts", f"what {name} says of the whole data set is taken from the first source")
    for name in extras.keys() & set(() if whole else registry.formats()):
        known = [catalog.extras[name] for catalog in catalogs if name in catalog.extras]
        extras[name] = registry.get(name).merged(known)
    return Catalog(
        labels=tuple(labels),
        splits=tuple(dict.fromkeys(split for catalog in catalogs for split in catalog.splits)),
        split_in_name=all(catalog.split_in_name for catalog in catalogs),
        extras=extras,
    )
