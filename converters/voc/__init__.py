"""Pascal VOC: one XML file an image, as the devkit has it and as other tools write it.

Specification: the VOC2012 development kit, and what is in the wild (labelImg, CVAT and Datumaro, Roboflow, roLabelImg,
ImageNet DET). Coordinates: pixels. The devkit counts pixels from 1 and includes both ends, so that 1 is taken off the
two minima (and off the vertices of polygons) when reading, and put on when writing; annotation tools write edges, and
nothing is shifted. `convention` decides which, for a whole data set. Rotated boxes are stored by their centre, as
roLabelImg does, and are never shifted; a `point` is carried as the text it is.

`layout`, `imagesets` and `labelmap` find what there is, `survey` looks at every file once, for labels, names and
evidence; `objects` and `formatting` are the two directions of one object, `columns` with `blockreading` and
`blocktexts` with `corners` those of many ordinary ones at once. What has no place in the hub's model
rides in `voc_extra` and in the image's facts (`notes`); what VOC has no element for rides in `<attributes>`, in an
element `<annolake>`, and in a comment of `labelmap.txt`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...schemas.keys import BOOKKEEPING, RINGS
from ...schemas.model import Catalog, Record
from ..fidelity import Fidelity
from ..format import Context, Format, Reading, Sniffed, Written
from ..format import Options as BaseOptions
from ..ledger import Ledger


class Options(BaseOptions, frozen=True, kw_only=True):
    convention: Annotated[
        Literal["auto", "devkit", "edges"],
        Meta(
            description="Numbers are pixels counted from 1 with both ends included (devkit), or edges, as annotation"
            " tools write. Reading: auto goes by evidence, and says so. Writing: auto is as the source was read."
        ),
    ] = "auto"
    empty_boxes: Annotated[
        Literal["error", "drop"],
        Meta(description="Reading: a box whose maximum is not above its minimum is an error, or is left out."),
    ] = "error"
    numbers: Annotated[
        Literal["float", "int"],
        Meta(description="Writing: numbers as they are, or on whole pixels, as old devkit tools need."),
    ] = "float"
    polygons: Annotated[
        Literal["keep", "box"],
        Meta(description="Writing: an outline beside the box around it, or the box alone."),
    ] = "keep"
    crowd: Annotated[
        Literal["skip", "keep"],
        Meta(description="Writing: crowd regions are left out, or become objects."),
    ] = "skip"


OWN_PLACE = frozenset(("area", "bbox", "outline", "voc_outline"))
"""Book-keeping that comes home: the box beside an outline, an outline in another form, an area that was stated."""


def fidelity(options: Options) -> Fidelity:
    return Fidelity(
        shapes=frozenset(("rectangle", "polygon") if options.polygons == "keep" else ("rectangle",)),
        crowd=options.crowd == "keep",
        keypoints=True,
        confidence=True,
        attributes=True,
        metadata=True,
        without=(BOOKKEEPING - OWN_PLACE) | RINGS,
        image_size=True,
        image_facts=True,
        splits=True,
        coordinates=("pixels",),
        decimals=9 if options.numbers == "float" else 0,
        unique_stems=True,
        solid=True,
        whole=options.numbers == "int",
        real_sizes=True,
    )


def sniff(path: Path) -> Sniffed:
    """By the root element of XML files: `annotation`."""
    from .sniffing import sniffed

    return sniffed(path)


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    from .reading import read

    return read(path, options, context, ledger)


def write(path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    from .writing import write

    return write(path, options, context, catalog, records)


def picture(options: Options, catalog: Catalog, record: Record) -> str:
    """Where the devkit has it, below the folder of its year if there are such."""
    from .notes import notes_of

    root = next((root for root in notes_of(catalog).roots if record.image.startswith(f"{root}/")), "")
    return f"{root}/JPEGImages{record.image[len(root) :]}" if root else f"JPEGImages/{record.image}"


def write_part(
    path: Path, part: int, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]
) -> Any:
    from .writing import write_part

    return write_part(path, part, options, context, catalog, records)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Any]) -> Written:
    from .writing import join

    return join(path, options, context, catalog, parts)


def settle(options: Options, catalog: Catalog, records: Callable[[], Iterator[Record]], ledger: Ledger) -> Options:
    """Options with the convention fixed: as the source was read, where it was VOC, else edges."""
    from .convention import to_write

    return msgspec.structs.replace(options, convention=to_write(options.convention, catalog, ledger))


def owns(relative: str) -> bool:
    """Whether `write` makes files of that name."""
    return _OWNED.fullmatch(relative) is not None


_OWNED = re.compile(r"(.*/)?labelmap\.txt|.*\.xml|(.*/)?ImageSets/.*\.txt")


FORMAT = Format(
    name="voc",
    title="Pascal VOC (devkit, labelImg, CVAT, Roboflow, roLabelImg)",
    output=lambda _: "folder",
    options=Options,
    fidelity=fidelity,
    sniff=sniff,
    read=read,
    write=write,
    settle=settle,
    write_part=write_part,
    join=join,
    owns=owns,
    picture=picture,
    writes_bounded=lambda _: True,
    blocks=lambda _: True,
    shapes=lambda options: options.polygons == "keep" and options.numbers == "float",
)
