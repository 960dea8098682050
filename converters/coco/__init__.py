"""COCO: instances, key points and stuff in one JSON file a split.

Specification: cocodataset.org (format-data) and pycocotools. Coordinates: pixels, edge model, 0-based; `bbox` is
`[x, y, width, height]`, `segmentation` a list of rings or a run-length encoded mask (column-major). All rings of an
annotation are one object, their union; a hole exists only in a mask.

Kept in `metadata` so that the way back gives the same file: `coco_id`, `area`, `bbox` where it is not the outline's
hull, the mask's RLE, and every key that no rule knows. Results lists are read over the file they were made for.
Captions and panoptic records are recognised and refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...schemas.model import Catalog, Record
from ..fidelity import Fidelity
from ..format import Context, Format, Indivisible, Reading, Sniffed, Written
from ..format import Options as BaseOptions
from ..jsonkind import json_kind
from ..ledger import Ledger
from . import layout


class Options(BaseOptions, frozen=True, kw_only=True):
    task: Annotated[
        str | None,
        Meta(description="In a folder with several kinds: instances, person_keypoints, stuff, labels or image_info."),
    ] = None
    categories: Annotated[
        str | None,
        Meta(description="Reading a results list: the COCO file it was made for, which has its images and categories."),
    ] = None
    layout: Annotated[
        Literal["file", "folder", "results"],
        Meta(
            description="Write one file, or a folder with annotations/instances_<split>.json for each split, or a "
            "results list."
        ),
    ] = "file"


FIDELITY = Fidelity(
    shapes=frozenset(("rectangle", "polygon")),
    multi_part=True,
    holes="masks",
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
    coordinates=("pixels",),
)


RESULTS = msgspec.structs.replace(FIDELITY, masks_only=True, required=frozenset(("confidence",)))
"""Of a results list. Facts of images and splits are in the ground-truth file, without which none can be read."""


def fidelity(options: Options) -> Fidelity:
    return RESULTS if options.layout == "results" else FIDELITY


def sniff(path: Path) -> Sniffed:
    if path.is_dir():
        return layout.sniff_folder(path)
    kind, reason = json_kind(path)
    return Sniffed(kind == "coco", reason)


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    """The files are held whole, undecoded (annotations are not grouped by image), where memory is not limited; records
    are decoded one by one.
    """
    from .reading import read_sources

    return read_sources(layout.sources(path, options.task, ledger), options.categories, ledger, context)


def write(path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    """One JSON file, or a folder with one for each split, or a results list."""
    from .writing import write_file, write_folder

    if options.layout == "results":
        from .listing import write_results

        return write_results(path, catalog, records)
    return (write_folder if options.layout == "folder" else write_file)(path, catalog, records)


def write_part(
    path: Path, part: int, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]
) -> Any:
    """A run of images of one file."""
    from . import writing

    if options.layout != "file":
        raise Indivisible("indivisible", f"--coco-layout {options.layout} is written by one process")
    return writing.write_part(path, part, catalog, records, context.before)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Any]) -> Written:
    from . import writing

    return writing.join_parts(path, catalog, parts)


def rearranged(facts: Any, relabelled: bool, splits: tuple[str, ...]) -> Any:
    """Files have no categories of their own once labels are others; new splits have the head of the first file."""
    from .notes import rearranged_notes

    return rearranged_notes(facts, relabelled, splits)


FORMAT = Format(
    name="coco",
    title="COCO instances, key points, stuff",
    output=lambda options: "folder" if options.layout == "folder" else "file",
    owns=layout.owns,
    suffix=".json",
    options=Options,
    fidelity=fidelity,
    sniff=sniff,
    read=read,
    write=write,
    write_part=write_part,
    join=join,
    readable=lambda options: options.layout != "results" or options.categories is not None,
    rearranged=rearranged,
    reads_bounded=True,
    writes_bounded=lambda options: options.layout != "results",
    blocks=lambda options: options.layout == "file",
    shapes=lambda options: options.layout == "file",
    spelled=lambda options: options.layout == "file",
)
