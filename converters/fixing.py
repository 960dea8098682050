"""A mended copy of a file or a data set, in its own format: only safe mends, each one told.

Nothing is left out in silence: a source with a part that cannot be read even after mending is not copied at
all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from ..schemas import jsontext, metalake_decoding, metalake_encoding, structure
from ..schemas.errors import InvalidInput, Place, UsageError
from ..schemas.losses import BY_CODE
from ..schemas.mending import mend_plain, mend_record
from ..schemas.model import Coordinates, Record
from ..schemas.problems import Problem
from . import registry
from .checking import METADATA, Checked, check, kind_of
from .files import appearing_whole, no_gc, read_bytes, write_pieces
from .format import Context, Options
from .images import ImageFinder
from .ledger import Ledger
from .opening import Progress, sized, streamed
from .projection import projector
from .targets import check_conversion_target

_FRESH_IDS = "duplicate-annotation-id"


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    """What was mended, and what remains: `checked` is the verdict on the copy, or on the source where
    `written` is False because a part of it cannot be read.
    """

    mends: list[Problem]
    written: bool
    checked: Checked


def fix(
    path: str | Path,
    out: str | Path,
    *,
    format_name: str | None = None,
    images: str | Path | None = None,
    labels: Sequence[str] | None = None,
    normalized: bool = False,
    options: Mapping[str, Options] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Fixed:
    """Write a mended copy of the data set at `path` to `out`, which must not exist. Parameters and errors as
    of `checking.check`; LocalFailure where the disk refuses. `out` appears whole or not at all.
    """
    path, out = Path(path), Path(out)
    options = options or {}

    def verdict(of: Path, name: str | None) -> Checked:
        return check(
            of,
            format_name=name,
            images=images,
            labels=labels,
            normalized=normalized,
            options=options,
            jobs=jobs,
            progress=progress,
        )

    mends: list[Problem] = []
    try:
        kind = kind_of(path, format_name)
        if kind == METADATA:
            raise UsageError("nothing-to-mend", "there are no safe mends for metadata files", hint="leave --fix out")
        format_ = registry.get(kind)
        own = options.get(kind) or format_.options()
        check_conversion_target(out, path, format_, own, overwrite=False)
        with no_gc():
            if kind == "metalake":
                _fix_metalake(path, out, normalized or bool(getattr(own, "normalized", False)), mends)
            else:
                _fix_by_reader(path, out, kind, own, images, mends)
    except InvalidInput:
        return Fixed(mends=[], written=False, checked=verdict(path, format_name))
    return Fixed(mends=mends, written=True, checked=verdict(out, kind))


def _fix_metalake(path: Path, out: Path, normalized: bool, mends: list[Problem]) -> None:
    file, data = str(path), read_bytes(path)
    if structure.problems(data, file, "annotations"):
        data = _mended_text(jsontext.checked(data, file), file, mends)
    document = metalake_decoding.open_document(data, file)
    catalog = document.catalog_as(normalized=normalized)

    def records() -> Iterator[Record]:
        for index, raw in enumerate(document.images):
            yield metalake_decoding.decode_record(raw, file, index, lambda _: None)

    with appearing_whole(out) as temporary:
        mended = _mended(records(), catalog.coordinates, file, mends)
        write_pieces(temporary, metalake_encoding.encode_document(mended, catalog))


def _mended_text(data: bytes, file: str, mends: list[Problem]) -> bytes:
    """The file with mends of its form. InvalidInput where it is not JSON, or JSON that nobody can be sure
    of."""
    jsontext.members(data, file)
    try:
        plain = jsontext.loads_strict(data)
        mends += (_in_file(mend, file) for mend in mend_plain(plain))
        return json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
    except jsontext.DuplicateKey as error:
        raise jsontext.duplicate_key(error.key, file, ()) from None
    except (ValueError, RecursionError):
        raise InvalidInput("not-mendable", "not JSON that can be written again", place=Place(file=file)) from None


def _fix_by_reader(
    path: Path, out: Path, kind: str, options: Options, images: str | Path | None, mends: list[Problem]
) -> None:
    format_, ledger = registry.get(kind), Ledger(complete=True)
    context = Context(images=None if images is None else ImageFinder(Path(images)))
    reading = format_.read(path, options, context, ledger)
    if format_.settle is not None:
        options = format_.settle(options, reading.catalog, lambda: reading.records(Ledger(lenient=True)), Ledger())
    space = reading.catalog.coordinates
    project = projector(format_.fidelity(options), ledger, coordinates=space, target=space, carry="full")
    with appearing_whole(out) as temporary:
        records = (sized(record, context) for record in streamed(reading, ledger))
        mended = _mended(records, space, str(path), mends)
        format_.write(temporary, options, context, reading.catalog, (project(record) for record in mended))
    mends += (
        _mend(problem.code, problem.message, problem.place) for problem in ledger.problems if problem.code == _FRESH_IDS
    )
    for loss in ledger.refused():
        for example in loss.examples:
            place = Place(file=example.file, image=example.image, annotation=example.annotation)
            mends.append(_mend(loss.code, example.detail or BY_CODE[loss.code].sentence, place))


def _mended(records: Iterable[Record], space: Coordinates, file: str, mends: list[Problem]) -> Iterator[Record]:
    for record in records:
        mended, told = mend_record(record, space)
        mends += (_in_file(mend, file) for mend in told)
        yield mended


def _mend(code: str, message: str, place: Place) -> Problem:
    return Problem(code=f"mended-{code}", severity="notice", message=message, place=place)


def _in_file(mend: Problem, file: str) -> Problem:
    return msgspec.structs.replace(mend, place=msgspec.structs.replace(mend.place, file=file))
