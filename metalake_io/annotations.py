"""Upload of annotations: checked, labels looked up, sent in batches, every answer believed.

All that is wrong is found before anything is written: errors of the file, and labels that the service has no key for.
The service keeps one record for each image and operation id: the same id replaces, another adds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Literal

import msgspec

from ..schemas.errors import InvalidInput, Place, UsageError
from ..schemas.model import Annotation, Record
from . import checks
from .annotation_wire import Address, Reference, Run, element, labels_of, missing
from .batches import Batch, batches
from .checks import Annotations
from .collections import Collections
from .errors import ServiceRefused, TransferError
from .partly import refused_names
from .results import AnnotationsReport, Item
from .rows import attached, interrupted, not_begun
from .service import Service, quoted, word

MissingLabels = Literal["refuse", "skip"]
"""What becomes of annotations whose label, attribute or value the service has no key for."""

OnItem = Callable[[Item], None]

_USER = "Python SDK"
_TOO_LARGE = 413


class AnnotationUploads:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._collections = Collections(service)

    def to_collection(self, collection_name: str) -> Address:
        """The address of images by their file names in an image collection."""
        if not collection_name:
            raise UsageError("collection-name", "Collection name cannot be empty")
        return self.in_collection(self._collections.id_of(collection_name, "image"))

    def in_collection(self, collection_id: str) -> Address:
        """The same for a collection's id."""
        return Address(target="object_key", prefix=self._collections.storage_path(collection_id) + "_")

    def labels(self, annotations: Annotations, missing_labels: MissingLabels = "refuse") -> Labels:
        """The service's keys for all labels, attributes and values of a file. InvalidInput (`unknown-label`) names
        all that it has none for, unless they are to be skipped.
        """
        wanted = labels_of(annotations.record(index) for index in range(annotations.count))
        body = {"labels": wanted, "userName": _USER}
        operation = "look up labels"
        known = self._service.post(operation, "/client/system/label/references", body, dict[str, Reference], empty={})
        unknown = missing(wanted, known)
        if unknown and missing_labels == "refuse":
            shown = ", ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else "")
            raise InvalidInput(
                "unknown-label",
                f"the service has no key for {len(unknown)} labels or attributes: {shown}",
                place=Place(file=annotations.file),
                hint="create them in the service, or skip what bears them",
            )
        return Labels(known, not unknown)

    def send(
        self,
        annotations: Annotations,
        address: Address,
        operation_id: str,
        *,
        normalized: bool,
        model_run: bool,
        labels: Labels | None = None,
        missing_labels: MissingLabels = "refuse",
        without: Collection[str] = (),
        on_item: OnItem | None = None,
    ) -> AnnotationsReport:
        """All images of a checked file but those named in `without`, which fail. Items of the report are images, in
        the order of the file.

        A batch that is refused fails its images, and the others go on; NotAuthorised and NetworkGaveUp stop, with the
        report so far, in which the images that were not sent stand, too.
        """
        operation = checks.operation_id(operation_id)
        known = self.labels(annotations, missing_labels) if labels is None else labels
        stamp = self._service.clock.time()
        report = AnnotationsReport(session_id=str(stamp))
        run = Run(operation, not model_run, stamp)
        sending = _Sending(self._service, run, address.prefix, report, annotations.count, normalized, on_item)
        images = _sendable(annotations, known, without, report, sending.shapes)
        waiting = ((record.image, element(record, address, run, known.keys)) for record in images)
        try:
            with attached(report):
                for batch in batches(waiting):
                    sending.send(batch)
        except BaseException:
            told = {item.name for item in report.items}
            report.items += not_begun(name for name in annotations.names() if name not in told)
            raise
        return report


class Labels(msgspec.Struct, frozen=True):
    """The service's keys by label. `complete`: there is one for everything in the file."""

    keys: dict[str, Reference]
    complete: bool


class _Sending:
    """Batches of one upload, one after the other, with the counts that the service is told."""

    def __init__(
        self,
        service: Service,
        run: Run,
        prefix: str,
        report: AnnotationsReport,
        total: int,
        normalized: bool,
        on_item: OnItem | None,
    ) -> None:
        self._service = service
        self._run = run
        self._prefix = prefix
        self._report = report
        self._total = total
        self._path = f"/metadata/operationdata/{quoted(run.operation)}/update"
        self._query = {"isNormalized": word(normalized)}
        self._on_item = on_item
        self._sent = 0
        self.shapes: dict[str, int] = {}

    def send(self, batch: Batch) -> None:
        body = {
            "metaUpdatesArray": batch.array(),
            "sessionId": self._report.session_id,
            "totalImageCount": self._total,
            "uploadedImageCount": self._sent + len(batch.names),
            "operationMode": 1 if self._run.human else 2,
            "operationType": 1,
        }
        try:
            refused = self._post(body)
        except ServiceRefused as error:
            halves = batch.halves() if error.status == _TOO_LARGE else []
            for half in halves:
                self.send(half)
            if not halves:
                self._sent += len(batch.names)
                self._tell([Item.failed(name, error) for name in batch.names])
            return
        except TransferError as error:
            self._tell([Item.failed(name, error) for name in batch.names])
            raise
        except BaseException:
            self._tell([interrupted(name) for name in batch.names])
            raise
        self._sent += len(batch.names)
        self._report.batches += 1
        self._tell([self._item(name, refused) for name in batch.names])

    def _post(self, body: dict[str, Any]) -> dict[str, str]:
        """The images that the service names as not taken; all others it has taken."""
        operation = "send annotations"
        response = self._service.send("POST", operation, self._path, query=self._query, body=body)
        if not response.content.strip():
            return {}
        refused = refused_names(self._service.whatever(operation, response))
        if not refused:
            self._service.plain(operation, response)
        return refused

    def _item(self, name: str, refused: dict[str, str]) -> Item:
        reason = refused.get(self._prefix + name, refused.get(name))
        if reason is None:
            return Item(name=name, state="uploaded", status=200, verified_by="server")
        return Item(
            name=name, state="failed", reason=self._service.redactor.clean(reason), status=200, retry_helps=False
        )

    def _tell(self, items: list[Item]) -> None:
        self._report.items += items
        self._report.annotations += sum(self.shapes[item.name] for item in items if item.state == "uploaded")
        if self._on_item is not None:
            for item in items:
                self._on_item(item)


def _sendable(
    annotations: Annotations, known: Labels, without: Collection[str], report: AnnotationsReport, shapes: dict[str, int]
) -> Iterator[Record]:
    """The images, without what the service has no keys for; what is left out, and tags of images, are noted."""
    dropped = tags = 0
    for index in range(annotations.count):
        record = annotations.record(index)
        if record.image in without:
            report.items.append(Item(name=record.image, state="failed", reason="its file did not arrive"))
            continue
        kept = record.annotations if known.complete else [one for one in record.annotations if _is_known(one, known)]
        dropped += len(record.annotations) - len(kept)
        tags += len(record.tags)
        shapes[record.image] = len(kept)
        yield msgspec.structs.replace(record, annotations=kept)
    if dropped:
        report.notes.append(f"{dropped} annotations were left out: the service has no key for their labels")
    if tags:
        report.notes.append(f"{tags} tags of whole images stay in the file: the service has no place for them")


def _is_known(annotation: Annotation, known: Labels) -> bool:
    return not missing(labels_of([Record(image="", annotations=[annotation])]), known.keys)
