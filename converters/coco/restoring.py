"""Hub annotations of one object to a COCO annotation.

The exact numbers of the source ride in metadata; they are used while the shape is the one they were read with, and
computed anew where it was edited. `id`, `iscrowd`, `area` and `segmentation` are always written: evaluators need them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.figures import figure_of
from ...schemas.geometry import shoelace
from ...schemas.keys import RINGS
from ...schemas.model import Annotation, Polygon, Rectangle, Tag
from ...schemas.plain import is_list, is_number
from ..carrying import as_read, mask_as_read, quiet
from ..keypoints import visibility_of
from ..shapeblocks import Number
from .attributes import write_attributes
from .notes import EXTENSION
from .objects import tidy_hull
from .segmentation import Unreadable, read_segmentation

USUAL_AREA = 1e15
"""Square pixels: numbers below it are written as they are, without a look whether they are numbers."""


class Usual(msgspec.Struct, gc=False):
    """An annotation with COCO's own keys in COCO's order."""

    segmentation: Sequence[Any]
    area: Number
    iscrowd: int
    image_id: Any
    bbox: Sequence[Number]
    category_id: Any
    id: Any


class Attributed(Usual, gc=False):
    """With attributes behind COCO's own keys."""

    attributes: dict[str, Any]


def shapes_to_coco(
    shapes: Sequence[Annotation], identities: Sequence[Any], image_id: Any, categories: Sequence[Any]
) -> Iterator[Usual | dict[str, Any]]:
    """An image's shapes that are plain (`is_plain`), each as `to_coco` has it."""
    for shape, identity, category in zip(shapes, identities, categories, strict=True):
        if isinstance(shape, Rectangle):
            rings, area, box = (), shape.bbox[2] * shape.bbox[3], shape.bbox
        elif isinstance(shape, Polygon):
            rings, area, box = [shape.xy], shoelace(shape.xy), tidy_hull([shape.xy])
        else:
            rings, area, box = (), inf, ()
        if not -USUAL_AREA < area < USUAL_AREA:
            yield to_coco((shape,), identity, image_id, category)
        elif shape.metadata:
            yield Attributed(rings, area, 0, image_id, box, category, identity, shape.metadata)
        else:
            yield Usual(rings, area, 0, image_id, box, category, identity)


def is_plain(shape: Annotation) -> bool:
    """Whether nothing is said of a shape but its label, and who made it."""
    metadata = shape.metadata
    if metadata and (len(metadata) > 1 or type(metadata.get("source")) is not str):
        return False
    return shape.confidence is None and not shape.attributes and not shape.extras


def to_coco(group: Sequence[Annotation], identity: Any, image_id: Any, category: Any) -> Usual | dict[str, Any]:
    """One object as a COCO annotation, its keys in COCO's order."""
    out: dict[str, Any]
    first = group[0]
    if len(group) == 1 and (usual := _usual(first, identity, image_id, category)) is not None:
        return usual
    metadata = first.metadata
    unchanged = "outline" not in metadata or as_read(group, metadata["outline"])
    out = {"segmentation": [], "area": None, "iscrowd": _crowd(metadata)}
    out |= {"image_id": image_id, "bbox": None, "category_id": category, "id": identity}
    if isinstance(first, Rectangle):
        out["bbox"] = first.bbox
        out["area"] = first.bbox[2] * first.bbox[3]
    known = {"outline", "coco_id", "coco_category_id", *(RINGS if len(group) > 1 else ())}
    if _is_flag(metadata.get("iscrowd")):
        known.add("iscrowd")
    turned = figure_of(first) if metadata.get("shape") == "obb" and metadata.get("rotation") else None
    if turned is not None:
        known |= {"shape", "geometry"}
        out["bbox"] = turned.geometry
        out["area"] = turned.geometry[2] * turned.geometry[3]
        unchanged = True
    elif not isinstance(first, Rectangle):
        rings = [a.xy for a in group if isinstance(a, Polygon)]
        out["segmentation"] = rings
        out["bbox"] = tidy_hull(rings)
    if metadata.get("shape") == "mask" and (mask := _mask(metadata)) is not None:
        known |= {"shape", "geometry"}
        if (unchanged and "outline" in metadata) or mask_as_read(group, metadata["geometry"]):
            out["segmentation"] = mask
            unchanged = True
    if "outline" in metadata:  # else it is not we who noted the numbers
        if is_number(metadata.get("area")):
            known.add("area")
            if unchanged:
                out["area"] = metadata["area"]
        box = _decoded(metadata, "bbox", _BOX)
        if box is not _NOTHING and turned is None:
            known.add("bbox")
            if unchanged and (box is not None or out["segmentation"] or "keypoints" in metadata):
                out["bbox"] = box
    if out["area"] is None:
        out["area"] = _area(group)
    if not is_number(out["area"]):
        message, place = "its area is more than a number can say", Place(annotation=identity)
        raise InvalidInput("not-finite", message, place=place, hint="are these coordinates meant?")
    if out["bbox"] is None:
        del out["bbox"]
    _describe(out, first, known, use_form=unchanged)
    return out


def _usual(shape: Annotation, identity: Any, image_id: Any, category: Any) -> Usual | None:
    """A box or ring of which nothing is said but ids, who made it, and the numbers it was read with, and which is as it
    was read, or never had such numbers. None for any other shape.
    """
    metadata = shape.metadata
    if not metadata.keys() <= _SAID or shape.confidence is not None or shape.attributes or shape.extras:
        return None
    if "outline" in metadata:
        area = metadata.get("area")
        if "bbox" in metadata or not is_number(area) or not as_read((shape,), metadata["outline"]):
            return None
    elif metadata.keys() <= _IDENTIFIED:
        area = None
    else:
        return None
    if isinstance(shape, Rectangle):
        x, y, w, h = shape.bbox
        area, rings, box = w * h if area is None else area, [], (x, y, w, h)
    elif isinstance(shape, Polygon):
        area, rings, box = shoelace(shape.xy) if area is None else area, [shape.xy], tidy_hull([shape.xy])
    else:
        return None
    if not is_number(area):
        return None
    source = metadata.get("source")
    if source is None:
        return Usual(rings, area, 0, image_id, box, category, identity)
    if not isinstance(source, str):
        return None
    return Attributed(rings, area, 0, image_id, box, category, identity, {"source": source})


def to_label_only(tag: Tag, identity: Any, image_id: Any, category: Any) -> dict[str, Any]:
    """An annotation without geometry: a class of the whole image."""
    out: dict[str, Any] = {"iscrowd": _crowd(tag.metadata)}
    out.update(image_id=image_id, category_id=category, id=identity)
    known = {"coco_id", "coco_category_id"}
    if _is_flag(tag.metadata.get("iscrowd")):
        known.add("iscrowd")
    if is_number(tag.metadata.get("area")):
        known.add("area")
        out["area"] = tag.metadata["area"]
    _describe(out, tag, known, use_form=True)
    return out


def _crowd(metadata: Mapping[str, Any]) -> int:
    value = metadata.get("iscrowd")
    return 1 if value and _is_flag(value) else 0


def _is_flag(value: Any) -> bool:
    """Anything else under that name is somebody else's, and stays what it is."""
    return (is_number(value) and value in (0, 1)) or isinstance(value, bool)


_IDENTIFIED = frozenset(("coco_id", "coco_category_id", "source"))
_SAID = _IDENTIFIED | {"outline", "area", "bbox"}
_NOTHING: Any = object()
_BOX = msgspec.json.Decoder(tuple[Number, Number, Number, Number] | None)
_MASK = msgspec.json.Decoder(dict[str, Any])
_TRIPLES = msgspec.json.Decoder(list[Number | None])
_EXTRA = msgspec.json.Decoder(dict[str, Any])
_OURS = frozenset(("id", "image_id", "category_id", EXTENSION))
"""Keys of an annotation that nothing that rides in metadata may set."""


def _decoded(metadata: Mapping[str, Any], key: str, decoder: msgspec.json.Decoder[Any]) -> Any:
    """What a JSON text in metadata says; `_NOTHING` where it is not there, or is somebody else's."""
    if key not in metadata:
        return _NOTHING
    try:
        return decoder.decode(metadata[key])
    except (TypeError, UnicodeError, RecursionError, msgspec.MsgspecError):
        return _NOTHING


def _mask(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """The run-length encoding that a shape was traced from; None for what is somebody else's."""
    mask = _decoded(metadata, "geometry", _MASK)
    return mask if mask is not _NOTHING and {"size", "counts"} <= mask.keys() else None


def _area(group: Sequence[Annotation]) -> float:
    """COCO's own rule: the sum of the rings' areas, less the holes."""
    total = 0.0
    for annotation in group:
        if isinstance(annotation, Polygon):
            area = shoelace(annotation.xy)
            total += -area if "hole_of" in annotation.metadata else area
    return total


def _is_form_of(noted: Any, rings: Any) -> bool:
    """Whether a noted segmentation is another form of these rings: a target that has no place for their fingerprint may
    have moved them.
    """
    try:
        read, _ = read_segmentation({"segmentation": noted}, {}, {}, (None, None), outline="none")
    except Unreadable:
        return False
    return is_list(rings) and [quiet(ring) for ring in read.rings] == [quiet(ring) for ring in rings]


def _describe(out: dict[str, Any], annotation: Annotation | Tag, known: set[str], *, use_form: bool) -> None:
    """What the annotation says beside its shape. Metadata that has no place of its own (`known` already has one) stands
    under the key `metadata`.
    """
    metadata = annotation.metadata
    if annotation.confidence is not None:
        out["score"] = annotation.confidence
    keypoints = _decoded(metadata, "keypoints", _TRIPLES)
    if keypoints is not _NOTHING and len(keypoints) % 3 == 0 and None not in (*keypoints[::3], *keypoints[1::3]):
        known.add("keypoints")
        if metadata.get("shape") == "keypoints" and isinstance(annotation, Rectangle):
            known.add("shape")
        keypoints[2::3] = map(visibility_of, keypoints[::3], keypoints[1::3], keypoints[2::3])
        out["keypoints"] = keypoints
        out["num_keypoints"] = sum(v > 0 for v in keypoints[2::3])
    write_attributes(out, annotation, known)
    extra: dict[str, Any] = _decoded(metadata, "coco_extra", _EXTRA)
    if extra is not _NOTHING and not extra.keys() & _OURS:
        known.add("coco_extra")
    else:
        extra = {}
    others = {key: value for key, value in metadata.items() if key not in known}
    if others:
        out["metadata"] = others
    if not use_form:
        extra.pop("area", None)
    if "segmentation" in extra and not (use_form and _is_form_of(extra["segmentation"], out.get("segmentation", []))):
        del extra["segmentation"]
    out.update(extra)
    if annotation.extras:
        out[EXTENSION] = annotation.extras
