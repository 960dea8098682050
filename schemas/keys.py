"""Every metadata key that annolake writes or understands, with its reason.

Metadata keys hold no `.` and do not start with `$` (the service keeps them in MongoDB); values are strings, numbers
or booleans; a structure rides as JSON text. A key either changes what an annotation means (kept by `--carry lean`,
and its loss is a loss), restores the source's own form (kept by `--carry full`; where it cannot ride, the annotation
is approximated), or is book-keeping (numbers that any reader can give anew: their absence is said, not refused).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Purpose = Literal["meaning", "form", "bookkeeping"]


class Key(msgspec.Struct, frozen=True):
    name: str
    type: str
    purpose: Purpose
    reason: str


TABLE = (
    Key("iscrowd", "boolean", "meaning", "COCO: the region covers many objects, not one"),
    Key("occluded", "boolean", "meaning", "partly hidden behind something (CVAT, VOC)"),
    Key("truncated", "boolean", "meaning", "reaches beyond the picture (VOC)"),
    Key("difficult", "boolean", "meaning", "hard to recognise, evaluators skip it (VOC)"),
    Key("outside", "boolean", "meaning", "a track's object is not visible (CVAT)"),
    Key("pose", "string", "meaning", "view of the object (VOC)"),
    Key("rotation", "number", "meaning", "degrees clockwise about the centre (CVAT, COCO attributes)"),
    Key("instance", "string", "meaning", "the same on all rings that are one object"),
    Key("part", "integer", "meaning", "1-based number of this ring among the object's rings"),
    Key("parts", "integer", "meaning", "number of rings of the object"),
    Key("hole_of", "integer", "meaning", "number of the ring this ring is a hole of"),
    Key("part_of", "string", "meaning", "label of the object this is a part of (VOC)"),
    Key("voc_object", "integer", "meaning", "the same on an object and its parts (VOC): parts go home below it"),
    Key("group", "integer", "meaning", "objects that belong together (CVAT group_id)"),
    Key("z_order", "integer", "meaning", "drawing order, larger is in front (CVAT)"),
    Key("track_id", "integer or string", "meaning", "the same object through a video"),
    Key("frame", "integer", "meaning", "number of the video frame"),
    Key("keyframe", "boolean", "meaning", "set by a person, not computed (CVAT)"),
    Key("computed", "boolean", "bookkeeping", "filled in between the key frames of a track: no file had it (CVAT)"),
    Key("keypoints", "JSON text", "meaning", "flat [x, y, v, ...] of a COCO or YOLO pose object"),
    Key("shape", "string", "form", "what the annotation was: mask, keypoints, ellipse, cuboid, skeleton, obb"),
    Key("geometry", "JSON text", "form", "the original numbers of that shape"),
    Key("source", "string", "bookkeeping", "who made it: manual, auto, file (CVAT)"),
    Key("area", "number", "bookkeeping", "COCO area as the file had it"),
    Key("bbox", "JSON text", "bookkeeping", "COCO bbox of the file (or null), where it is not the outline's hull"),
    Key("outline", "integer", "bookkeeping", "CRC-32 of the coordinates: area, bbox and geometry still hold"),
    Key("coco_id", "integer or string", "bookkeeping", "COCO annotation id"),
    Key("coco_category_id", "integer or string", "bookkeeping", "COCO category where the label alone is ambiguous"),
    Key("coco_extra", "JSON text", "form", "keys of a COCO annotation that no rule knows"),
    Key("voc_extra", "JSON text", "form", "elements of a VOC object that no rule knows, or in another form"),
    Key(
        "voc_outline",
        "JSON text",
        "bookkeeping",
        "outline of a VOC object as it stood: a rotated box, a closed polygon",
    ),
    Key("cvat_extra", "JSON text", "form", "facts of a CVAT shape that no rule knows, or in another form"),
)

BY_NAME = {key.name: key for key in TABLE}
MEANING = frozenset(key.name for key in TABLE if key.purpose == "meaning")
BOOKKEEPING = frozenset(key.name for key in TABLE if key.purpose == "bookkeeping")
IMAGE_BOOKKEEPING = {
    "coco": frozenset(("license", "flickr_url", "coco_url", "date_captured", "file_name")),
    "voc": frozenset(
        ("folder", "filename", "path", "source", "owner", "size", "depth", "segmented", "occluded", "file", "sets")
    ),
    "cvat": frozenset(("id", "task_id")),
}
"""Facts of an image that formats keep under their own name in its extras: where it comes from, how it is called there.
A target without a place for them loses nothing that matters."""
RINGS = frozenset(("instance", "part", "parts", "hole_of"))
"""Keys that tie rings to one object: a shape that is whole again no longer has them."""
