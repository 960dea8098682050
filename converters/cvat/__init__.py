"""CVAT XML 1.1, "for images" and "for video", of a task, a job or a project.

Specification: CVAT's XML annotation format and what its exporter and importer do. Coordinates: pixels, 0-based, edge
model; a box is its two corners, turned clockwise about its centre; a mask is a tight box of pixels, run lengths row by
row.

Rotated boxes, ellipses, cuboids and masks become polygons, skeletons rectangles with key points; the originals ride
beside them and are written again while the shape is as it was. Tracks become one annotation a visible frame, on
pictures named `frame_000000` (CVAT's own export calls them so, with `.PNG` and in `images/`). What <meta> says rides in
the catalogue; what no rule knows of a shape, in `cvat_extra`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import replace

from ...schemas.errors import UsageError
from ...schemas.model import Catalog, Record
from ..fidelity import Fidelity
from ..format import Context, Format, Indivisible, Reading, Sniffed, Written
from ..format import Options as BaseOptions
from ..ledger import Ledger
from .notes import notes_of


class Options(BaseOptions, frozen=True, kw_only=True):
    form: Annotated[
        Literal["auto", "images", "video"],
        Meta(description="Write the form for images, or that for a video with tracks; auto: as the source was."),
    ] = "auto"
    interpolate: Annotated[
        Literal["linear", "none"],
        Meta(description="Compute the frames between the key frames of a track, or read just those of the file."),
    ] = "linear"
    frames: Annotated[
        str | None,
        Meta(description="How a video's pictures are called, as frame_{:06d}.PNG; by default frame_{:06d}."),
    ] = None


_IMAGES = Fidelity(
    shapes=frozenset(("rectangle", "polygon", "line", "points")),
    multi_part=True,
    holes="masks",
    crowd=True,
    keypoints=True,
    tags=True,
    confidence=True,
    attributes=True,
    metadata=True,
    without=frozenset(("coco_id", "coco_category_id")),
    image_size=True,
    image_facts=True,
    splits=True,
    coordinates=("pixels",),
)
_VIDEO = replace(_IMAGES, tags=False)


def fidelity(options: Options) -> Fidelity:
    return _VIDEO if options.form == "video" else _IMAGES


def sniff(path: Path) -> Sniffed:
    """By the root of the XML, or of the one in the ZIP that CVAT exports; of a folder, the one XML in it."""
    from .finding import sniffed

    return sniffed(path)


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    """Pictures are read one by one; the tracks of a video are held."""
    from .finding import source_in
    from .reading import read_file

    fill = options.interpolate == "linear"
    return read_file(source_in(path), ledger, fill=fill, frames=options.frames, context=context)


def settle(options: Options, catalog: Catalog, records: Callable[[], Iterator[Record]], ledger: Ledger) -> Options:
    """The form as the source was, where none is asked for."""
    notes = notes_of(catalog)
    form = notes.form if options.form == "auto" else options.form
    if form == "video" and notes.several:
        message = "frames of several sources have numbers of their own, and are no one video"
        raise UsageError("several-videos", message, hint="write --cvat-form images, or each source by itself")
    if form == "images" and "video" in (notes.form, notes.several):
        text = "tracks are written as single shapes; their ids and frames ride in attributes, and come home"
        ledger.decide("tracks-flattened", text)
    return replace(options, form=form)


def merged(facts: Sequence[Any]) -> Any:
    """Videos of several sources become images, as their frames have numbers of their own."""
    from .notes import merged

    return merged(facts)


def write(path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    """Shapes go to a neighbour first: what they use is declared before them."""
    from .writing import write_file

    if options.form == "video" and context.memory is not None:
        hint = "write it with --cvat-form images"
        raise UsageError("not-bounded", "the tracks of a video are held, however large it is", hint=hint)
    return write_file(path, options.form == "video", options.frames, catalog, records)


def write_part(
    path: Path, part: int, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]
) -> Any:
    """A run of images."""
    from . import writing

    if options.form == "video":
        raise Indivisible("indivisible", "the tracks of a video are written by one process")
    return writing.write_part(path, part, catalog, records)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Any]) -> Written:
    from . import writing

    return writing.join_parts(path, catalog, parts)


def undivided(options: Options) -> str | None:
    """A video is one file: its tracks run from frame to frame, and its frames are counted from the first."""
    return "the tracks of a video cannot be cut; --cvat-form images can" if options.form == "video" else None


FORMAT = Format(
    name="cvat",
    title="CVAT XML 1.1, images and video",
    output=lambda _: "file",
    suffix=".xml",
    options=Options,
    fidelity=fidelity,
    sniff=sniff,
    read=read,
    write=write,
    write_part=write_part,
    join=join,
    settle=settle,
    merged=merged,
    undivided=undivided,
    writes_bounded=lambda options: options.form != "video",
    blocks=lambda options: options.form != "video",
    shapes=lambda options: options.form != "video",
)
