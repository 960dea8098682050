"""Batches of annotations on their way: what is to be sent of each image, what the service says to it, and the certainty
that nothing goes twice when an answer is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ..schemas.model import Annotation, Record
from .annotation_proof import Proof, digest
from .annotation_wire import Address, Reference, Run, element, labels_of, missing
from .batches import Batch, batches
from .checks import Annotations
from .errors import NetworkGaveUp, ProtocolError, ServiceRefused, TransferError
from .journal import Journal
from .journal_rows import ImageRow, ImageState
from .partly import refused_names
from .results import AnnotationsReport, Item
from .rows import interrupted, without_its_file
from .service import Service, quoted, word
from .transfer.workers import ahead

OnItem = Callable[[Item], None]

_TOO_LARGE = 413
_ASKED = 5
"""How often a batch is sent at most, when answers are lost."""

_OPEN = (
    "its answer was lost, and nobody can be asked whether it has arrived; the same operation id replaces what is there"
)
_AGAIN = f"{_OPEN}, so running it again does no harm"
_AFRESH = f"{_OPEN}, so --fresh, which sends all again, does no harm"
"""What to do where a service that replaces what an operation has sent, as its documentation has it, may have it."""


class Labels(msgspec.Struct, frozen=True):
    """The service's keys by label. `complete`: there is one for everything in the file."""

    keys: dict[str, Reference]
    complete: bool


class Outgoing:
    """The images of a file as they are to be sent: without what the service has no keys for."""

    def __init__(self, annotations: Annotations, labels: Labels) -> None:
        self.annotations = annotations
        self.labels = labels
        self._index: dict[str, int] | None = None

    def __iter__(self) -> Iterator[Record]:
        return map(self.kept, map(self.annotations.record, range(self.annotations.count)))

    def named(self, image: str) -> Record | None:
        if self._index is None:
            self._index = {image: index for index, image in enumerate(self.annotations.names())}
        index = self._index.get(image)
        return None if index is None else self.kept(self.annotations.record(index))

    def kept(self, record: Record) -> Record:
        """An image of the file without what the service has no keys for."""
        if self.labels.complete:
            return record
        kept = [one for one in record.annotations if _is_known(one, self.labels)]
        return msgspec.structs.replace(record, annotations=kept)


class Sending:
    """One upload: its batches one after the other, with the counts that the service is told."""

    def __init__(
        self,
        service: Service,
        outgoing: Outgoing,
        address: Address,
        run: Run,
        report: AnnotationsReport,
        journal: Journal,
        *,
        normalized: bool,
        without: Mapping[str, bool],
        on_item: OnItem | None,
    ) -> None:
        self._service = service
        self._outgoing = outgoing
        self._address = address
        self._run = run
        self._report = report
        self._journal = journal
        self._without = without
        self._path = f"/metadata/operationdata/{quoted(run.operation)}/update"
        self._query = {"isNormalized": word(normalized)}
        self._on_item = on_item
        self._proof = Proof(service, address, run.operation, journal, outgoing.named, is_exact=not normalized)
        self._held: set[str] = set()
        self._unshown: set[str] = set()
        self._is_cut_off = False
        self._shapes: dict[str, int] = {}
        self._digests: dict[str, str] = {}
        self._sent = 0

    def skip_what_is_held(self, *, resumed: bool) -> None:
        """Nothing of what the service has already is sent. Where it cannot be asked, the journal is believed: what was
        acknowledged is there, and what was sent and not acknowledged may be.
        """
        told = self._proof.held()
        held = set[str]() if told is None else told
        unsure = set[str]()
        for record in self._outgoing if resumed or told is None else ():
            row = self._row(record) if told is None or not record.annotations else None
            if row is not None and row.state == "done":
                held.add(record.image)
            elif row is not None and row.state == "sent" and record.annotations:
                unsure.add(record.image)
        self._held = (held | unsure).difference(self._without)
        self._sent = len(self._held)
        reason = "the service took them from an earlier run" if told is None else "the service has these annotations"
        self._tell(
            [
                Item.unsure(one, _AFRESH, retry_helps=False)
                if one in unsure
                else Item(name=one, state="skipped", reason=reason, verified_by="server")
                for one in sorted(self._held)
            ]
        )

    def send_the_rest(self) -> None:
        """ServiceRefused fails the images of its batch, NetworkGaveUp and NotAuthorised stop."""
        keys = self._outgoing.labels.keys
        waiting = ((record.image, element(record, self._address, self._run, keys)) for record in self._left())
        with ahead(batches(waiting)) as gathered:
            for batch in gathered:
                self._send(batch)

    def _left(self) -> Iterator[Record]:
        """The images that are to be sent; what is left out of them, and tags of images, are noted."""
        dropped = tags = 0
        for index in range(self._outgoing.annotations.count):
            whole = self._outgoing.annotations.record(index)
            if whole.image in self._without:
                self._report.items.append(without_its_file(whole.image, self._without))
                continue
            record = self._outgoing.kept(whole)
            dropped += len(whole.annotations) - len(record.annotations)
            tags += len(record.tags)
            if record.image not in self._held:
                self._shapes[record.image] = len(record.annotations)
                if self._journal.keeps:
                    self._digests[record.image] = digest(record)
                yield record
        notes = self._report.notes
        if dropped:
            notes.append(f"{dropped} annotations were left out: the service has no key for their labels")
        if tags:
            notes.append(f"{tags} tags of whole images stay in the file: the service has no place for them")

    def _send(self, batch: Batch) -> None:
        if self._is_cut_off:
            self._service.wait_for_answer()
            self._is_cut_off = False
        rows = self._rows(batch.names)
        self._journal.put(*rows)
        self._journal.flush()
        try:
            refused = self._surely(batch)
        except TransferError as error:
            self._failed(batch, rows, error)
            return
        except BaseException:
            self._tell([interrupted(name) for name in batch.names])
            raise
        self._sent += len(batch.names)
        self._report.batches += 1
        items = [self._item(name, refused) for name in batch.names]
        done = {item.name for item in items if item.state == "uploaded"}
        self._journal.put(*(_marked(row, "done" if row.name in done else "refused") for row in rows))
        self._tell(items)

    def _failed(self, batch: Batch, rows: list[ImageRow], error: TransferError) -> None:
        """What is refused for its size goes on in halves. What may have arrived stays open, and the others go on."""
        halves = batch.halves() if error.status == _TOO_LARGE else []
        for half in halves:
            self._send(half)
        if halves:
            return
        is_open = error.uncertain and not self._proof.is_possible
        if not error.uncertain:
            self._journal.put(*(_marked(row, "refused") for row in rows))
        if is_open:
            reason, helps = (_AFRESH, False) if self._journal.keeps else (_AGAIN, True)
            items = [Item.unsure(name, reason, error, retry_helps=helps) for name in batch.names]
        else:
            items = [self._without_answer(Item.failed(name, error)) for name in batch.names]
        self._sent += len(batch.names)
        self._tell(items)
        self._is_cut_off = is_open
        if not is_open and not isinstance(error, ServiceRefused):
            raise error

    def _without_answer(self, item: Item) -> Item:
        """A refusal does not tell what became of an attempt before it, where the image would not show."""
        return msgspec.structs.replace(item, state="uncertain") if item.name in self._unshown else item

    def _surely(self, batch: Batch) -> dict[str, str]:
        """Send it until an answer comes that makes sense, or until the service shows that it has it; what it does not
        take. Where the service cannot be asked, an error after which it may have it is `uncertain`.
        """
        sent = batch
        for asked in range(1, _ASKED + 1):
            try:
                return self._post(sent, self._sent + len(batch.names), fresh=asked > 1)
            except (NetworkGaveUp, ProtocolError) as error:
                makes_no_sense = isinstance(error, ProtocolError)
                if not makes_no_sense and not error.uncertain:
                    raise
                self._unshown.update(filter(self._is_empty, sent.names))
                if not makes_no_sense and self._proof.is_possible:
                    self._service.clock.sleep(self._service.clock.random() * 2.0**asked)
                left = self._not_held(sent)
                if left is not None and not left.names:
                    return {}
                error.uncertain = left is None or not makes_no_sense
                if left is None or makes_no_sense or asked == _ASKED:
                    raise
            sent = left
        return {}

    def _not_held(self, batch: Batch) -> Batch | None:
        """What of a batch that may have arrived has not; None where the service cannot be asked. Images without shapes
        do not show: they go along, where others go.
        """
        try:
            held = self._proof.held(batch.names)
        except TransferError as error:
            error.uncertain = True
            raise
        if not held:
            return None if held is None else batch
        left = batch.without(held)
        return left if not all(map(self._is_empty, left.names)) else Batch([], [])

    def _is_empty(self, name: str) -> bool:
        record = self._outgoing.named(name)
        return record is not None and not record.annotations

    def _post(self, batch: Batch, uploaded: int, *, fresh: bool) -> dict[str, str]:
        """The images that the service names as not taken; all others it has taken."""
        body: dict[str, Any] = {
            "metaUpdatesArray": batch.array(),
            "sessionId": self._report.session_id,
            "totalImageCount": self._outgoing.annotations.count,
            "uploadedImageCount": uploaded,
            "operationMode": 1 if self._run.human else 2,
            "operationType": 1,
        }
        operation = "send annotations"
        response = self._service.send(
            "POST", operation, self._path, query=self._query, body=body, repeat="unsent", fresh=fresh
        )
        if not response.content.strip():
            return {}
        refused = refused_names(self._service.whatever(operation, response))
        if not refused:
            self._service.agreed(operation, response)
        return refused

    def _item(self, name: str, refused: dict[str, str]) -> Item:
        reason = refused.get(self._address.prefix + name, refused.get(name))
        if reason is None:
            return Item(name=name, state="uploaded", status=200, verified_by="server")
        return Item(
            name=name, state="failed", reason=self._service.redactor.clean(reason), status=200, retry_helps=False
        )

    def _tell(self, items: list[Item]) -> None:
        self._report.items += items
        self._report.annotations += sum(self._shapes[item.name] for item in items if item.state == "uploaded")
        if self._on_item is not None:
            for item in items:
                self._on_item(item)

    def _rows(self, names: list[str]) -> list[ImageRow]:
        """What the journal, if there is one, is to keep of images that go now."""
        kept = names if self._journal.keeps else []
        return [ImageRow(self._run.operation, name, self._digests[name], "sent") for name in kept]

    def _row(self, record: Record) -> ImageRow | None:
        """What the journal knows of these annotations."""
        row = self._journal.get(ImageRow, self._run.operation, record.image)
        return row if row is not None and row.digest == digest(record) else None


def _marked(row: ImageRow, state: ImageState) -> ImageRow:
    return msgspec.structs.replace(row, state=state)


def _is_known(annotation: Annotation, labels: Labels) -> bool:
    return not missing(labels_of([Record(image="", annotations=[annotation])]), labels.keys)
