"""What of a data set is wanted, under which labels, in which splits: renamed, left out and dealt out while it streams.

Labels are renamed first, so that labels to keep are named as they are afterwards. What falls away is booked as by wish.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isclose
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from ..schemas.errors import UsageError
from ..schemas.model import Annotation, Catalog, Category, Record, Tag, count_objects, objects
from ..schemas.problems import Problem
from . import registry
from .fidelity import Fidelity
from .format import Reading, Records
from .ledger import Ledger

_Labelled = TypeVar("_Labelled", Annotation, Tag)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """`keep_labels`: objects of other labels are left out (their images stay). `map_labels`: old name to new name.
    `only_images`: names of the images to keep. `split`: each split's share, together 1; images are dealt out by a hash
    of `seed` and their names, so that the same images always go the same way.
    """

    keep_labels: tuple[str, ...] = ()
    map_labels: Mapping[str, str] = {}
    only_images: tuple[str, ...] | None = None
    split: Mapping[str, float] = {}
    seed: int = 0

    @property
    def by_name(self) -> bool:
        """Whether the names of all images are asked for before the first is read."""
        return self.only_images is not None or bool(self.split)

    def settings(self) -> dict[str, Any]:
        """For the report: what was asked for."""
        asked = msgspec.to_builtins(self)
        if not self.split:
            del asked["seed"]
        return {key: value for key, value in asked.items() if value not in ({}, [], None)}


def chosen(reading: Reading, choice: Choice, ledger: Ledger, names: Iterable[str] | None = None) -> Reading:
    """The reading with that choice made. `names`: those of its images, where they are known.

    UsageError where it cannot be meant: a label that is not there, shares that are not one whole.
    """
    catalog = _relabelled(reading.catalog, choice)
    wanted = None if choice.only_images is None else frozenset(choice.only_images)
    splits: dict[str, str] | None = None
    if choice.by_name:
        known = _names(reading) if names is None else names
        names = [name for name in known if wanted is None or name in wanted]
        if choice.only_images and not names:
            hint = "names are written as in the source, with their folders"
            raise UsageError("image-not-found", "none of the images to keep is in the source", hint=hint)
        _tell_missing(choice.only_images or (), names, ledger)
        if choice.split:
            splits = dealt(names, choice.split, choice.seed)
            dealt_out = ", ".join(f"{split} {list(splits.values()).count(split):,}" for split in choice.split)
            ledger.decide("split", f"images dealt out by a hash of their names, seed {choice.seed}: {dealt_out}")
            catalog = replace(catalog, splits=tuple(choice.split), split_in_name=False)
    if catalog is not reading.catalog:
        catalog = replace(catalog, extras=_rearranged(catalog, choice))
    keep = frozenset(choice.keep_labels)

    def choosing(stream: Records) -> Records:
        def records(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
            for record in stream(ledger, start, stop):
                if wanted is not None and record.image not in wanted:
                    _leave_out(record, ledger)
                    continue
                if choice.map_labels:
                    record = _renamed(record, choice.map_labels, ledger)
                if keep:
                    record = _kept(record, keep, ledger)
                if splits is not None:
                    record = _resplit(record, splits[record.image], ledger)
                yield record

        return records

    def records_for(fidelity: Fidelity) -> Records:
        return choosing(reading.records if reading.records_for is None else reading.records_for(fidelity))

    records = choosing(reading.records)
    plainly = {"blocks_for": None, "shapes_for": None, "spelled_for": None}
    return replace(reading, catalog=catalog, records=records, records_for=records_for, **plainly)


def dealt(names: Sequence[str], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """The split of each name. The names are put into the order of a hash and cut at the shares, to the nearest image.

    UsageError where the shares are not above zero and one whole.
    """
    if any(not share > 0 for share in shares.values()) or not isclose(sum(shares.values()), 1, abs_tol=1e-9):
        raise UsageError("split", "the shares are above 0 and make 1 together", hint="such as train=0.8,val=0.2")
    ordered = sorted(names, key=lambda name: (hashlib.sha256(f"{seed}\0{name}".encode()).digest(), name))
    out: dict[str, str] = {}
    begin, total = 0, 0.0
    for split, share in shares.items():
        total += share
        end = round(total * len(ordered))
        out.update(dict.fromkeys(ordered[begin:end], split))
        begin = end
    return out


def _names(reading: Reading) -> Iterator[str]:
    """What is broken is told when it is read for good."""
    quiet = Ledger(lenient=True, places=False)
    return (record.image for record in reading.records(quiet))


def _tell_missing(listed: Sequence[str], found: Sequence[str], ledger: Ledger) -> None:
    missing = sorted(set(listed) - set(found))
    if missing:
        message = f"{len(missing):,} of the images to keep are not in the source, among them {missing[0]!r}"
        fix = "names are written as in the source, with their folders"
        ledger.problem(Problem(code="image-not-found", severity="warning", message=message, fix=fix))


def _relabelled(catalog: Catalog, choice: Choice) -> Catalog:
    """Labels renamed, those of one name made one, those not kept left out."""
    if not choice.map_labels and not choice.keep_labels:
        return catalog
    _check_known(choice.map_labels, catalog.names())
    untouched = {label.name for label in catalog.labels if label.name not in choice.map_labels}
    labels: list[Category] = []
    for label in catalog.labels:
        name = choice.map_labels.get(label.name)
        if name is None:
            labels.append(label)
        elif name not in untouched:
            untouched.add(name)
            labels.append(replace(label, name=name))
    if choice.keep_labels:
        _check_known(choice.keep_labels, [label.name for label in labels], choice.map_labels)
        labels = [label for label in labels if label.name in choice.keep_labels]
    return replace(catalog, labels=tuple(labels))


def _check_known(
    wanted: Mapping[str, str] | Sequence[str], names: Sequence[str], renamed: Mapping[str, str] | None = None
) -> None:
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`annolake stats` lists the labels of a source"
            if renamed and name in renamed:
                hint = f"it is renamed first: keep {renamed[name]!r}"
            raise UsageError("unknown-label", f"there is no label {name!r}", hint=hint)


def _rearranged(catalog: Catalog, choice: Choice) -> dict[str, Any]:
    """What formats noted about the data set, without what no longer holds."""
    relabelled = bool(choice.map_labels or choice.keep_labels)
    extras = dict(catalog.extras)
    for name in extras.keys() & set(registry.formats()):
        extras[name] = registry.get(name).rearranged(extras[name], relabelled, tuple(choice.split))
    return extras


def _leave_out(record: Record, ledger: Ledger) -> None:
    count = count_objects(record)
    ledger.book("image-left-out", image=record.image)
    ledger.seen["images dropped"] += 1
    ledger.seen["annotations dropped"] += count
    ledger.dropped += count


def _renamed(record: Record, names: Mapping[str, str], ledger: Ledger) -> Record:
    def renamed(item: _Labelled) -> _Labelled:
        part_of = item.metadata.get("part_of")
        if isinstance(part_of, str) and part_of in names:
            item = replace(item, metadata={**item.metadata, "part_of": names[part_of]})
        return replace(item, label=names[item.label]) if item.label in names else item

    for number, label in _numbered(record):
        if label in names:
            detail = f"{label} -> {names[label]}"
            ledger.book("label-renamed", image=record.image, annotation=number, detail=detail)
    return _changed(record, renamed, renamed)


def _numbered(record: Record) -> list[tuple[int, str]]:
    """Objects and tags with their numbers from 1 and their labels."""
    labels = [group[0].label for group in objects(record.annotations)] + [tag.label for tag in record.tags]
    return list(enumerate(labels, 1))


def _changed(record: Record, annotation: Callable[[Annotation], Annotation], tag: Callable[[Tag], Tag]) -> Record:
    annotations = [annotation(item) for item in record.annotations]
    return replace(record, annotations=annotations, tags=tuple(tag(item) for item in record.tags))


def _kept(record: Record, keep: frozenset[str], ledger: Ledger) -> Record:
    """Without the objects whose label, that of their first ring, is not to be kept."""
    out = [(number, label) for number, label in _numbered(record) if label not in keep]
    if not out:
        return record
    for number, label in out:
        ledger.book("label-left-out", image=record.image, annotation=number, detail=label)
    ledger.seen["annotations dropped"] += len(out)
    groups = (group for group in objects(record.annotations) if group[0].label in keep)
    tags = tuple(tag for tag in record.tags if tag.label in keep)
    return replace(record, annotations=[item for group in groups for item in group], tags=tags)


def _resplit(record: Record, split: str, ledger: Ledger) -> Record:
    if record.split is not None and record.split != split:
        ledger.book("split-changed", image=record.image, detail=f"{record.split} -> {split}")
    return replace(record, split=split)
