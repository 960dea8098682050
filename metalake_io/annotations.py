"""Upload of annotations: checked, labels looked up, sent in batches, every answer believed.

All that is wrong is found before anything is written: errors of the file, and labels that the service has no key for.
The service keeps one record for each image and operation id: the same id replaces, another adds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ..schemas.errors import Place, UsageError
from ..schemas.model import Record
from ..schemas.plain import is_object
from ..schemas.problems import Problem
from . import checks
from .annotation_sending import Labels, OnItem, Outgoing, Sending
from .annotation_wire import Address, Reference, Run, labels_of, missing
from .checks import Annotations
from .collections import Collections
from .errors import InvalidUpload
from .journal import Journal
from .journal_rows import SessionRow
from .results import AnnotationsReport
from .rows import attached, not_begun
from .service import Service
from .transfer.exchange import Response

MissingLabels = Literal["refuse", "skip"]
"""What becomes of annotations whose label, attribute or value the service has no key for."""

_USER = "Python SDK"
_LOOK_UP, _REFERENCES = "look up labels", "/client/system/label/references"


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
        prefix = self._collections.storage_path(collection_id) + "_"
        return Address(target="object_key", prefix=prefix, collection_id=collection_id)

    def labels(self, annotations: Annotations, missing_labels: MissingLabels = "refuse") -> Labels:
        """The service's keys for all labels, attributes and values of a file. InvalidUpload (`unknown-label`) names
        all that it has none for, unless they are to be skipped.
        """
        wanted = labels_of(annotations.record(index) for index in range(annotations.count))
        body = {"labels": wanted, "userName": _USER}
        known = self._references(self._service.send("POST", _LOOK_UP, _REFERENCES, body=body), wanted)
        unknown = missing(wanted, known)
        if unknown and missing_labels == "refuse":
            raise _unknown(annotations, known)
        return Labels(known, not unknown)

    def _references(self, response: Response, wanted: Iterable[str]) -> dict[str, Reference]:
        """Labels stand in the answer as its keys: one may be called `error`, or `isSuccess`."""
        if not response.content.strip():
            return {}
        answer: Any = self._service.whatever(_LOOK_UP, response)
        known: Any = {one: answer[one] for one in wanted if one in answer} if is_object(answer) else answer
        if not known:
            self._service.agreed(_LOOK_UP, response)
        return self._service.shaped(_LOOK_UP, response, known, dict[str, Reference])

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
        without: Mapping[str, bool] | None = None,
        on_item: OnItem | None = None,
        journal: Journal | None = None,
    ) -> AnnotationsReport:
        """All images of a checked file but those named in `without`, which fail; it says of each whether running it
        again may help. Items of the report are images, in the order of the file.

        A batch that is refused fails its images, and the others go on; NotAuthorised and NetworkGaveUp stop, with the
        report so far, in which the images that were not sent stand, too.

        With a journal, the service is asked first what it holds of this operation; that is not sent again, and the
        rest as an earlier run would have sent it.
        """
        journal = Journal() if journal is None else journal
        operation = checks.operation_id(operation_id)
        known = self.labels(annotations, missing_labels) if labels is None else labels
        before = journal.get(SessionRow, operation)
        resumed = before is not None and not before.finished
        stamp = before.stamp if before is not None and resumed else self._service.clock.time()
        report = AnnotationsReport(session_id=str(stamp))
        journal.put(SessionRow(operation, stamp))
        sending = Sending(
            self._service,
            Outgoing(annotations, known),
            address,
            Run(operation, not model_run, stamp),
            report,
            journal,
            normalized=normalized,
            without=without or {},
            on_item=on_item,
        )
        try:
            with attached(report):
                if journal.keeps:
                    sending.skip_what_is_held(resumed=resumed)
                sending.send_the_rest()
        except BaseException:
            told = {item.name for item in report.items}
            report.items += not_begun(name for name in annotations.names() if name not in told)
            raise
        if report.complete:
            journal.put(SessionRow(operation, stamp, finished=1))
        return report


def _unknown(annotations: Annotations, known: Mapping[str, Reference]) -> InvalidUpload:
    """What the service has no key for: how often, and where first."""
    counts: Counter[str] = Counter()
    places: dict[str, Place] = {}
    for index in range(annotations.count):
        for number, one in enumerate(annotations.record(index).annotations):
            for what in missing(labels_of([Record(image="", annotations=[one])]), known):
                counts[what] += 1
                if what not in places:
                    places[what] = annotations.place(index, number)
    told = [f"{what} ({many} annotation{'s' if many > 1 else ''})" for what, many in counts.items()]
    shown = ", ".join(told[:10]) + (f" and {len(told) - 10} more" if len(told) > 10 else "")
    hint = "create them in the service, or skip what bears them"
    error = InvalidUpload(
        "unknown-label",
        f"the service has no key for {len(told)} labels or attributes: {shown}",
        place=next(iter(places.values())),
        hint=hint,
    )
    error.problems = tuple(
        Problem(code="unknown-label", severity="error", message=f"no key for {one}", place=place, fix=hint)
        for one, place in zip(told, places.values(), strict=True)
    )
    return error
