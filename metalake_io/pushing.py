"""A data set of any format into a collection: converted, checked, and only then sent.

Coordinates are sent in pixels: what the service holds is what was converted, whatever it takes for a picture's size.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..converters import Choice, Report, convert
from ..converters.checking import check
from ..converters.files import read_bytes
from ..converters.format import Options
from ..converters.images import Exif, ImageFinder
from ..converters.opening import Progress
from ..schemas import metalake_decoding, metalake_encoding
from ..schemas.errors import AnnolakeError, InvalidInput, LossRefused, Place
from ..schemas.metadata_file import Entry
from ..schemas.model import Record
from ..schemas.problems import Problem
from . import checks
from .annotations import MissingLabels, OnItem
from .checks import Annotations
from .collection_upload import Belongings
from .errors import InvalidUpload, NetworkGaveUp, ServiceRefused, TransferError
from .facts import FIELD, facts_of, file_name, text_of
from .journal import Journal, keeping
from .kinds import SUFFIXES, collection_target
from .parts import Parts
from .results import AnnotationsReport, Item, MetadataReport, UploadReport
from .rows import attached, interrupted
from .scanning import Scan, Source, look_at
from .transfer.bodies import Moved


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A push with nothing sent yet. `files` under the names that the collection will have; `annotations` name images
    so, too; `entries` and `catalog` are what rides in metadata (`facts`). `conversion`: what was converted.
    """

    files: Scan
    annotations: Annotations
    entries: list[Entry]
    catalog: str
    conversion: Report
    problems: list[Problem]

    def forecast(self) -> UploadReport:
        """What would be sent."""
        would = "would be uploaded, unless the collection has it"
        files = [Item(name=one.name, state="planned", reason=would, size=one.size) for one in self.files.entries]
        images = [Item(name=name, state="planned", reason="would be sent") for name in self.annotations.names()]
        return UploadReport(items=files, annotations=AnnotationsReport(items=images), told=self.told())

    def told(self) -> dict[str, Any]:
        """What conversion and checks have found, as in the JSON of `convert` and `validate`."""
        found = [problem.as_json() for problem in self.problems]
        return {"decisions": self.conversion.decisions, "losses": self.conversion.losses, "problems": found}


def plan(
    source: Path,
    images: Path,
    *,
    from_: str | None = None,
    model_run: bool = False,
    choice: Choice | None = None,
    labels: tuple[str, ...] | None = None,
    exif: Exif = "turned",
    allow_loss: bool = False,
    options: Mapping[str, Options] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Convert and check the data set at `source`, and find its pictures below `images`. Nothing is sent.

    LossRefused where the service could not keep everything; InvalidUpload with all errors of the data set; InvalidInput
    for pictures that are missing, or that would have one name in the collection.
    """
    finder = ImageFinder(images, exif)
    problems = check(source, format_name=from_, images=images, options=options, progress=progress).problems
    with tempfile.TemporaryDirectory(prefix="annolake-") as folder:
        path = Path(folder) / "annotations.json"
        try:
            conversion = convert(
                source,
                path,
                to="metalake",
                from_=from_,
                images=images,
                coordinates="pixels",
                choice=choice,
                labels=labels,
                exif=exif,
                allow_loss=allow_loss,
                options=options,
                progress=progress,
            )
        except LossRefused as error:
            error.report = _named(error.report)
            raise
        data = read_bytes(path)
    if any(problem.severity == "error" for problem in problems):
        raise InvalidUpload.of(problems)
    document = metalake_decoding.open_document(data, str(source))
    decoded = [metalake_decoding.decode_record(raw, str(source), n, _unheard) for n, raw in enumerate(document.images)]
    _refuse_losses(decoded, conversion, model_run=model_run, allow_loss=allow_loss)
    files = _files(decoded, finder, source)
    entries = [
        Entry(
            file=file_name(record.image),
            metadata={FIELD: text_of(facts_of(msgspec.json.decode(raw), record, human=not model_run))},
        )
        for raw, record in zip(document.images, decoded, strict=True)
    ]
    catalog = document.catalog_as(normalized=False)
    sent = (msgspec.structs.replace(record, image=file_name(record.image), tags=()) for record in decoded)
    rewritten = b"".join(metalake_encoding.encode_document(sent, catalog))
    return Plan(
        files=files,
        annotations=checks.annotations_in(rewritten, str(source), normalized=False),
        entries=entries,
        catalog=b"".join(metalake_encoding.encode_end(catalog, empty=True)).decode(),
        conversion=_named(conversion),
        problems=problems,
    )


def push(
    parts: Parts,
    planned: Plan,
    collection: str,
    operation_id: str,
    *,
    model_run: bool = False,
    missing_labels: MissingLabels = "refuse",
    on_item: OnItem | None = None,
    on_annotated: OnItem | None = None,
    moved: Moved | None = None,
    journal: Journal | Path | None = None,
) -> UploadReport:
    """Send it. InvalidUpload (`unknown-label`), before the first write, for labels that the service has no key for.

    Files that are there are left as they are; facts and annotations of all are sent anew. With a journal, in a file of
    its own for each collection, a run goes on where an earlier one has ended, and annotations are sent once.
    """
    operation = checks.operation_id(operation_id)
    checks.collection(collection)
    belongings = Belongings(
        entries=parts.metadata.check(planned.entries),
        annotations=planned.annotations,
        labels=parts.annotations.labels(planned.annotations, missing_labels),
        operation_id=operation,
        model_run=model_run,
        by_name=True,
    )
    with keeping(journal, parts.service.base_url, collection_target(collection, "image")) as kept:
        report = parts.files.send(
            planned.files,
            "image",
            collection,
            belongings,
            on_item=on_item,
            on_annotated=on_annotated,
            moved=moved,
            journal=kept,
            told=planned.told(),
        )
    if report.finished and report.metadata is not None:
        with attached(report):
            _send_catalog(parts, planned, collection, report.metadata)
    return report


def _send_catalog(parts: Parts, planned: Plan, collection: str, report: MetadataReport) -> None:
    try:
        parts.metadata.of_collection(collection, "image", {FIELD: planned.catalog}, to_all_files=False)
    except TransferError as error:
        report.items.append(Item.failed(collection, error))
        if not isinstance(error, ServiceRefused | NetworkGaveUp):
            raise
    except BaseException:
        report.items.append(interrupted(collection))
        raise


def _files(records: Iterable[Record], finder: ImageFinder, source: Path) -> Scan:
    """The pictures of all images, looked at. InvalidUpload with all that cannot be sent."""
    sources: list[Source] = []
    by_name: dict[str, list[str]] = {}
    problems: list[Problem] = []
    for record in records:
        place = Place(file=str(source), image=record.image)
        try:
            path = finder.find(record.image.removeprefix("/"))
            found = None if path is None else look_at(path, path.name, "image", finder.root.resolve())
        except AnnolakeError as error:
            problems.append(Problem(code=error.code, severity="error", message=error.message, place=place))
            continue
        if isinstance(found, Source):
            sources.append(msgspec.structs.replace(found, name=file_name(record.image)))
            by_name.setdefault(sources[-1].name, []).append(record.image)
        elif found is None:
            fix = "check --images, or leave the image out with --only-images"
            problems.append(_problem("missing-picture", "there is no such picture", place, fix))
        else:
            fix = "mend the file or its name, or leave the image out with --only-images"
            if found.state == "skipped":
                fix = f"the service takes {', '.join(SUFFIXES['image'])}"
            problems.append(_problem("no-picture", found.reason or "it cannot be uploaded", place, fix))
    for name, images in by_name.items():
        if len(images) > 1:
            message = f"{_listed(images)} would be one file, {name!r}: a collection has no folders"
            problems.append(_problem("same-file-name", message, Place(file=str(source)), "rename one of them"))
    if problems:
        raise InvalidUpload.of(problems)
    if not sources:
        raise InvalidInput(
            "nothing-to-upload", "there are no images", place=Place(file=str(source)), hint="is it the right data set?"
        )
    return Scan(sorted(sources, key=lambda one: one.name), [], single=False)


def _listed(names: list[str]) -> str:
    """`'a' and 'b'`, and how many more."""
    more = f" and {len(names) - 2:,} more" if len(names) > 2 else ""
    return f"{names[0]!r} and {names[1]!r}{more}"


def _refuse_losses(records: Iterable[Record], conversion: Report, *, model_run: bool, allow_loss: bool) -> None:
    """What the service does not keep although MetaLake JSON can say it."""
    unknown = unsure = 0
    for record in records:
        for shape in record.annotations:
            unknown += bool(shape.extras)
            values = (value for many in shape.attributes.values() for value in many)
            unsure += not model_run and any(value.confidence not in (None, 1) for value in values)
    if allow_loss or not (unknown or unsure):
        return
    lost = [f"unknown keys of {unknown} annotations"] if unknown else []
    lost += [f"the confidence in attributes of {unsure} annotations (people are taken to be sure)"] if unsure else []
    hint = "--allow-loss sends all else" + ("; --model-run keeps confidences" if unsure else "")
    error = LossRefused("loss-refused", f"the service does not keep {' and '.join(lost)}; nothing was sent", hint=hint)
    error.report = _named(conversion)
    raise error


def _named(conversion: Report) -> Report:
    """The report without the temporary file that nobody will see."""
    return msgspec.structs.replace(conversion, target="to be sent")


def _problem(code: str, message: str, place: Place, fix: str) -> Problem:
    return Problem(code=code, severity="error", message=message, place=place, fix=fix)


def _unheard(_: Any) -> None:
    """What we wrote ourselves has no older forms."""
