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
from .journal_rows import ImageRow
from .partly import refused_names
from .results import AnnotationsReport, Item
from .rows import interrupted, without_its_file
from .service import Service, quoted, word
from .transfer.workers import ahead

OnItem = Callable[[Item], None]

_TOO_LARGE = 413
_ASKED = 5
"""How often a batch is sent at most, when answers are lost."""


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
        self._shapes: dict[str, int] = {}
        self._digests: dict[str, str] = {}
        self._sent = 0

    def skip_what_is_held(self, *, resumed: bool) -> None:
        """Nothing of what the service has already is sent. Where it cannot be asked, an earlier run that did not come
        to its end is believed in what was acknowledged to it.
        """
        told = self._proof.held() if self._proof.is_possible else None
        self._held = set() if told is None else told
        for record in self._outgoing if resumed else ():
            if (told is None or not record.annotations) and self._is_done(record):
                self._held.add(record.image)
        self._held.difference_update(self._without)
        self._sent = len(self._held)
        reason = "the service has these annotations"
        self._tell([Item(name=one, state="skipped", reason=reason, verified_by="server") for one in sorted(self._held)])

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
        rows = self._rows(batch.names)
        self._journal.put(*rows)
        self._journal.flush()
        try:
            refused = self._surely(batch)
        except ServiceRefused as error:
            halves = batch.halves() if error.status == _TOO_LARGE else []
            for half in halves:
                self._send(half)
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
        items = [self._item(name, refused) for name in batch.names]
        done = {item.name for item in items if item.state == "uploaded"}
        self._journal.put(*(msgspec.structs.replace(row, state="done") for row in rows if row.name in done))
        self._tell(items)

    def _surely(self, batch: Batch) -> dict[str, str]:
        """Send it until an answer comes that makes sense, or until the service shows that it has it; what it does not
        take.
        """
        sent = batch
        for asked in range(1, _ASKED + 1):
            try:
                return self._post(sent, self._sent + len(batch.names))
            except (NetworkGaveUp, ProtocolError) as error:
                is_lost = isinstance(error, NetworkGaveUp)
                if (is_lost and not error.uncertain) or not self._proof.is_possible or asked == _ASKED:
                    raise
                if is_lost:
                    self._service.clock.sleep(self._service.clock.random() * 2.0**asked)
                left = self._not_held(sent)
                if left is None:
                    return {}
                if not is_lost:
                    raise
            sent = left
        return {}

    def _not_held(self, batch: Batch) -> Batch | None:
        """What of a batch that may have arrived has not. Images without shapes do not show: they go along."""
        held = self._proof.held(batch.names)
        if not held:
            return batch
        empty = {name for name in batch.names if name not in held and self._is_empty(name)}
        if len(held & {*batch.names}) + len(empty) == len(batch.names):
            return None
        return batch.without(held)

    def _is_empty(self, name: str) -> bool:
        record = self._outgoing.named(name)
        return record is not None and not record.annotations

    def _post(self, batch: Batch, uploaded: int) -> dict[str, str]:
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
        repeat = "unsent" if self._proof.is_possible else "always"
        response = self._service.send("POST", operation, self._path, query=self._query, body=body, repeat=repeat)
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

    def _is_done(self, record: Record) -> bool:
        row = self._journal.get(ImageRow, self._run.operation, record.image)
        return row is not None and row.state == "done" and row.digest == digest(record)


def _is_known(annotation: Annotation, labels: Labels) -> bool:
    return not missing(labels_of([Record(image="", annotations=[annotation])]), labels.keys)
