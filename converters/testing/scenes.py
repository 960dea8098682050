"""Data sets for property tests that hold what the hub holds by way of metadata only: masks with their runs, rotated
boxes, ellipses, cuboids, skeletons, tracks. As `strategies`, awkward on purpose, and for the tests of whole journeys.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from ...schemas.figures import Figure
from ...schemas.geometry import hull
from ...schemas.masks import compressed, encode, rings
from ...schemas.model import Annotation, Catalog, Polygon, Record, Rectangle
from ..coordinates import in_space
from .strategies import EVERYTHING, datasets

_HARD = replace(EVERYTHING, unique_stems=True)
_NAMES = ("figures (1).png", "Größe/figures.v2.jpg")


@st.composite
def scenes(draw: st.DrawFn, *, skeletons: bool = True) -> tuple[Catalog, list[Record]]:
    """A data set of `strategies.datasets`, and an image of figures and masks; boxes of a track on all images."""
    catalog, known = draw(datasets(_HARD))
    labels = catalog.names()
    width, height = draw(st.integers(24, 90)), draw(st.integers(24, 90))
    shapes: list[Annotation] = []
    for number in range(draw(st.integers(0, 3))):
        label = draw(st.sampled_from(labels))
        size = width, height
        kinds = _figures(label, size) | _masks(label, size, f"mask {number}")
        shapes += draw(kinds | _skeletons(label, size) if skeletons else kinds)
    split = known[0].split if known else "val"
    image = draw(st.sampled_from(_NAMES))
    extra = Record(image=image, width=width, height=height, annotations=shapes, split=split, id=1)
    known.append(in_space(extra, "pixels", catalog.coordinates))
    if catalog.coordinates == "pixels" and draw(st.booleans()):
        known = _tracked(known, draw(st.sampled_from(labels)))
    return catalog, known


@st.composite
def _figures(draw: st.DrawFn, label: str, size: tuple[int, int]) -> list[Annotation]:
    """A figure whose outline lies inside the image, by its own numbers: hundredths, as CVAT writes them."""
    width, height = size
    half = min(size) / 4
    cx, cy = width / 2, height / 2
    rx, ry = (draw(st.integers(200, int(half * 100))) / 100 for _ in range(2))
    angle = draw(st.sampled_from((0, 30, 45.5, 90, 300.25)))
    kind = draw(st.sampled_from(("obb", "ellipse", "cuboid")))
    figure = Figure("obb", (cx - rx, cy - ry, 2 * rx, 2 * ry), angle)
    if kind == "ellipse":
        figure = Figure("ellipse", (cx, cy, rx, ry), angle)
    if kind == "cuboid":
        left, top, right, bottom = cx - rx, cy - ry, cx + rx, cy + ry
        front = (left, top, left, bottom, cx, top + 1, cx, bottom + 1)
        figure = Figure("cuboid", (*front, right, top, right, bottom, cx, top - 1, cx, bottom - 1))
    return [Polygon(xy=figure.outline(), label=label, metadata=figure.metadata())]


@st.composite
def _skeletons(draw: st.DrawFn, label: str, size: tuple[int, int]) -> list[Annotation]:
    """A box around its visible points, the elements beside it as CVAT has them, and as key points."""
    elements: list[dict[str, Any]] = []
    flat: list[float] = []
    seen: list[float] = []
    for number in range(draw(st.integers(2, 4))):
        x, y = (draw(st.integers(100, side * 100 - 100)) / 100 for side in size)
        state = draw(st.sampled_from((0, 1, 2))) if number > 1 else 2
        element: dict[str, Any] = {"label": f"joint {number}", "type": "points", "points": [x, y]}
        elements.append(element | ({}, {"occluded": True}, {"outside": True})[0 if state == 2 else 1 if state else 2])
        flat += (x, y, state) if state else (0, 0, 0)
        seen += (x, y) if state else ()
    left, top, w, h = hull(seen)
    metadata = {"shape": "skeleton", "keypoints": json.dumps(flat), "geometry": json.dumps(elements)}
    return [Rectangle(bbox=(left, top, w, h), label=label, metadata=metadata)] if w and h else []


@st.composite
def _masks(draw: st.DrawFn, label: str, size: tuple[int, int], instance: str) -> list[Annotation]:
    """Some rectangles of pixels, one of them perhaps cut out again: one object, whatever its rings are."""
    import numpy as np

    width, height = size
    mask = np.zeros((height, width), dtype=bool)
    for _ in range(draw(st.integers(1, 2))):
        x, y = draw(st.integers(0, width - 9)), draw(st.integers(0, height - 9))
        mask[y : y + draw(st.integers(3, 9)), x : x + draw(st.integers(3, 9))] = True
        if draw(st.booleans()):
            mask[y + 1, x + 1] = False
    rle = encode(mask)
    metadata: dict[str, Any] = {"shape": "mask", "geometry": _as_text(compressed(rle), size)}
    if draw(st.booleans()):
        metadata["iscrowd"] = True
    outlines = rings(rle)
    if len(outlines) == 1:
        return [Polygon(xy=outlines[0].xy, label=label, metadata=metadata)]
    out: list[Annotation] = []
    for part, ring in enumerate(outlines, 1):
        tie: dict[str, Any] = {"instance": instance, "part": part, "parts": len(outlines)}
        tie |= metadata if part == 1 else {key: True for key in ("iscrowd",) if key in metadata}
        tie |= {} if ring.hole_of is None else {"hole_of": ring.hole_of + 1}
        out.append(Polygon(xy=ring.xy, label=label, metadata=tie))
    return out


def _as_text(counts: str, size: tuple[int, int]) -> str:
    return json.dumps({"size": [size[1], size[0]], "counts": counts})


def _tracked(known: Sequence[Record], label: str) -> list[Record]:
    """The same object on all images."""
    out: list[Record] = []
    for frame, record in enumerate(known):
        metadata = {"track_id": 7, "frame": frame, "keyframe": frame % 2 == 0}
        box = Rectangle(bbox=(1 + frame, 2, 4, 5), label=label, metadata=metadata)
        out.append(replace(record, annotations=(*record.annotations, box)))
    return out
