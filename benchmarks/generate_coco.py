"""Write a COCO instances file with the statistics of train2017, from a seed.

    python benchmarks/generate_coco.py [--images N] [--annotations M] [--seed S] OUT

The full file (118,287 images, 860,000 annotations, about 427 MB) stands in for the real one wherever speed
and memory are measured: the same keys in the same order and spacing, category ids with gaps, annotations
not grouped by image, 1.17 % crowds as uncompressed RLE, 8 % objects in several parts, 1,021 images without
any object. Pixels, origin at the top left corner, `bbox` as x, y, width, height; two decimals at most.

The same arguments give the same bytes with the same numpy; the random streams of numpy may change between its
releases. The file is written piece by piece and appears under its name when it is complete.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from coco_words import CATEGORIES, INFO, LICENSES
from numpy.random import Generator
from numpy.typing import NDArray

IMAGES, ANNOTATIONS = 118_287, 860_000
EMPTY_IMAGES = 1_021 / IMAGES
CROWDS = 10_052 / 860_001
SEVERAL_PARTS = 0.08
PERSONS = 0.305
LARGEST_IMAGE_ID = 581_929
FIRST_CROWD_ID = 900_000_000_000

# width, height, share: what most pictures of the real set measure.
SIZES = (
    (640, 480, 0.35),
    (640, 427, 0.3),
    (480, 640, 0.13),
    (427, 640, 0.09),
    (500, 375, 0.07),
    (612, 612, 0.06),
)
# Chosen so that the full file has about 427 MB.
MEAN_LOG_VERTICES, SPREAD_LOG_VERTICES = 2.82, 0.62
BATCH = 20_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def generate(out: Path, images: int = IMAGES, annotations: int = ANNOTATIONS, seed: int = 2017) -> None:
    """Write the file `out` with that many images and annotations.

    Shares (empty images, crowds, parts) scale with the numbers. An image holds one crowd at most, so a set
    with very many annotations on very few images has fewer of them.
    """
    rng = np.random.default_rng(seed)
    pictures = _Pictures(rng, images)
    partial = out.with_name(out.name + ".partial")
    with partial.open("w", encoding="ascii") as stream:
        stream.write(f'{{"info": {_json(INFO)},"licenses": {_json(LICENSES)},"images": [')
        _write_separated(stream.write, pictures.lines())
        stream.write('],"annotations": [')
        _write_separated(stream.write, _annotation_lines(rng, pictures, annotations))
        stream.write(f'],"categories": {_json(CATEGORIES)}}}')
    partial.replace(out)


class _Pictures:
    """The images: ids, widths and heights as arrays of one length, in the order of the file."""

    def __init__(self, rng: Generator, count: int) -> None:
        shares = np.array([share for _, _, share in SIZES])
        kind = rng.choice(len(SIZES), size=count, p=shares / shares.sum())
        self.width: Ints = np.array([width for width, _, _ in SIZES])[kind]
        self.height: Ints = np.array([height for _, height, _ in SIZES])[kind]
        self.id: Ints = rng.permutation(max(LARGEST_IMAGE_ID, count))[:count] + 1
        self._numbers: Ints = rng.integers(0, 2**31, size=(count, 3))

    def lines(self) -> Iterator[str]:
        rows = zip(self.id.tolist(), self.width.tolist(), self.height.tolist(), self._numbers.tolist(), strict=True)
        for id_, width, height, (when, photo, secret) in rows:
            name = f"{id_:012d}.jpg"
            day, hour, minute, second = when % 12 + 14, when // 12 % 24, when // 288 % 60, when // 17_280 % 60
            flickr = f"http://farm{photo % 9 + 1}.staticflickr.com/{photo % 8000 + 1000}"
            yield (
                f'{{"license": {photo % 8 + 1},"file_name": "{name}",'
                f'"coco_url": "http://images.cocodataset.org/train2017/{name}",'
                f'"height": {height},"width": {width},'
                f'"date_captured": "2013-11-{day} {hour:02d}:{minute:02d}:{second:02d}",'
                f'"flickr_url": "{flickr}/{photo + 10**9}_{secret:010x}_z.jpg","id": {id_}}}'
            )


def _annotation_lines(rng: Generator, pictures: _Pictures, count: int) -> Iterator[str]:
    owners, is_crowd = _distribute(rng, len(pictures.id), count)
    category = _categories(rng, count)
    ids = rng.permutation(count * 5 // 2)[:count] + 1
    ids[is_crowd] = FIRST_CROWD_ID + category[is_crowd] * 10**8 + pictures.id[owners[is_crowd]]
    numbers = [repr(hundredths / 100) for hundredths in range(100 * max(max(size[:2]) for size in SIZES) + 1)]

    for start in range(0, count, BATCH):
        piece = slice(start, start + BATCH)
        picture, crowd = owners[piece], is_crowd[piece].tolist()
        width, height = pictures.width[picture], pictures.height[picture]
        shapes = _polygons(rng, width, height, numbers)
        rows = zip(shapes, crowd, width.tolist(), height.tolist(), pictures.id[picture].tolist(), strict=True)
        labels = zip(category[piece].tolist(), ids[piece].tolist(), strict=True)
        for (shape, is_a_crowd, columns, lines, image_id), (category_id, id_) in zip(rows, labels, strict=True):
            segmentation, area, bbox = _crowd(rng, columns, lines) if is_a_crowd else shape
            yield (
                f'{{"segmentation": {segmentation},"area": {area},"iscrowd": {int(is_a_crowd)},'
                f'"image_id": {image_id},"bbox": [{bbox}],"category_id": {category_id},"id": {id_}}}'
            )


def _distribute(rng: Generator, images: int, count: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the image index of every annotation, shuffled, and which annotations are crowds.

    Every image that is not to stay empty gets one annotation, the rest fall by exponential weights, which
    comes close to the real histogram of objects per image.
    """
    busy = rng.permutation(images)[: images - round(images * EMPTY_IMAGES)]
    crowds = min(round(count * CROWDS), len(busy))
    ordinary = count - crowds
    weights = rng.exponential(size=len(busy))
    extra = rng.choice(busy, size=max(0, ordinary - len(busy)), p=weights / weights.sum())
    owners = np.concatenate([busy[:ordinary], extra, rng.permutation(busy)[:crowds]])
    order = rng.permutation(count)
    return owners[order], order >= ordinary


def _categories(rng: Generator, count: int) -> Ints:
    """Return category ids: persons with their real share, the others falling off with their rank."""
    shares = 1 / np.arange(4, len(CATEGORIES) + 4)
    shares[1:] *= (1 - PERSONS) / shares[1:].sum()
    shares[0] = PERSONS
    ids = np.array([category["id"] for category in CATEGORIES])
    return rng.choice(ids, size=count, p=shares / shares.sum())


def _polygons(rng: Generator, width: Ints, height: Ints, numbers: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield segmentation, area and bbox as JSON for one object per image of `width` x `height`.

    Parts are star-shaped rings side by side, so no ring crosses itself or another. The box is the exact hull
    of the written coordinates, the area the shoelace sum of the parts in floating point, with all its digits.
    """
    objects = len(width)
    several = rng.random(objects) < SEVERAL_PARTS
    parts: Ints = np.where(several, 1 + np.minimum(rng.geometric(0.65, objects), 6), 1)
    object_of_ring = np.repeat(np.arange(objects), parts)
    first_ring = _starts(parts)

    box_width = np.clip(width * np.exp(-rng.gamma(2.0, 1.1, objects)), 8, width)
    box_height = np.clip(height * np.exp(-rng.gamma(2.0, 1.1, objects)), 8, height)
    left = rng.random(objects) * (width - box_width)
    top = rng.random(objects) * (height - box_height)
    along_x = box_width > box_height
    slot_width = np.where(along_x, box_width / parts, box_width)[object_of_ring]
    slot_height = np.where(along_x, box_height, box_height / parts)[object_of_ring]
    slot = np.arange(len(object_of_ring)) - first_ring[object_of_ring]
    slot_left = left[object_of_ring] + np.where(along_x[object_of_ring], slot * slot_width, 0)
    slot_top = top[object_of_ring] + np.where(along_x[object_of_ring], 0, slot * slot_height)

    vertices = _vertices(rng, slot_width + slot_height)
    ring, first_vertex = np.repeat(np.arange(len(vertices)), vertices), _starts(vertices)
    step = np.arange(len(ring)) - first_vertex[ring]
    # Less than a whole step of jitter keeps the angles in order: the ring stays simple.
    angle = 2 * math.pi * (step + 0.8 * rng.random(len(ring))) / vertices[ring]
    radius = 0.30 + 0.18 * rng.random(len(ring))
    x = slot_left[ring] + slot_width[ring] * (0.5 + radius * np.cos(angle))
    y = slot_top[ring] + slot_height[ring] * (0.5 + radius * np.sin(angle))
    corners = np.rint(np.stack([x, y], axis=1) * 100).astype(np.int64)

    areas = np.add.reduceat(_ring_areas(corners / 100, first_vertex), first_ring)
    low = np.minimum.reduceat(corners, first_vertex[first_ring])
    high = np.maximum.reduceat(corners, first_vertex[first_ring])
    boxes: list[list[int]] = np.concatenate([low, high - low], axis=1).tolist()

    texts: list[str] = np.array(numbers, dtype=object)[corners.reshape(-1)].tolist()
    ends = (2 * (first_vertex + vertices)).tolist()
    rings = [",".join(texts[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
    for first, many, area, box in zip(first_ring.tolist(), parts.tolist(), areas.tolist(), boxes, strict=True):
        yield (
            f"[[{'],['.join(rings[first : first + many])}]]",
            repr(area),
            ",".join(numbers[edge] for edge in box),
        )


def _vertices(rng: Generator, extent: Floats) -> Ints:
    """Return the number of corners of each ring; small ones (`extent`: width + height in pixels) have few."""
    wanted = np.exp(rng.normal(MEAN_LOG_VERTICES, SPREAD_LOG_VERTICES, len(extent)))
    return np.clip(np.minimum(wanted, 4 + extent), 4, 400).astype(np.int64)


def _ring_areas(corners: Floats, first_vertex: Ints) -> Floats:
    following = np.roll(corners, -1, axis=0)
    last_vertex = np.append(first_vertex[1:], len(corners)) - 1
    following[last_vertex] = corners[first_vertex]
    cross = corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]
    return np.abs(np.add.reduceat(cross, first_vertex)) / 2


def _crowd(rng: Generator, width: int, height: int) -> tuple[str, str, str]:
    """Return segmentation, area and bbox as JSON of a crowd region, an uncompressed run-length mask.

    Runs go down the columns and start with background. The outline wanders by a few pixels from column to column, and
    a gap runs through some of them, so that a crowd has few rings and some hundred corners, as COCO's own have. Each
    column ends at least one pixel above the bottom of the image, so that no run has to continue in the next column.
    """
    columns, lines = int(rng.integers(60, 300)), int(rng.integers(60, height))
    left, above = int(rng.integers(0, width - columns + 1)), int(rng.integers(0, height - lines))
    top = above + np.clip(np.cumsum(rng.integers(-2, 3, columns)), 0, lines // 3)
    bottom = above + lines - np.clip(np.cumsum(rng.integers(-2, 3, columns)), 0, lines // 3)
    gap_start = (top + bottom) // 2
    gap_end = gap_start + 1 + np.arange(columns) % 7
    gap = np.zeros(columns, bool)
    begin = int(rng.integers(columns))
    gap[begin : begin + int(rng.integers(columns // 2))] = True

    column_starts = (left + np.arange(columns)) * height
    edges = np.stack([top, gap_start, gap_end, bottom], axis=1) + column_starts[:, None]
    always = np.ones(columns, bool)
    kept = np.stack([always, gap, gap, always], axis=1)
    counts = np.diff(edges[kept], prepend=0, append=width * height).tolist()
    segmentation = f'{{"counts": [{",".join(map(str, counts))}],"size": [{height},{width}]}}'
    highest, lowest = int(top.min()), int(bottom.max())
    return segmentation, str(sum(counts[1::2])), f"{left},{highest},{columns},{lowest - highest}"


def _starts(lengths: Ints) -> Ints:
    """Return where each of several runs laid end to end begins."""
    return np.concatenate([[0], np.cumsum(lengths)[:-1]])


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ": "))


def _write_separated(write: Callable[[str], object], items: Iterator[str]) -> None:
    write(next(items, ""))
    for item in items:
        write(",")
        write(item)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a COCO instances file with the statistics of train2017.")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--images", type=int, default=IMAGES, metavar="N")
    parser.add_argument("--annotations", type=int, default=ANNOTATIONS, metavar="M")
    parser.add_argument("--seed", type=int, default=2017, metavar="S")
    given = parser.parse_args()
    if given.images < 1 or given.annotations < 0:
        parser.error("at least one image and no negative number of annotations")
    generate(given.out, given.images, given.annotations, given.seed)


if __name__ == "__main__":
    main()
