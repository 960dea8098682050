"""From a VOC data set on disk to the hub: what there is, and what is said of all of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Category
from ..format import Context, Reading
from ..ledger import Ledger
from .convention import to_read
from .imagesets import MAIN, Lists, assign, in_order, read_lists
from .labelmap import LabelMap, read_label_map
from .layout import Entry, Layout, Pictures, Root, find, place_of
from .notes import SetNotes, as_facts, notes_of
from .records import Records
from .segmentation import report_masks
from .survey import Survey, look

if TYPE_CHECKING:
    from . import Options


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    """The data set at `path`. What is wrong with it as a whole is said now, with a file when it is read."""
    ledger.file = str(path)
    label_map = read_label_map(place_of(path), ledger)
    layout = find(path, _noted(label_map) if path.is_dir() else None)
    entries: list[Entry] = []
    lists: dict[Root, Lists] = {}
    for root in layout.roots:
        own = [entry for entry in layout.entries if entry.root is root]
        if path.is_dir():
            lists[root] = read_lists(root, [entry.id for entry in own], layout.notes.unsplit)
            own = assign(own, root, lists[root], ledger)
            report_masks(root, ledger)
        entries += own
    if not entries and label_map.facts is None and not any(found.rows for found in lists.values()):
        hint = "is it the right folder? Annotation files end in .xml"
        raise InvalidInput("no-annotations", "no annotation files here", place=Place(file=str(path)), hint=hint)
    pictures = Pictures()
    survey = look(entries, pictures, context, ledger)
    noted = label_map.facts.convention if label_map.facts is not None else None
    convention = to_read(options.convention, noted, survey.evidence, str(path), ledger)
    notes = _set_notes(layout, lists, convention)
    catalog = _catalog(label_map, survey, entries, notes, lists, context, ledger)
    reader = Records(entries, survey, pictures, lists, int(convention == "devkit"), options, context)
    return Reading(
        catalog=catalog,
        records=reader.records,
        blocks_for=reader.blocks_for,
        images=len(entries),
        before=lambda start: sum(survey.objects[:start]),
    )


def _noted(label_map: LabelMap) -> SetNotes | None:
    if label_map.facts is None:
        return None
    return notes_of(Catalog(extras={"voc": label_map.facts.voc}))


def _set_notes(layout: Layout, lists: dict[Root, Lists], convention: Any) -> SetNotes:
    """Lists that nothing else tells: empty ones, and those of classes that only say what objects say."""
    empty: set[str] = set()
    flags: set[str] = set()
    for found in lists.values():
        flags.update(name for by_split in found.flags.values() for name in by_split)
        empty.update(name for name, rows in found.rows.items() if not rows)
    used = {name.rpartition("/")[2] for found in lists.values() for name, rows in found.rows.items() if rows}
    splits = {name for found in lists.values() for name in found.splits if name.rpartition("/")[2] not in used}
    empty -= {name for name in splits if name.startswith(f"{MAIN}/")}  # a split says by itself that it has a list
    return msgspec.structs.replace(
        layout.notes, convention=convention, lists=tuple(sorted(empty)), flags=tuple(sorted(flags))
    )


def _catalog(
    label_map: LabelMap,
    survey: Survey,
    entries: list[Entry],
    notes: SetNotes,
    lists: dict[Root, Lists],
    context: Context,
    ledger: Ledger,
) -> Catalog:
    known = dict.fromkeys(label.name for label in label_map.labels)
    listed = [name for name in dict.fromkeys(context.labels or ()) if name not in known]
    others = sorted(survey.labels - known.keys() - set(listed))
    if not known:
        ledger.decide("labels", f"labels are numbered {'as listed in --labels' if listed else 'in A-Z order'}")
    labels = (*label_map.labels, *(Category(name) for name in (*listed, *others)))
    facts = label_map.facts
    splits = {entry.split for entry in entries if entry.split is not None}
    for found in lists.values():
        empty = (name for name in found.splits if name.startswith(f"{MAIN}/") and not found.rows[name])
        splits.update(name.rpartition("/")[2] for name in empty)
    order = [split for split in facts.splits if split in splits] if facts is not None else []
    return Catalog(
        labels=labels,
        splits=(*order, *(split for split in in_order(splits) if split not in order)),
        split_in_name=survey.fronted or (facts is not None and facts.split_in_name),
        extras={**(facts.extras if facts is not None else {}), "voc": as_facts(notes)},
    )
