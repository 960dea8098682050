"""Files with their metadata and annotations in one go: everything is checked before the first byte is sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..schemas.errors import UsageError
from ..schemas.metadata_file import Entry
from . import checks
from .annotation_wire import Address
from .annotations import AnnotationUploads, Labels, OnItem
from .checks import Annotations
from .errors import ServiceRefused
from .file_upload import Looked
from .jobs import Jobs
from .journal import Journal, keeping
from .kinds import collection_target, media
from .metadata import MetadataUploads
from .results import AnnotationsReport, MetadataReport, UploadReport
from .rows import attached, not_begun, report_of, unsent, without_its_file
from .scanning import Pictures, Scan
from .service import Service
from .transfer.bodies import Moved
from .uploads import Uploads

_KEYS = ("json_data_file_path", "operation_unique_id", "is_normalized", "is_model_run")


class AnnotationData(msgspec.Struct, frozen=True):
    """The documented dictionary `annotation_data`, checked."""

    path: Path
    operation_id: str
    normalized: bool
    model_run: bool

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> AnnotationData | None:
        """None where it is empty, or says that there is no file: `json_data_file_path` None, the documented default.

        UsageError for what is missing, unknown or of the wrong kind.
        """
        if not given:
            return None
        unknown = sorted(map(str, set(given) - set(_KEYS)))
        missing = [key for key in _KEYS[:2] if key not in given]
        if unknown or (missing and given.get("json_data_file_path", "") is not None):
            what = f"has no key {', '.join(unknown)}" if unknown else f"lacks {', '.join(missing)}"
            raise UsageError("annotation-data", f"annotation_data {what}", hint=f"its keys are {', '.join(_KEYS)}")
        if given["json_data_file_path"] is None:
            return None
        if not isinstance(given["json_data_file_path"], str | Path):
            raise UsageError("annotation-data", "json_data_file_path is no path", hint="name the file")
        normalized, model_run = (checks.flag(given.get(key, False), key) for key in _KEYS[2:])
        path = Path(given["json_data_file_path"])
        return cls(path, checks.operation_id(given["operation_unique_id"]), normalized, model_run)


class Belongings(msgspec.Struct, frozen=True):
    """What goes along with files, checked, and known to the service as far as it can be before they are there.

    `by_name`: entries and annotations name files as the collection has them, whichever upload brought them; else as
    this upload does.
    """

    entries: list[Entry] | None = None
    annotations: Annotations | None = None
    labels: Labels | None = None
    operation_id: str = ""
    normalized: bool = False
    model_run: bool = False
    by_name: bool = False

    @property
    def are_any(self) -> bool:
        return self.entries is not None or self.annotations is not None

    def forecast(self) -> UploadReport:
        """A report in which all of it is still to be done."""
        report = UploadReport()
        if self.entries is not None:
            report.metadata = MetadataReport(items=not_begun(entry.file for entry in self.entries))
        if self.annotations is not None:
            report.annotations = AnnotationsReport(items=not_begun(self.annotations.names()))
        return report


class CollectionUpload:
    def __init__(self, service: Service, uploads: Uploads) -> None:
        self._server = service.base_url
        self._uploads = uploads
        self._jobs = Jobs(service)
        self._metadata = MetadataUploads(service)
        self._annotations = AnnotationUploads(service)

    def run(
        self,
        path: Path,
        content_type: str,
        collection_name: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        override_metadata: bool = False,
        metadata_file: Path | None = None,
        storage_prefix: str | None = None,
        annotation_data: AnnotationData | None = None,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
        journal: Journal | Path | None = None,
        planned: Scan | None = None,
    ) -> UploadReport:
        """The report has the files' items, and reports of their own for metadata and annotations.

        These are sent when the service's job for the files has completed, for files that have arrived. With a journal,
        in a file of its own for each collection, a run goes on where an earlier one has ended. `planned`: what stands
        at `path`, where that has been looked at already.
        """
        if annotation_data is not None and media(content_type) != "image":
            raise UsageError("content-type", "annotations go with images only", hint="leave annotation_data out")
        checks.collection(collection_name)
        fields = checks.metadata_object(metadata or {})
        planned = self._uploads.plan(path, content_type) if planned is None else planned
        pictures = Pictures() if media(content_type) == "image" else None
        belongings = self._check(metadata_file, annotation_data)
        with keeping(journal, self._server, collection_target(collection_name, content_type)) as kept:
            return self.send(
                planned,
                content_type,
                collection_name,
                belongings,
                metadata=fields,
                override_metadata=override_metadata,
                storage_prefix=storage_prefix,
                on_item=on_item,
                moved=moved,
                journal=kept,
                told={} if pictures is None else {"problems": pictures.problems},
                looked=None if pictures is None else pictures.look,
            )

    def send(
        self,
        planned: Scan,
        content_type: str,
        collection_name: str,
        belongings: Belongings,
        *,
        metadata: dict[str, Any] | None = None,
        override_metadata: bool = False,
        storage_prefix: str | None = None,
        on_item: OnItem | None = None,
        on_annotated: OnItem | None = None,
        moved: Moved | None = None,
        journal: Journal | None = None,
        told: dict[str, Any] | None = None,
        looked: Looked | None = None,
    ) -> UploadReport:
        """The same for what was looked at and checked already. `on_annotated` hears of each image's annotations, `told`
        goes into the report.
        """
        report = belongings.forecast()
        report.told = told or {}
        with attached(report):
            self._uploads.send(
                planned,
                content_type,
                collection_name,
                metadata=metadata or {},
                override_metadata=override_metadata,
                storage_prefix=storage_prefix,
                on_item=on_item,
                moved=moved,
                report=report,
                journal=journal,
                one_job=belongings.are_any and not belongings.by_name,
                looked=looked,
            )
            if belongings.are_any:
                self._send_belongings(belongings, report, on_annotated, journal)
        return report

    def _send_belongings(
        self, belongings: Belongings, report: UploadReport, on_item: OnItem | None, journal: Journal | None
    ) -> None:
        why_not = self._not_ready(report)
        gone = {item.name: bool(item.retry_helps) for item in report.of("failed", "uncertain")}
        try:
            if belongings.entries is not None:
                report.metadata = self._send_metadata(belongings, report, gone, why_not)
            if belongings.annotations is not None:
                report.annotations = self._send_annotations(belongings, report, gone, why_not, on_item, journal)
        except BaseException as error:
            part = report_of(error)
            if isinstance(part, AnnotationsReport):
                report.annotations = part
            elif isinstance(part, MetadataReport):
                report.metadata = part
            raise

    def _check(self, metadata_file: Path | None, data: AnnotationData | None) -> Belongings:
        """Files first, then what the service has to say about tags, fields and labels."""
        entries = None if metadata_file is None else checks.read_metadata(metadata_file)
        annotations = None if data is None else checks.read_annotations(data.path, normalized=data.normalized)
        entries = None if entries is None else self._metadata.check(entries)
        if annotations is None or data is None:
            return Belongings(entries)
        labels = self._annotations.labels(annotations)
        return Belongings(entries, annotations, labels, data.operation_id, data.normalized, data.model_run)

    def _not_ready(self, report: UploadReport) -> str | None:
        """Why the service is not ready for what belongs to the files. NetworkGaveUp where that is not known."""
        if not report.finished:
            return "the upload could not be completed; not sent"
        try:
            for job in report.earlier_jobs:
                self._jobs.wait(job)
            if self._jobs.wait(report.job_id) == "COMPLETED":
                return None
        except ServiceRefused as error:
            return f"{error.message}; not sent"
        return "the service failed to process the files; not sent"

    def _send_metadata(
        self, belongings: Belongings, report: UploadReport, gone: Mapping[str, bool], why_not: str | None
    ) -> MetadataReport:
        entries = belongings.entries or []
        if why_not is not None:
            return MetadataReport(items=[unsent(entry.file, why_not) for entry in entries])
        arrived = [entry for entry in entries if entry.file not in gone]
        if belongings.by_name:
            sent = self._metadata.send(arrived, collection_id=report.collection_id)
        else:
            sent = self._metadata.send(arrived, job_id=report.job_id)
        sent.items += [without_its_file(entry.file, gone) for entry in entries if entry.file in gone]
        return sent

    def _send_annotations(
        self,
        belongings: Belongings,
        report: UploadReport,
        gone: Mapping[str, bool],
        why_not: str | None,
        on_item: OnItem | None,
        journal: Journal | None,
    ) -> AnnotationsReport:
        annotations = belongings.annotations
        if annotations is None:
            return AnnotationsReport()
        if why_not is not None:
            return AnnotationsReport(items=[unsent(record.image, why_not) for record in annotations.records()])
        if belongings.by_name:
            address = self._annotations.in_collection(report.collection_id)
        else:
            address = Address(target="job", job_id=report.job_id, collection_id=report.collection_id)
        return self._annotations.send(
            annotations,
            address,
            belongings.operation_id,
            normalized=belongings.normalized,
            model_run=belongings.model_run,
            labels=belongings.labels,
            without=gone,
            on_item=on_item,
            journal=journal,
        )
