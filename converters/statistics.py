"""Counts of a data set: what `annolake stats` shows, in one pass over the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..schemas.model import Annotation, Line, Points, Polygon, Record, Rectangle, as_key, objects
from .files import no_gc
from .format import Context, Options
from .ledger import Ledger
from .opening import Progress, find_format, open_source, sized, streamed


def statistics(
    path: str | Path,
    format_name: str | None = None,
    *,
    context: Context | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Counts of the data set at `path`, in the form of `annolake stats --json`.

    Always there: `format`, `coordinates`, `images`, `annotations`, `by_type` (four entries), `by_label` (most frequent
    first), `labels_declared`, `images_without_annotations` (nor tags), `images_with_size`, `splits`. Only where
    above zero, each a number of objects: `masks`, `crowds`, `multi_part`, `keypoints`, `rotated`, `with_confidence`,
    `with_attributes`; and `holes` (rings), `tracks` (different ones), `tags` with `tags_by_label`, `parts` (of other
    objects), `computed`, `problems` (warnings of the reader).

    An annotation is an object, however many rings it has, and has the type of its first; tags, parts of objects and
    what was computed between the key frames of a track are not among them. InvalidInput if the source is broken,
    UsageError if there is none.
    """
    source, context = Path(path), context or Context()
    reader = find_format(source, format_name)
    ledger, tally = Ledger(), _Tally()
    with no_gc():
        reading = open_source(source, reader.name, ledger, context, options)
        tally.splits.update(dict.fromkeys(reading.catalog.splits, 0))
        for record in streamed(reading, ledger, progress):
            tally.add(sized(record, context))
    catalog = reading.catalog
    return {
        "format": reader.name,
        "coordinates": catalog.coordinates,
        "labels_declared": len(catalog.names()),
        **tally.result(),
        **({"problems": len(ledger.problems)} if ledger.problems else {}),
    }


_WORDS = {Rectangle: "rectangle", Polygon: "polygon", Line: "line", Points: "points"}
_OWN_ENTRIES = (
    "masks",
    "crowds",
    "multi_part",
    "holes",
    "keypoints",
    "rotated",
    "with_confidence",
    "with_attributes",
    "parts",
    "computed",
    "tags",
)


class _Tally:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.types: Counter[type] = Counter()
        self.labels: Counter[str] = Counter()
        self.tag_labels: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.tracks: set[Any] = set()

    def add(self, record: Record) -> None:
        counts = self.counts
        counts["images"] += 1
        if not record.annotations and not record.tags:
            counts["images_without_annotations"] += 1
        if record.width and record.height:
            counts["images_with_size"] += 1
        if record.split is not None:
            self.splits[record.split] += 1
        for tag in record.tags:
            counts["tags"] += 1
            self.tag_labels[tag.label] += 1
        for group in objects(record.annotations):
            self._add_object(group)

    def _add_object(self, group: Sequence[Annotation]) -> None:
        first, counts = group[0], self.counts
        own_entry = _own_entry(first.metadata)
        if own_entry is not None:
            counts[own_entry] += 1
            return
        counts["annotations"] += 1
        self.types[type(first)] += 1
        self.labels[first.label] += 1
        if first.confidence is not None:
            counts["with_confidence"] += 1
        if first.attributes:
            counts["with_attributes"] += 1
        holes = sum("hole_of" in annotation.metadata for annotation in group) if len(group) > 1 else 0
        counts["holes"] += holes
        if len(group) - holes > 1:
            counts["multi_part"] += 1
        self._add_metadata(first.metadata)

    def _add_metadata(self, metadata: Mapping[str, Any]) -> None:
        counts, shape = self.counts, metadata.get("shape")
        if shape == "mask":
            counts["masks"] += 1
        if metadata.get("iscrowd"):
            counts["crowds"] += 1
        if "keypoints" in metadata:
            counts["keypoints"] += 1
        if metadata.get("rotation") or shape == "obb":
            counts["rotated"] += 1
        if (track := metadata.get("track_id", metadata.get("yolo_track"))) is not None:
            self.tracks.add(as_key(track))

    def result(self) -> dict[str, Any]:
        counts = self.counts
        out: dict[str, Any] = {name: counts[name] for name in ("images", "annotations")}
        out["by_type"] = {word: self.types[kind] for kind, word in _WORDS.items()}
        out["by_label"] = _ranked(self.labels)
        out.update({name: counts[name] for name in ("images_without_annotations", "images_with_size")})
        out["splits"] = dict(self.splits)
        out.update({name: counts[name] for name in _OWN_ENTRIES if counts[name]})
        if self.tag_labels:
            out["tags_by_label"] = _ranked(self.tag_labels)
        if self.tracks:
            out["tracks"] = len(self.tracks)
        return out


def _own_entry(metadata: Mapping[str, Any]) -> str | None:
    """What is no annotation of its own: a part of an object, what was computed between the key frames of a track."""
    if "part_of" in metadata:
        return "parts"
    return "computed" if metadata.get("computed") is True else None


def _ranked(labels: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(labels.items(), key=lambda item: (-item[1], item[0])))
