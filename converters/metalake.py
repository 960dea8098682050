"""MetaLake annotation JSON as a format of the toolkit.

Specification: `schemas/metalake-annotations.schema.json`, from the service's documentation. Coordinates: pixels or
fractions, x and y of the top-left corner and sizes, edge model. A file of ours says which in its catalogue; a file of
others cannot say, and is taken for pixels unless `--metalake-normalized`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from ..schemas import metalake_decoding, metalake_encoding
from ..schemas.errors import InvalidInput, Place
from ..schemas.jsontext import pointer_text
from ..schemas.metalake_wire import CATALOG_KEY
from ..schemas.model import Catalog, Category, Record, count_objects
from ..schemas.problems import Problem
from .fidelity import Fidelity
from .files import write_pieces
from .format import Context, Format, Reading, Sniffed, Written
from .format import Options as BaseOptions
from .jsonkind import file_in, json_kind
from .ledger import Ledger
from .shapeblocks import ShapeBlock


class Options(BaseOptions, frozen=True, kw_only=True):
    normalized: Annotated[
        bool, Meta(description="The file's coordinates are fractions of the image (a file of ours says so itself).")
    ] = False


FIDELITY = Fidelity(
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


def sniff(path: Path) -> Sniffed:
    kind, reason = json_kind(file_in(path))
    return Sniffed(kind == "metalake", reason)


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    """The whole file is held, undecoded, where memory is not limited; records are decoded one by one."""
    from .lakefile import LakeFile, LargeLakeFile

    path = file_in(path)
    lake = LakeFile(path) if context.memory is None else LargeLakeFile(path, context.memory)
    catalog = metalake_decoding.catalog_as(lake.catalog, ours=lake.ours, normalized=options.normalized)
    if lake.catalog is None or not lake.catalog.labels:
        order = "as listed in --labels" if context.labels else "in A-Z order"
        ledger.decide("labels", f"labels are numbered {order}")
    for number, label in enumerate(catalog.labels):
        if not label.name:
            place = Place(file=lake.file, pointer=pointer_text((CATALOG_KEY, "labels", number, "name")))
            error = InvalidInput(
                "empty-label", "a label without a name", place=place, hint="name it: a label is a text"
            )
            ledger.problem(Problem.of(lake.located(error)))
    used = lake.labels(ledger)
    catalog = msgspec.structs.replace(catalog, labels=_labels(used, catalog, context.labels or ()))

    def records(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        ledger.file = str(path)
        for index in range(len(lake.images))[start:stop]:
            ledger.seen["images"] += 1
            try:
                record = metalake_decoding.decode_record(lake.images[index], str(path), index, ledger.problem)
            except InvalidInput as error:
                ledger.problem(Problem.of(lake.located(error)))
                ledger.seen["images dropped"] += 1
                continue
            ledger.seen["annotations"] += count_objects(record)
            if ledger.places is not None:
                ledger.places.extend(_places(record, str(path), index))
            yield record

    return Reading(catalog=catalog, records=records, images=len(lake.images))


def write(
    path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record | ShapeBlock]
) -> Written:
    return _write_counted(path, records, lambda images: metalake_encoding.document(images, catalog))


class Part(msgspec.Struct, frozen=True):
    """A run of images in a file beside the target, as they will stand in it."""

    path: str
    images: int
    annotations: int


def write_part(
    path: Path, part: int, options: Options, context: Context, catalog: Catalog, records: Iterable[Record | ShapeBlock]
) -> Part:
    """A run of images, each with the separator before it."""
    beside = path.with_name(f"{path.name}.{part}")
    written = _write_counted(beside, records, lambda images: metalake_encoding.run(images, first=part == 0))
    return Part(str(beside), written.images, written.annotations)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Part]) -> Written:
    """The parts one behind the other, and the catalogue."""
    with path.open("wb") as out:
        for part in parts:
            with open(part.path, "rb") as run:
                shutil.copyfileobj(run, out, 1 << 20)
            os.unlink(part.path)
        images = sum(part.images for part in parts)
        out.write(b"".join(metalake_encoding.encode_end(catalog, empty=images == 0)))
    return Written(images, sum(part.annotations for part in parts))


def _labels(used: set[str], catalog: Catalog, listed: tuple[str, ...]) -> tuple[Category, ...]:
    """The catalogue's labels in their order, then those listed, then what else the file uses, from A to Z."""
    known = dict.fromkeys(category.name for category in catalog.labels)
    more = [name for name in dict.fromkeys(listed) if name not in known]
    more += sorted(used - known.keys() - set(more))
    return (*catalog.labels, *(Category(name) for name in more))


def _write_counted(
    path: Path, records: Iterable[Record | ShapeBlock], pieces: Callable[[Iterable[bytes]], Iterable[bytes]]
) -> Written:
    from . import lakeshapes

    count = [0, 0]

    def images() -> Iterator[bytes]:
        for item in records:
            if isinstance(item, ShapeBlock):
                count[0] += len(item.records)
                count[1] += len(item.objects)
                yield from lakeshapes.elements(item)
            else:
                count[0] += 1
                count[1] += count_objects(item)
                yield metalake_encoding.encode_record(item)

    write_pieces(path, pieces(images()))
    return Written(count[0], count[1])


def _places(record: Record, file: str, index: int) -> Iterator[Place]:
    for number in range(len(record.annotations)):
        pointer = pointer_text(("images", index, "annotations", number))
        yield Place(file=file, pointer=pointer, image=record.image, annotation=number + 1)


FORMAT = Format(
    name="metalake",
    title="MetaLake annotation JSON",
    output=lambda _: "file",
    suffix=".json",
    options=Options,
    fidelity=lambda _: FIDELITY,
    sniff=sniff,
    read=read,
    write=write,
    write_part=write_part,
    join=join,
    reads_bounded=True,
    writes_bounded=lambda _: True,
    shapes=lambda _: True,
)
