"""Several sources as one data set, in the order they were given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ..schemas.errors import InvalidInput, Place
from ..schemas.model import Annotation, Catalog, Category, Coordinates, Record
from .catalogs import same_facts
from .coordinates import in_space
from .fidelity import Fidelity
from .format import Context, Reading, Records
from .ledger import Ledger
from .opening import sized


def merged(sources: Sequence[tuple[Path, Reading]], context: Context, ledger: Ledger) -> Reading:
    """One reading of all `sources`. Labels of one name are one label; tracks that share a number get new ones.

    Each source is looked through once for its names. InvalidInput (`same-name`) where two have an image of one name:
    nobody can say whether it is the same picture.
    """
    surveys = [_survey(reading) for _, reading in sources]
    _check_names(sources, surveys)
    spaces: list[Coordinates] = [reading.catalog.coordinates for _, reading in sources]
    space = spaces[0] if len(set(spaces)) == 1 else "pixels"
    shifts = _track_shifts(surveys)
    if any(shifts):
        ledger.decide("tracks-renumbered", "tracks of several sources had the same numbers: later ones have new ones")
    readings = [reading for _, reading in sources]

    def joined(streams: Sequence[Records]) -> Records:
        def records(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
            first = 0
            for reading, stream, shift in zip(readings, streams, shifts, strict=True):
                end = reading.images if stop is None else min(stop - first, reading.images)
                begin = max(start - first, 0)
                first += reading.images
                if begin >= end:
                    continue
                for record in stream(ledger, begin, end):
                    if reading.catalog.coordinates != space:
                        record = in_space(sized(record, context), reading.catalog.coordinates, space)
                    yield _renumbered(record, shift) if shift else record

        return records

    def records_for(fidelity: Fidelity) -> Records:
        return joined([r.records if r.records_for is None else r.records_for(fidelity) for r in readings])

    return Reading(
        catalog=replace(_catalog([reading.catalog for reading in readings], ledger), coordinates=space),
        records=joined([reading.records for reading in readings]),
        images=sum(reading.images for reading in readings),
        records_for=records_for,
    )


class _Survey(msgspec.Struct):
    names: list[str]
    tracks: set[Any]


def _survey(reading: Reading) -> _Survey:
    """What is broken is told when it is read for good."""
    quiet = Ledger(lenient=True)
    quiet.places = None
    found = _Survey([], set())
    for record in reading.records(quiet):
        found.names.append(record.image)
        found.tracks.update(t for a in record.annotations if isinstance(t := a.metadata.get("track_id"), int | str))
    return found


def _check_names(sources: Sequence[tuple[Path, Reading]], surveys: Sequence[_Survey]) -> None:
    owners: dict[str, Path] = {}
    for (path, _), survey in zip(sources, surveys, strict=True):
        for name in survey.names:
            owner = owners.setdefault(name, path)
            if owner is not path:
                raise InvalidInput(
                    "same-name",
                    f"{owner} has an image of this name too",
                    place=Place(file=str(path), image=name),
                    hint="rename one of them if they are two pictures; if they are one, bring it into one source",
                )


def _track_shifts(surveys: Sequence[_Survey]) -> list[int]:
    """For each source what its track numbers are raised by, so that no two sources share one."""
    shifts: list[int] = []
    taken: set[Any] = set()
    for survey in surveys:
        clash = not taken.isdisjoint(survey.tracks)
        shift = 1 + max((t for t in taken if isinstance(t, int)), default=0) if clash else 0
        shifts.append(shift)
        taken |= {_shifted(track, shift) for track in survey.tracks} if shift else survey.tracks
    return shifts


def _shifted(track: Any, shift: int) -> Any:
    return track + shift if isinstance(track, int) else f"{track} ({shift})"


def _renumbered(record: Record, shift: int) -> Record:
    def moved(annotation: Annotation) -> Annotation:
        track = annotation.metadata.get("track_id")
        if not isinstance(track, int | str):
            return annotation
        return replace(annotation, metadata={**annotation.metadata, "track_id": _shifted(track, shift)})

    return replace(record, annotations=[moved(annotation) for annotation in record.annotations])


def _catalog(catalogs: Sequence[Catalog], ledger: Ledger) -> Catalog:
    """Labels in the order of the sources, each name as the first source has it; what only formats know, likewise."""
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
    return Catalog(
        labels=tuple(labels),
        splits=tuple(dict.fromkeys(split for catalog in catalogs for split in catalog.splits)),
        split_in_name=all(catalog.split_in_name for catalog in catalogs),
        extras=extras,
    )
