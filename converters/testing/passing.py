"""A data set on its way through one format: lowered to what it can hold, written, read back."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from ...schemas.model import Catalog, Coordinates, Record, count_objects
from ..fidelity import Fidelity
from ..files import appearing_whole
from ..format import Context, Format, Indivisible, Options, Written
from ..ledger import Ledger
from ..projection import projector
from .cases import DataSet


class Lowered(msgspec.Struct, frozen=True):
    """What a writer is handed, and the books of the projection."""

    data: DataSet
    options: Options
    fidelity: Fidelity
    ledger: Ledger

    def again(self) -> tuple[list[Record], Ledger]:
        """The second projection of the same, and its own books."""
        ledger = Ledger()
        space = self.data.catalog.coordinates
        project = projector(self.fidelity, ledger, coordinates=space, target=space)
        return [project(record) for record in self.data.records], ledger


def lowered(format_: Format, options: Options, data: DataSet) -> Lowered:
    """Settle the options, choose the space, project: what a conversion does before it writes."""
    ledger = Ledger()
    if format_.settle is not None:
        options = format_.settle(options, data.catalog, lambda: iter(data.records), ledger)
    fidelity = format_.fidelity(options)
    source = data.catalog.coordinates
    space: Coordinates = source if source in fidelity.coordinates else fidelity.coordinates[0]
    project = projector(fidelity, ledger, coordinates=source, target=space)
    records: list[Record] = []
    for record in data.records:
        ledger.yielded["images"] += 1
        ledger.yielded["annotations"] += count_objects(record)
        records.append(project(record))
    catalog: Catalog = msgspec.structs.replace(data.catalog, coordinates=space)
    return Lowered(DataSet(catalog, records), options, fidelity, ledger)


def write_out(format_: Format, given: Lowered, target: Path) -> None:
    """Write to `target`, which appears whole or not at all, and balance the books."""
    data, options = given.data, given.options
    with appearing_whole(target) as temporary:
        written = format_.write(temporary, options, Context(), data.catalog, iter(data.records))
        _settle(given.ledger, written)


def write_in_parts(format_: Format, given: Lowered, target: Path, count: int) -> None:
    """The same as `count` parts, joined; in one process, which makes no difference to what is written."""
    write_part, join = format_.write_part, format_.join
    assert write_part is not None and join is not None
    data, options = given.data, given.options
    count = min(count, len(data.records))
    bounds = [len(data.records) * number // count for number in range(count + 1)]
    with appearing_whole(target) as temporary:
        parts: list[Any] = []
        try:
            for start, stop in pairwise(bounds):
                records = iter(data.records[start:stop])
                parts.append(write_part(temporary, start, options, Context(), data.catalog, records))
            written = join(temporary, options, Context(), data.catalog, parts)
        except Indivisible:
            written = format_.write(temporary, options, Context(), data.catalog, iter(data.records))
        _settle(given.ledger, written)


def contents(path: Path) -> dict[str, bytes | None]:
    """Every file below a path with its bytes, every folder with None; the path itself is the empty name."""
    if path.is_dir():
        below = sorted(path.rglob("*"))
        return {p.relative_to(path).as_posix(): None if p.is_dir() else p.read_bytes() for p in below}
    return {"": path.read_bytes()} if path.exists() else {}


def target_in(folder: Path, format_: Format, options: Options, name: str = "out") -> Path:
    """A name for a target: with the format's suffix where that is a file."""
    return folder / (name if format_.output(options) == "folder" else name + format_.suffix)


def pictures(folder: Path, records: Iterable[Record]) -> Path:
    """A folder with a picture of each record's size: a PNG without a pixel, for only its header is looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        path = folder / record.image
        path.parent.mkdir(parents=True, exist_ok=True)
        header = struct.pack(">IIBBBBB", int(record.width or 0), int(record.height or 0), 8, 0, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks))
    return folder


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _settle(ledger: Ledger, written: Written) -> None:
    ledger.written["images"] = written.images
    ledger.written["annotations"] = written.annotations
    ledger.balance()
