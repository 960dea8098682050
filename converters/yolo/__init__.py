"""YOLO: data sets of Ultralytics (detect, segment, OBB, pose) and of Darknet.

Specification: docs.ultralytics.com/datasets (detect, segment, obb, pose), and what Ultralytics' own reader accepts;
Darknet's `obj.data`. One text file per image, one row per object: a class number and fractions of the image's width
and height, 0 to 1 from the outer edge of the first pixel to the outer edge of the last (edge model). A box is its
centre and size, a ring its vertices. Sizes, ids, holes and parts have no place; classes are numbered in the order of
their names.

A folder may lack pictures, lists, names or label files: `layout` and `pairs` find what there is, `columns` what the
columns mean, `rows` and `formatting` are the two directions of one row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...schemas.errors import UsageError
from ...schemas.model import Catalog, Polygon, Record
from ..fidelity import Fidelity
from ..format import Context, Format, Reading, Sniffed, Written
from ..format import Options as BaseOptions
from ..ledger import Ledger


class Options(BaseOptions, frozen=True, kw_only=True):
    task: Annotated[
        Literal["detect", "segment", "obb", "pose"] | None,
        Meta(description="What rows hold. Found once per data set where it is certain."),
    ] = None
    confidence: Annotated[
        Literal["none", "last", "second"],
        Meta(description="Reading: which column of a row is a confidence. Never guessed."),
    ] = "none"
    track: Annotated[bool, Meta(description="Reading: the last column is a track id.")] = False
    extension: Annotated[
        str, Meta(description="Reading: extension of images whose picture is not there, such as .jpg.")
    ] = ""
    kpt_shape: Annotated[
        str | None,
        Meta(description="Number of key points and numbers per point, such as 17x3, where no data.yaml says it."),
    ] = None
    save_conf: Annotated[
        bool, Meta(description="Writing: confidence as last column. Such a set cannot be trained on.")
    ] = False
    save_track: Annotated[
        bool, Meta(description="Writing: track id as last column. Such a set cannot be trained on.")
    ] = False
    multi_part: Annotated[
        Literal["split", "join"],
        Meta(description="Writing: parts of one object become objects, or one ring, joined by bridges without width."),
    ] = "split"
    crowd: Annotated[
        Literal["skip", "keep"],
        Meta(description="Writing: crowd regions are left out, as Ultralytics does, or become objects."),
    ] = "skip"
    decimals: Annotated[
        Annotated[int, Meta(ge=1, le=12)] | None,
        Meta(description="Writing: decimals; 6 for sources in pixels, else up to 12 where needed."),
    ] = None
    layout: Annotated[
        Literal["ultralytics", "darknet"],
        Meta(description="Writing: data.yaml and labels/, or obj.data and obj_train_data/."),
    ] = "ultralytics"


def fidelity(options: Options) -> Fidelity:
    """What a set of the task in `options` holds; boxes, where it is not settled yet."""
    task = options.task or "detect"
    shapes = {"detect": ("rectangle",), "pose": ("rectangle",)}.get(task, ("rectangle", "polygon"))
    held = {"shape": task == "pose", "track_id": options.save_track}
    required = {"confidence": options.save_conf, "track_id": options.save_track}
    return Fidelity(
        shapes=frozenset(shapes),
        crowd="objects" if options.crowd == "keep" else False,
        visibility=not (options.kpt_shape or "").endswith("x2"),
        keypoints=task == "pose",
        confidence=options.save_conf,
        metadata=frozenset(key for key, held in held.items() if held),
        splits=True,
        coordinates=("normalized",),
        decimals=6 if options.decimals is None else options.decimals,
        inside=True,
        overhang=0.01,
        oriented=task == "obb",
        joined=options.multi_part == "join",
        required=frozenset(fact for fact, wanted in required.items() if wanted),
        unique_stems=True,
    )


def sniff(path: Path) -> Sniffed:
    """By the description (data.yaml, obj.data, *.names), else by the first label file that has a row."""
    from .sniffing import sniffed

    return sniffed(path)


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    from .reading import read

    return read(path, options, context, ledger)


def write(path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    from .writing import write

    return write(path, options, context, catalog, records)


def write_part(
    path: Path, part: int, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]
) -> Any:
    from .writing import write_part

    return write_part(path, part, options, context, catalog, records)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Any]) -> Written:
    from .writing import join

    return join(path, options, context, catalog, parts)


def picture(options: Options, catalog: Catalog, record: Record) -> str:
    from .writing import picture

    return picture(options, catalog, record)


def settle(options: Options, catalog: Catalog, records: Callable[[], Iterator[Record]], ledger: Ledger) -> Options:
    """Options with task, decimals and shape of key points fixed: one task per set, never mixed rows."""
    from .columns import catalog_keypoints
    from .notes import notes_of

    task = options.task
    if options.layout == "darknet":
        if task not in (None, "detect"):
            raise UsageError("yolo-layout", f"Darknet has no {task} sets", hint="leave --yolo-layout darknet out")
        task = "detect"
    if task is None:
        task = notes_of(catalog).task or _task_of(records())
        ledger.decide("yolo-task", f"written as a {task} set")
    shape = options.kpt_shape
    if task == "pose" and shape is None:
        count, size = catalog_keypoints(catalog) or (_most_keypoints(records()), 3)
        shape = f"{count}x{size}"
    decimals = options.decimals or (6 if catalog.coordinates == "pixels" else 12)
    return msgspec.structs.replace(options, task=task, kpt_shape=shape, decimals=decimals)


def owns(relative: str) -> bool:
    """Whether `write` makes files of that name."""
    return _OWNED.fullmatch(relative) is not None


_OWNED = re.compile(
    r"data\.yaml|obj\.data|obj\.names|(train|val|test|unsplit|split_[\w-]+)\.txt|(labels|images/.*labels|obj_[\w-]+_data)/.*\.txt"
)


def _task_of(records: Iterator[Record]) -> str:
    keypoints = False
    for record in records:
        for annotation in record.annotations:
            if isinstance(annotation, Polygon):
                return "segment"
            keypoints = keypoints or "keypoints" in annotation.metadata
    return "pose" if keypoints else "detect"


def _most_keypoints(records: Iterator[Record]) -> int:
    texts = (str(a.metadata.get("keypoints", "")) for record in records for a in record.annotations)
    return max(((text.count(",") + 1) // 3 for text in texts), default=1) or 1


FORMAT = Format(
    name="yolo",
    title="YOLO (Ultralytics detect, segment, OBB, pose; Darknet)",
    output=lambda _: "folder",
    options=Options,
    fidelity=fidelity,
    sniff=sniff,
    read=read,
    write=write,
    settle=settle,
    to_read=lambda options: msgspec.structs.replace(options, task=None, kpt_shape=None),
    to_verify=lambda options: msgspec.structs.replace(options, confidence="none", track=False),
    write_part=write_part,
    join=join,
    owns=owns,
    picture=picture,
    writes_bounded=lambda _: True,
    blocks=lambda options: options.task == "detect" and not options.save_conf and not options.save_track,
    shapes=lambda options: options.task in (None, "segment") and not options.save_conf and not options.save_track,
)
