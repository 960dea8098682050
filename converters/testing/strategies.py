"""Data sets for property tests, awkward on purpose. The only place of the library that imports hypothesis.

Coordinates are eighths of a pixel inside the image, boxes at least four pixels wide, rings simple; in a normalized data
set the same, divided by the image's size and rounded to nine decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from ...schemas.model import (
    Annotation,
    Catalog,
    Category,
    Coordinates,
    Line,
    Points,
    Polygon,
    Record,
    Rectangle,
    Tag,
    Value,
)
from ..coordinates import in_space
from ..fidelity import Fidelity

Box = tuple[float, float, float, float]

EVERYTHING = Fidelity(
    shapes=frozenset(("rectangle", "polygon", "line", "points")),
    multi_part=True,
    holes="rings",
    crowd=True,
    keypoints=True,
    tags=True,
    confidence=True,
    attributes=True,
    metadata=True,
    image_size=True,
    image_facts=True,
    ids=True,
    splits=True,
    coordinates=("pixels", "normalized"),
)
"""All that the hub can hold."""

LABELS = ("person", "traffic light", "Fußgänger", "a.b", "車", "label/with/slash", "7", "person 2")
SPLITS = ("train", "val", "test")
_FOLDERS = ("", "train/", "Straße 1/", "a.b/c d/")
_STEMS = ("0001", "image one", "übung", "v1.2.final", "写真", "IMG_0001 (2)")
_SUFFIXES = (".jpg", ".png", ".JPEG")


def names(*, fewest: int = 0, unique_stems: bool = False) -> st.SearchStrategy[list[str]]:
    """Names of different images: the same base name in two folders, the same stem twice unless `unique_stems`."""
    name = st.builds("{}{}{}".format, *map(st.sampled_from, (_FOLDERS, _STEMS, _SUFFIXES)))
    key = _stem if unique_stems else str.lower
    return st.lists(name, min_size=fewest, max_size=4, unique_by=key)


@st.composite
def catalogs(draw: st.DrawFn, fidelity: Fidelity = EVERYTHING) -> Catalog:
    """One to four labels, some of which no annotation uses; ids with gaps where the format has ids."""
    chosen = draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=4, unique=True))
    ids: list[int | None] = [None] * len(chosen)
    if fidelity.ids:
        ids = list(draw(st.lists(st.integers(0, 2**40), min_size=len(chosen), max_size=len(chosen), unique=True)))
    return Catalog(
        labels=tuple(Category(name, identity) for name, identity in zip(chosen, ids, strict=True)),
        coordinates=draw(st.sampled_from(fidelity.coordinates)),
        splits=SPLITS if fidelity.splits else (),
    )


@st.composite
def records(
    draw: st.DrawFn,
    image: str = "image.jpg",
    labels: Sequence[str] = LABELS,
    coordinates: Coordinates = "pixels",
    fidelity: Fidelity = EVERYTHING,
) -> Record:
    """One image with up to five objects, and tags, as far as `fidelity` holds them. Its size is always known."""
    width, height = draw(st.integers(8, 4000)), draw(st.integers(8, 4000))
    fewest = 0 if fidelity.empty_images else 1
    count = draw(st.integers(fewest, 5))
    annotations: list[Annotation] = []
    for number in range(count):
        annotations += draw(_objects(number, (width, height), labels, fidelity))
    facts: dict[str, Any] = {}
    if fidelity.splits:
        facts["split"] = draw(st.sampled_from(SPLITS))
    if fidelity.tags:
        common = _descriptions(labels, fidelity)
        facts["tags"] = tuple(Tag(**fields) for fields in draw(st.lists(common, max_size=2)))
    record = Record(image=image, width=width, height=height, annotations=annotations, **facts)
    return _rounded(in_space(record, "pixels", coordinates), coordinates)


@st.composite
def datasets(draw: st.DrawFn, fidelity: Fidelity = EVERYTHING, *, fewest: int = 0) -> tuple[Catalog, list[Record]]:
    """A catalogue and up to four records that a format of this fidelity holds without a loss."""
    catalog = draw(catalogs(fidelity))
    labels = catalog.names()
    out: list[Record] = []
    for number, image in enumerate(draw(names(fewest=fewest, unique_stems=fidelity.unique_stems)), 1):
        record = draw(records(image, labels, catalog.coordinates, fidelity))
        out.append(replace(record, id=number * 1000) if fidelity.ids else record)
    return catalog, out


def _stem(name: str) -> str:
    return name.rpartition(".")[0].lower()


@st.composite
def _objects(
    draw: st.DrawFn, number: int, size: tuple[int, int], labels: Sequence[str], fidelity: Fidelity
) -> list[Annotation]:
    """All annotations of one object."""
    box = draw(_boxes(*size))
    fields = draw(_descriptions(labels, fidelity))
    kind = draw(st.sampled_from(_kinds(fidelity)))
    if kind == "rectangle":
        if fidelity.keypoints and draw(st.booleans()):
            fields["metadata"] |= {"keypoints": draw(_keypoints(box)), "shape": "keypoints"}
        return [Rectangle(bbox=box, **fields)]
    if kind in ("line", "points"):
        xy = draw(_scattered(box))
        return [Line(xy=xy, **fields) if kind == "line" else Points(xy=xy, **fields)]
    if fidelity.crowd and draw(st.booleans()):
        fields["metadata"]["iscrowd"] = True
    rings = [draw(_rings(box))]
    if kind == "parts":
        rings.append(draw(_rings(draw(_boxes(*size)))))
    if kind == "hole":
        rings.append(draw(_rings(_middle(box), straight=True)))
    if len(rings) == 1:
        return [Polygon(xy=rings[0], **fields)]
    out: list[Annotation] = []
    for part, xy in enumerate(rings, 1):
        tie: dict[str, Any] = {"instance": f"object {number}", "part": part, "parts": len(rings)}
        if kind == "hole" and part == 2:
            tie["hole_of"] = 1
        out.append(Polygon(xy=xy, **{**fields, "metadata": fields["metadata"] | tie}))
    return out


def _kinds(fidelity: Fidelity) -> list[str]:
    kinds = sorted(fidelity.shapes)
    if "polygon" in kinds and fidelity.multi_part:
        kinds += ["parts", "hole"] if fidelity.holes == "rings" else ["parts"]
    return kinds


@st.composite
def _descriptions(draw: st.DrawFn, labels: Sequence[str], fidelity: Fidelity) -> dict[str, Any]:
    """What an annotation says beside its shape."""
    fields: dict[str, Any] = {"label": draw(st.sampled_from(labels)), "metadata": {}}
    if fidelity.confidence:
        fields["confidence"] = draw(st.none() | st.integers(0, 1000).map(lambda n: n / 1000))
    if fidelity.attributes:
        fields["attributes"] = draw(_ATTRIBUTES)
    if fidelity.metadata is True:
        fields["metadata"] |= draw(st.dictionaries(_WORDS, _FACTS, max_size=2)) | draw(_FLAGS)
    return fields


_WORDS = st.sampled_from(("colour", "Größe", "night shot", "x-y", "weather"))
_TEXTS = st.sampled_from(("red", "", "süß", "a, b; c", '"quoted"', "null", "0"))
_FACTS = _TEXTS | st.booleans() | st.integers(-(2**53), 2**53) | st.integers(-999, 999).map(lambda n: n / 8)
_VALUES = st.builds(
    Value,
    _TEXTS,
    st.none() | st.integers(0, 100).map(lambda n: n / 100),
    st.none() | st.dictionaries(st.sampled_from(("by", "Jahr")), _TEXTS, min_size=1),
)
_ATTRIBUTES = st.dictionaries(_WORDS, st.lists(_VALUES, min_size=1, max_size=2).map(tuple), max_size=2)
_FLAGS = st.fixed_dictionaries(
    {}, optional={"occluded": st.just(True), "group": st.integers(1, 9), "rotation": st.integers(0, 359)}
)


@st.composite
def _boxes(draw: st.DrawFn, width: int, height: int) -> Box:
    """Corners on quarters of a pixel, sides of whole pixels, so that halves and quarters of them are exact."""
    x, y = draw(st.integers(0, 4 * (width - 4))), draw(st.integers(0, 4 * (height - 4)))
    w, h = draw(st.integers(4, width - (x + 3) // 4)), draw(st.integers(4, height - (y + 3) // 4))
    return x / 4, y / 4, float(w), float(h)


@st.composite
def _rings(draw: st.DrawFn, box: Box, *, straight: bool = False) -> list[float]:
    """A box whose sides may be pulled in at the middle by a quarter, from any corner, either way round."""
    x, y, w, h = box
    bent: list[tuple[float, float]] = [(x + w / 2, y + h / 4), (x + w - w / 4, y + h / 2)]
    bent += [(x + w / 2, y + h - h / 4), (x + w / 4, y + h / 2)]
    points: list[tuple[float, float]] = []
    for corner, middle in zip(((x, y), (x + w, y), (x + w, y + h), (x, y + h)), bent, strict=True):
        points.append(corner)
        if not straight and draw(st.booleans()):
            points.append(middle)
    at = draw(st.integers(0, len(points) - 1))
    points = points[at:] + points[:at]
    if draw(st.booleans()):
        points.reverse()
    return [value for point in points for value in point]


def _middle(box: Box) -> Box:
    """A box that lies inside every ring of the box."""
    x, y, w, h = box
    return x + 3 * w / 8, y + 3 * h / 8, w / 4, h / 4


@st.composite
def _scattered(draw: st.DrawFn, box: Box) -> list[float]:
    x, y, w, h = box
    steps = draw(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=2, max_size=5, unique=True))
    return [value for i, j in steps for value in (x + w * i / 8, y + h * j / 8)]


@st.composite
def _keypoints(draw: st.DrawFn, box: Box) -> str:
    """Flat triples as JSON text; a point that is not labelled stands at 0, 0."""
    xy = draw(_scattered(box))
    triples: list[str] = []
    for start in range(0, len(xy), 2):
        v = draw(st.integers(0, 2))
        triples.append(f"{xy[start]},{xy[start + 1]},{v}" if v else "0,0,0")
    return f"[{','.join(triples)}]"


def _rounded(record: Record, coordinates: Coordinates) -> Record:
    if coordinates == "pixels":
        return record
    shapes: list[Annotation] = []
    for shape in record.annotations:
        if isinstance(shape, Rectangle):
            x, y, w, h = (round(value, 9) for value in shape.bbox)
            shapes.append(replace(shape, bbox=(x, y, w, h)))
        else:
            shapes.append(replace(shape, xy=[round(value, 9) for value in shape.xy]))
    return replace(record, annotations=shapes)
