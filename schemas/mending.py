"""Safe mends: what can be put right without guessing, each one told.

`mend_record` mends the meaning of an image, `mend_plain` the form of a file that cannot be read yet. A mend's code is
`mended-` and the code of the problem it takes away. What is not certain is left, and stays a problem: numbers that are
not finite, lines and points outside the image, outlines that cross themselves, rings that others are holes of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from msgspec.structs import replace

from .errors import Place, printable
from .geometry import clip_box, clip_ring, self_crossing, wholly_open
from .jsontext import as_list, as_object
from .mending_json import mend_plain
from .model import Annotation, Coordinates, Line, Metadata, Polygon, Record, Rectangle, Tag, Value
from .problems import Problem
from .shapes import coordinates_of, extent, fewest_points, has_area, identity, is_finite, juts_out
from .wording import good_key, is_good_key

__all__ = ["mend_plain", "mend_record"]


def mend_record(record: Record, coordinates: Coordinates) -> tuple[Record, list[Problem]]:
    """The record mended, and a notice for each mend. Places name the annotation by its number before mending."""
    mends: list[Problem] = []
    tags: list[Tag] = []
    for tag in record.tags:
        mender = _Mender(Place(image=record.image), mends)
        tags.append(mender.facts(tag))
    width, height = extent(record, coordinates)
    hosts = {_ring(a, "hole_of") for a in record.annotations if "hole_of" in a.metadata}
    seen: set[bytes] = set()
    kept: list[Annotation] = []
    for number, annotation in enumerate(record.annotations):
        mender = _Mender(Place(image=record.image, annotation=number + 1), mends)
        mended = mender.shape(mender.facts(annotation), width, height, coordinates)
        if mended is not None and identity(mended) in seen:
            mender.tell("duplicate-annotation", "an annotation that stood twice was left out once")
            continue
        if mended is None and _ring(annotation, "part") in hosts:
            mended = annotation
            mender.forget()
        if mended is not None:
            seen.add(identity(mended))
            kept.append(mended)
    if not mends:
        return record, []
    return replace(record, annotations=kept, tags=tuple(tags)), mends


class _Mender:
    """Mends one annotation or tag, and tells of it."""

    def __init__(self, place: Place, mends: list[Problem]) -> None:
        self._place = place
        self._mends = mends
        self._before = len(mends)

    def tell(self, code: str, message: str) -> None:
        self._mends.append(Problem(code=f"mended-{code}", severity="notice", message=message, place=self._place))

    def forget(self) -> None:
        """What was mended is not kept after all."""
        del self._mends[self._before :]

    def facts(self, item: Any) -> Any:
        """Label, metadata and attributes of an annotation or a tag."""
        label: str = item.label
        stripped = label.strip()
        if stripped and stripped != label:
            self.tell("label-blanks", f'label "{printable(label)}" -> "{printable(stripped)}"')
            item = replace(item, label=stripped)
        metadata = self._metadata(item.metadata)
        if metadata is not item.metadata:
            item = replace(item, metadata=metadata)
        before: dict[str, tuple[Value, ...]] = item.attributes
        attributes = {name: tuple(map(self._value, values)) for name, values in before.items()}
        return replace(item, attributes=attributes) if attributes != before else item

    def shape(self, annotation: Annotation, width: float, height: float, coordinates: Coordinates) -> Annotation | None:
        """The annotation with its shape mended, or None where nothing that can be used is left of it."""
        values = coordinates_of(annotation)
        if len(values) % 2 or not all(map(is_finite, values)):
            return annotation
        mended = self._box(annotation) if isinstance(annotation, Rectangle) else self._points(annotation)
        if mended is None or isinstance(mended, Line) or not juts_out(mended, width, height):
            return mended
        return self._clipped(mended, width, height, "out-of-range" if coordinates == "normalized" else "outside-image")

    def _box(self, annotation: Rectangle) -> Rectangle | None:
        x, y, w, h = annotation.bbox
        left, top, wide, high = min(x, x + w), min(y, y + h), abs(w), abs(h)
        if not (is_finite(left) and is_finite(top)):
            return annotation
        if not (w and h):
            self.tell("not-positive", f"a box {w} wide and {h} high was left out")
            return None
        if w < 0 or h < 0:
            mended = replace(annotation, bbox=(left, top, wide, high))
            self.tell("not-positive", f"bbox {list(annotation.bbox)} -> {list(mended.bbox)}")
            return mended
        return annotation

    def _points(self, annotation: Annotation) -> Annotation | None:
        values = tuple(coordinates_of(annotation))
        is_ring = isinstance(annotation, Polygon)
        ring = wholly_open(values) if is_ring else values
        fewest = fewest_points(annotation)
        if len(ring) < 2 * fewest:
            self.tell("too-few-points", f"a shape of {len(ring) // 2} points was left out; it needs {fewest}")
            return None
        if not is_ring:
            return annotation
        if not has_area(ring):
            self.tell("degenerate", "a polygon whose points all lie on one line was left out")
            return None
        if len(ring) != len(values):
            self.tell("closing-point", f"{len(values) // 2} points -> {len(ring) // 2}: the repeated last one left out")
            return replace(annotation, xy=ring)
        return annotation

    def _clipped(self, annotation: Annotation, width: float, height: float, code: str) -> Annotation | None:
        if isinstance(annotation, Rectangle):
            box = clip_box(annotation.bbox, width, height)
            if box is None:
                self.tell(code, "a box that lies wholly outside the image was left out")
                return None
            self.tell(code, f"bbox {list(annotation.bbox)} -> {list(box)}, clipped to the image")
            return replace(annotation, bbox=box)
        if not isinstance(annotation, Polygon) or self_crossing(annotation.xy):
            return annotation
        ring = wholly_open(clip_ring(annotation.xy, width, height))
        if len(ring) < 2 * fewest_points(annotation) or not has_area(ring):
            self.tell(code, "a polygon that lies wholly outside the image was left out")
            return None
        self.tell(code, f"a polygon of {len(annotation.xy) // 2} points -> {len(ring) // 2}, clipped to the image")
        return replace(annotation, xy=ring)

    def _value(self, value: Value) -> Value:
        if not value.metadata:
            return value
        metadata = self._metadata(value.metadata)
        return replace(value, metadata=metadata) if metadata is not value.metadata else value

    def _metadata(self, metadata: Metadata) -> Metadata:
        """The same map where all its keys, at any depth, are good; else a mended copy."""
        bad = [key for key in _keys(metadata) if not is_good_key(key)]
        if not bad:
            return metadata
        for key in bad:
            self.tell("metadata-key", f'metadata key "{printable(key)}" -> "{printable(good_key(key))}"')
        return _renamed(metadata)


def _ring(annotation: Annotation, key: str) -> tuple[str, str]:
    """A ring of an instance, named by its `part` or by a `hole_of`."""
    return repr(annotation.metadata.get("instance")), repr(annotation.metadata.get(key))


def _keys(value: Any) -> Iterable[str]:
    if (members := as_object(value)) is not None:
        for key, inner in members.items():
            yield key
            yield from _keys(inner)
    for item in as_list(value) or ():
        yield from _keys(item)


def _renamed(value: Any) -> Any:
    if (items := as_list(value)) is not None:
        return [_renamed(item) for item in items]
    members = as_object(value)
    if members is None:
        return value
    taken = {key for key in members if is_good_key(key)}
    out: dict[str, Any] = {}
    for key, inner in members.items():
        name = key if key in taken else _free(good_key(key), taken)
        taken.add(name)
        out[name] = _renamed(inner)
    return out


def _free(name: str, taken: Collection[str]) -> str:
    """`name`, or `name_2`, `name_3` ... where it is taken."""
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    return free
