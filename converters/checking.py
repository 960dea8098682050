"""All that is wrong with a file or a data set, in one pass: its structure, then the meaning of what can be
read.

MetaLake JSON is looked at here itself, so that every problem has line and column; other formats through their
readers, which collect what they cannot read instead of stopping at it.
"""

from __future__ import annotations

import re
from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from ..schemas import jsonscan, jsontext, metadata_file, metalake_decoding, structure
from ..schemas.errors import InvalidInput, Place, UsageError
from ..schemas.jsontext import pointer_text
from ..schemas.model import Record
from ..schemas.names import is_safe_name
from ..schemas.problems import Problem
from ..schemas.validation import Checker, Names
from ..schemas.wording import metadata_mistakes
from . import registry
from .files import no_gc, read_bytes
from .format import Context, Options, Reading
from .images import ImageFinder
from .jsonkind import file_in
from .lakelook import NOTHING, LakeLook, Run, places_of
from .ledger import Ledger
from .opening import Progress, find_format, streamed
from .parallel import in_parts, processes
from .pictures import fitted
from .sifting import sifted

METADATA = "metadata"
"""The name by which the MetaLake's per-file metadata JSON is checked; it is no format that can be
converted."""

_HEAD = 1 << 16
_FILES_FIRST = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"files"\s*:')


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `images` and `annotations` count what was looked at: of a metadata file its entries."""

    problems: list[Problem]
    images: int = 0
    annotations: int = 0

    @property
    def valid(self) -> bool:
        """Whether no problem is an error."""
        return not any(problem.severity == "error" for problem in self.problems)

    def as_json(self) -> dict[str, Any]:
        """The form of `annolake validate --json`."""
        severities = Counter(problem.severity for problem in self.problems)
        codes = Counter(problem.code for problem in self.problems)
        return {
            "valid": self.valid,
            "problems": [problem.as_json() for problem in self.problems],
            "counts": {
                "errors": severities["error"],
                "warnings": severities["warning"],
                "notices": severities["notice"],
                "images": self.images,
                "annotations": self.annotations,
                "by_code": dict(sorted(codes.items())),
            },
        }


def kind_of(path: Path, format_name: str | None) -> str:
    """The format's name, or `metadata`: the one named, else the one that recognises `path`.

    UsageError where there is nothing, or no such format; InvalidInput where none, or several, recognise it.
    """
    if format_name == METADATA and path.exists():
        return METADATA
    try:
        return find_format(path, format_name).name
    except InvalidInput:
        if _is_metadata(path):
            return METADATA
        raise


def check(
    path: str | Path,
    *,
    format_name: str | None = None,
    images: str | Path | None = None,
    labels: Sequence[str] | None = None,
    normalized: bool = False,
    options: Mapping[str, Options] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Checked:
    """All problems of the file or data set at `path`.

    `images` is the folder of the pictures: sizes are compared and missing ones told. `labels` are the allowed
    names. `normalized`: coordinates are fractions, in a MetaLake file that does not say. `options` maps a
    format's name to its Options. `jobs`: processes that look at a large file, at most; by default one a core.
    A source that cannot be opened at all is one problem; UsageError if there is none, or the call makes no sense;
    LocalFailure where this computer refuses.
    """
    path = Path(path)
    try:
        kind = kind_of(path, format_name)
    except InvalidInput as error:
        return Checked(problems=[Problem.of(error)])
    if normalized and kind != METADATA and "normalized" not in _spaces(kind, options):
        raise UsageError("coordinates", f"{kind} has coordinates in pixels only", hint="leave --normalized out")
    finder = None if images is None else ImageFinder(Path(images))
    checker = _Checker(finder, None if labels is None else tuple(labels), jobs, progress)
    with no_gc():
        if kind == METADATA:
            checker.metadata(path)
        elif kind == "metalake":
            own = (options or {}).get(kind)
            checker.metalake(file_in(path), normalized=normalized or bool(getattr(own, "normalized", False)))
        else:
            checker.by_reader(path, kind, (options or {}).get(kind))
    return checker.result()


class _Checker:
    def __init__(
        self, finder: ImageFinder | None, labels: tuple[str, ...] | None, jobs: int | None, progress: Progress | None
    ) -> None:
        self.finder = finder
        self.labels = labels
        self.jobs = jobs
        self.progress = progress
        self.problems: list[Problem] = []
        self.said: set[tuple[str, str | None, int | str | None]] = set()
        self.images = self.annotations = 0

    def result(self) -> Checked:
        return Checked(problems=self.problems, images=self.images, annotations=self.annotations)

    def metadata(self, path: Path) -> None:
        file, data = str(path), read_bytes(path)
        self.problems += structure.problems(data, file, "metadata")
        try:
            data = jsontext.checked(data, file)
            raws, _ = metadata_file.open_file(data, file)
        except InvalidInput as error:
            self._stopped_by(error)
            return
        self.images = len(raws)
        first: dict[str, int] = {}
        lines, offsets = places_of(data, file, metadata_file.LIST_KEY, raws)
        for index, (raw, offset) in enumerate(zip(raws, offsets, strict=True)):
            try:
                entry = metadata_file.decode_entry(raw, file, index)
            except InvalidInput:
                continue  # explained above
            here = lines.place(offset)
            place = msgspec.structs.replace(
                here, pointer=pointer_text((metadata_file.LIST_KEY, index)), image=entry.file
            )
            for code, severity, message, fix in _entry_mistakes(entry, first.setdefault(entry.file, index), index):
                self.problems.append(Problem(code=code, severity=severity, message=message, place=place, fix=fix))

    def metalake(self, path: Path, *, normalized: bool) -> None:
        """The structure is examined only where the decoder stumbles: what it takes is as it must be."""
        file, data = str(path), read_bytes(path)
        try:
            document = metalake_decoding.open_document(data, file)
        except InvalidInput:
            self.problems += structure.problems(data, file, "annotations")
            if any(problem.code == "not-finite" for problem in self.problems):
                data = jsonscan.without_words(data)[0]  # told above; the rest is looked at all the same
            try:
                document = metalake_decoding.open_document(data, file)
            except InvalidInput as error:
                self._stopped_by(error)
                return
        self.images = len(document.images)
        space = document.catalog_as(normalized=normalized).coordinates
        lake = LakeLook(document, self.finder)

        def part(start: int, stop: int, _: Ledger, tell: Callable[[int], None]) -> Run:
            return lake.run(start, stop, coordinates=space, labels=self.labels, tell=tell)

        count = processes(self.jobs, self.images)
        runs = (
            in_parts(part, self.images, count, Ledger(), self.progress)
            if count > 1
            else [part(0, self.images, Ledger(), self._tell)]
        )
        self.annotations = sum(run.objects for run in runs)
        if any(run.odd for run in runs) and not self.problems:
            self.problems += structure.problems(data, file, "annotations")
        self.problems += _of_all(runs, lake)

    def by_reader(self, path: Path, kind: str, options: Options | None) -> None:
        reader, ledger = registry.get(kind), Ledger(lenient=True)
        context = Context(images=self.finder, shapes=True, jobs=self.jobs)
        try:
            reading = reader.read(path, options or reader.options(), context, ledger)
            meaning = Checker(coordinates=reading.catalog.coordinates, labels=self.labels)
            for record, named in self._images(reading, ledger):
                self._take(ledger)
                record, found = fitted(record, self.finder)
                for problem in (*found, *named, *meaning.check_alone(record, ledger.places or ())):
                    if _key(problem) not in self.said:
                        problem = _in_file(problem, ledger.file)
                        place = reading.locate(problem.place)
                        self.problems.append(msgspec.structs.replace(problem, place=place))
        except InvalidInput as error:
            ledger.problems.append(Problem.of(error))
        self._take(ledger)
        self.images, self.annotations = ledger.seen["images"], ledger.seen["annotations"]

    def _images(self, reading: Reading, ledger: Ledger) -> Iterator[tuple[Record, list[Problem]]]:
        """Those that take a close look, and what their names have against others'. `ledger` has seen all at the end."""
        names, seen = Names(), Ledger(lenient=True, places=False)
        over = sifted(reading, self.finder, self.labels, self.jobs, seen, self.progress)
        if over is None:
            for record in streamed(reading, ledger, self.progress):
                yield record, list(names.problems(record.image, Place(image=record.image)))
            return
        for number, name in enumerate(over.names):
            named = [] if name is None else list(names.problems(name, Place(image=name)))
            if named or number in over.odd:
                for record in streamed(reading, ledger, None, number, number + 1):
                    yield record, named
        ledger.seen = seen.seen

    def _take(self, ledger: Ledger) -> None:
        """Take over what the reader has found, so that nothing is said twice."""
        self.said.update(map(_key, ledger.problems))
        self.problems += ledger.problems
        ledger.problems.clear()

    def _stopped_by(self, error: InvalidInput) -> None:
        if self.result().valid:
            self.problems.append(Problem.of(error))

    def _tell(self, done: int) -> None:
        if self.progress is not None:
            self.progress(done, self.images)


def _of_all(runs: Sequence[Run], lake: LakeLook) -> Iterator[Problem]:
    """What was found in all runs, in the order of the images, and what their names have against one another."""
    names, locating = Names(), lake.locating()
    found = ChainMap(*(run.found for run in runs))
    for index, name in enumerate(chain.from_iterable(run.names for run in runs)):
        here = found.get(index, NOTHING)
        yield from here.size
        for problem in () if name is None else names.problems(name, Place(image=name)):
            yield locating.located(problem, index)
        yield from here.others


def _spaces(kind: str, options: Mapping[str, Options] | None) -> Sequence[str]:
    reader = registry.get(kind)
    return reader.fidelity((options or {}).get(kind) or reader.options()).coordinates


def _is_metadata(path: Path) -> bool:
    """By the key `files` at the root: the first one, or any in a file that can be decoded."""
    if not path.is_file():
        return False
    data = read_bytes(path)
    if _FILES_FIRST.match(data[:_HEAD]):
        return True
    try:
        return metadata_file.LIST_KEY in jsontext.members(jsontext.checked(data, str(path)), str(path))
    except InvalidInput:
        return False


def _key(problem: Problem) -> tuple[str, str | None, int | str | None]:
    return problem.code, problem.place.image, problem.place.annotation


def _in_file(problem: Problem, file: str) -> Problem:
    if problem.place.file is not None:
        return problem
    return msgspec.structs.replace(problem, place=msgspec.structs.replace(problem.place, file=file))


def _entry_mistakes(entry: metadata_file.Entry, first: int, index: int) -> Iterable[tuple[str, Any, str, str | None]]:
    """Mistakes of one entry of a metadata file; `first` is the number of the first entry with its name."""
    if not is_safe_name(entry.file):
        yield (
            "unsafe-name",
            "error",
            "this name is absolute or leads out of its folder",
            "use a relative name",
        )
    if first != index:
        yield (
            "duplicate-file",
            "error",
            f"the file is listed twice, first as files/{first}",
            "merge the two entries",
        )
    yield from metadata_mistakes(entry.fields)
