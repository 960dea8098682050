"""The round-trip matrix, measured: what becomes of each feature on the way from one format to another and home again.

exact         it comes home equal, and stood where other programs look for it
carried       it comes home equal, and rode beside: in metadata, in notes
approximated  something like it came home
dropped       it is gone
renewed       only a number or the like that any reader gives anew, said as a decision

A difference that nobody booked, and a booked loss that makes no difference, are defects: `Outcome.fault` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from ...schemas.errors import AnnolakeError
from .. import registry
from ..comparing import Difference, compare
from ..flavours import flavours
from ..format import Context, Format, Options
from ..images import ImageFinder
from ..ledger import Ledger, is_refused
from ..meaning import alike, things
from ..opening import streamed
from ..pipeline import convert
from .cases import DataSet
from .features import HEIGHT, SHARED, WIDTH, Feature
from .passing import lowered, pictures, target_in, write_out

Fate = Literal["exact", "carried", "approximated", "dropped", "renewed"]


class Column(msgspec.Struct, frozen=True):
    """A format, or one flavour of it, with the options that write it."""

    name: str
    format: Format
    options: Options

    def holds_by_itself(self, feature: Feature) -> bool:
        return self.name in feature.native or self.format.name in feature.native


class Outcome(msgspec.Struct, frozen=True):
    fate: Fate | None
    fault: str = ""


def columns() -> list[Column]:
    """All formats, each flavour by itself."""
    return [
        Column(f"{name} {flavour}".strip(), registry.get(name), options)
        for name in registry.formats()
        for flavour, options in flavours(registry.get(name)).items()
    ]


def rows_of(source: Column, known: Iterable[Feature]) -> list[Feature]:
    """The features that a source of this kind has: its own. A MetaLake file may say whatever annolake writes there."""
    return [feature for feature in known if source.holds_by_itself(feature) or source.name == "metalake"]


def measure(source: Column, target: Column, known: Iterable[Feature], folder: Path) -> dict[str, Outcome]:
    """The outcome for each feature of the source. Features of one image share a data set, an image each; each has one
    of its own where an error would hide the others.
    """
    out: dict[str, Outcome] = {}
    waiting = list(_data_sets(rows_of(source, known)))
    for number, together in enumerate(waiting):
        place = folder / f"{source.name} {target.name} {number}"
        place.mkdir()
        try:
            out.update(_Journey(source, target, together, place).outcomes())
        except (AnnolakeError, ValueError) as error:
            if len(together) == 1:
                out[together[0].name] = Outcome(None, f"an error: {error}")
            else:
                waiting.extend([feature] for feature in together)
    return out


def _data_sets(rows: list[Feature]) -> Iterator[list[Feature]]:
    shared = [feature for feature in rows if feature.catalog is SHARED]
    if shared:
        yield shared
    yield from ([feature] for feature in rows if feature.catalog is not SHARED)


class _Journey:
    """There and back with one data set."""

    def __init__(self, source: Column, target: Column, together: list[Feature], folder: Path) -> None:
        self.source, self.target, self.features = source, target, together
        seen = [r for feature in together for r in feature.records if (r.width, r.height) == (WIDTH, HEIGHT)]
        self.pictures = pictures(folder / "pictures", seen)
        self.start = target_in(folder, source.format, source.options, "start")
        self.middle = target_in(folder, target.format, target.options, "middle")
        self.home = target_in(folder, source.format, source.options, "home")

    def outcomes(self) -> dict[str, Outcome]:
        given = DataSet(self.features[0].catalog, [record for feature in self.features for record in feature.records])
        write_out(self.source.format, lowered(self.source.format, self.source.options, given), self.start)
        there = self._convert(self.start, self.middle, self.source, self.target)
        back = self._convert(self.middle, self.home, self.target, self.source)
        difference = self._difference()
        first, last = self._read(self.start), self._read(self.home)
        return {
            feature.name: self._outcome(feature, (*there, *back), difference, given, first, last)
            for feature in self.features
        }

    def _convert(self, source: Path, target: Path, reader: Column, writer: Column) -> list[Mapping[str, Any]]:
        """The losses. Only YOLO needs pictures, to know the sizes."""
        report = convert(
            source,
            target,
            to=writer.format.name,
            from_=reader.format.name,
            allow_loss=True,
            images=self.pictures if "normalized" in reader.format.fidelity(reader.options).coordinates else None,
            options={writer.format.name: writer.options},
            jobs=1,
            verify=False,  # what is wrong is to be found here
        )
        return [loss for loss in report.losses if is_refused(loss["code"])]

    def _difference(self) -> Difference:
        context, name = Context(images=ImageFinder(self.pictures, "turned")), self.source.format.name
        return compare(self.start, self.home, format_a=name, format_b=name, context_a=context, context_b=context)

    def _read(self, path: Path) -> DataSet:
        ledger, format_ = Ledger(), self.source.format
        reading = format_.read(path, format_.options(), Context(), ledger)
        return DataSet(reading.catalog, list(streamed(reading, ledger)))

    def _outcome(
        self,
        feature: Feature,
        losses: Iterable[Mapping[str, Any]],
        difference: Difference,
        given: DataSet,
        first: DataSet,
        last: DataSet,
    ) -> Outcome:
        if (fault := _not_held(feature, given, first)) is not None:
            return Outcome(None, fault)
        booked = {loss["code"]: loss["fate"] for loss in losses if _concerns(loss, feature)}
        changes = _changes(difference, feature)
        kept = _kept(feature, first) == _kept(feature, last)
        if not (kept or feature.renewable):
            changes.append(f"{_kept(feature, first)} became {_kept(feature, last)}")
        if booked and not changes:
            return Outcome(None, f"booked ({', '.join(booked)}), and no difference")
        if changes and not booked:
            return Outcome(None, f"a difference that nobody booked: {'; '.join(changes)}")
        if booked:
            return Outcome(_worst(feature, booked))
        if not kept:
            return Outcome("renewed")
        return Outcome("exact" if self.target.holds_by_itself(feature) else "carried")


def _not_held(feature: Feature, given: DataSet, first: DataSet) -> str | None:
    """A fault if the source's own format does not hold what its specification has a place for."""
    names = [record.image for record in feature.records]
    read = {record.image: record for record in first.records if record.image in names}
    if sorted(read) != sorted(names):
        return f"the source has the images {sorted(read)}"
    for record in feature.records:
        mine, theirs = things(record), things(read[record.image])
        if len(mine) != len(theirs):
            return f"the source holds {len(theirs)} objects"
        if first.catalog.coordinates == "pixels" and not all(map(_alike, mine, theirs)):
            return f"the source holds {[thing.group for thing in theirs]}"
    if feature.kept is not None and _kept(feature, given) != _kept(feature, first):
        return f"the source holds {_kept(feature, first)}"
    return None


def _alike(one: Any, other: Any) -> bool:
    return alike(one, other, 0.01)


def _worst(feature: Feature, booked: Mapping[str, Fate]) -> Fate:
    """A shape that has lost its angle only is still there, somehow."""
    if feature.of == "shape":
        booked = {**booked, "metadata-dropped": "approximated"} if "metadata-dropped" in booked else booked
    return "dropped" if "dropped" in booked.values() else "approximated"


def _kept(feature: Feature, data: DataSet) -> Any:
    names = [record.image for record in feature.records]
    records = [record for record in data.records if record.image in names]
    return feature.kept(data.catalog, records) if feature.kept is not None else None


def _concerns(loss: Mapping[str, Any], feature: Feature) -> bool:
    """Whether a loss is of this feature: of its image, or of the data set as a whole."""
    names = {record.image for record in feature.records}
    images = {example.get("image") for example in loss["examples"]}
    return bool(images & names) or images == {None}


def _changes(difference: Difference, feature: Feature) -> list[str]:
    names = {record.image for record in feature.records}
    out = [
        f"{change.kind} {', '.join((*change.fields, *change.keys))}"
        for change in difference.changes
        if change.image in names
    ]
    out += [f"{image} is gone" for image in difference.images_only_a if image in names]
    out += [f"{image} is new" for image in difference.images_only_b if feature.of == "data set" or image in names]
    if feature.of == "data set":
        catalog = difference.catalog
        parts = (catalog.labels_only_a, catalog.labels_only_b, catalog.changed)
        out += [f"labels {', '.join(names)}" for names in parts if names]
    return out
