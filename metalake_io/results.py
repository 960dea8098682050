"""What came of a transfer, item by item: the truth behind the documented dictionaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar, Literal, get_args

import msgspec

from ..schemas.errors import AnnolakeError
from .errors import PartlyDone, ServiceRefused, TransferError

State = Literal["uploaded", "downloaded", "skipped", "failed", "uncertain", "planned", "not begun"]
"""`planned`: by a dry run. `not begun`: the run stopped before. `uncertain`: the service may have it or not."""

MISSING: tuple[State, ...] = ("failed", "uncertain", "not begun")
"""States of what was asked for and is not known to be done."""

Verified = Literal["md5", "crc32c", "size", "server", "none"]
"""How well it is known that what arrived is what was sent, the best first: by hash, by length, by the server's word,
not at all.
"""


def weakest(proofs: Iterable[Verified | None]) -> Verified | None:
    """The weakest of some proofs; None where there are none."""
    known, order = set(proofs), reversed(get_args(Verified))
    return next((one for one in order if one in known), None)


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One file, image or metadata entry. `reason` says why it was skipped or failed; `status` is the last HTTP
    status, `request_id` the server's number for that request, `retry_helps` whether the same call may do better,
    `size` counts bytes. No `attempts`: nothing was asked of the service.
    """

    name: str
    state: State
    reason: str | None = None
    attempts: int = 1
    status: int | None = None
    request_id: str | None = None
    retry_helps: bool | None = None
    verified_by: Verified | None = None
    size: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Its row in `--json`. Of what is missing all is said, also what is not known; of the rest what there is."""
        row = msgspec.to_builtins(self)
        if self.state not in MISSING:
            return row
        rest = {"attempts": self.attempts, "status": None, "request_id": None, "retry_helps": False}
        return {**row, "verified_by": "none", **rest, **row}

    @classmethod
    def failed(cls, name: str, error: AnnolakeError, size: int | None = None) -> Item:
        """The item that an error stopped. `uncertain` where the server may have done it all the same."""
        known = isinstance(error, TransferError)
        return cls(
            name=name,
            state="uncertain" if known and error.uncertain else "failed",
            reason=error.said if isinstance(error, ServiceRefused) and error.said else error.message,
            attempts=error.attempts if known else 1,
            status=error.status if known else None,
            request_id=error.request_id if known else None,
            retry_helps=known and (error.retry_helps or error.uncertain),
            size=size,
        )

    @classmethod
    def unsure(cls, name: str, reason: str, error: TransferError | None = None, *, retry_helps: bool) -> Item:
        """The item that the service may have or not, and nobody can find out."""
        status, request_id, attempts = (error.status, error.request_id, error.attempts) if error else (None, None, 0)
        return cls(
            name=name,
            state="uncertain",
            reason=reason,
            attempts=attempts,
            status=status,
            request_id=request_id,
            retry_helps=retry_helps,
        )


class Report(msgspec.Struct, kw_only=True):
    """All items of one call, in the order of the plan. `notes` are facts worth telling that are nobody's failure."""

    moved: ClassVar[State] = "uploaded"
    """The state of what was done."""

    rows: ClassVar[str] = "files"
    """What an item stands for."""

    items: list[Item] = []
    notes: list[str] = []

    def of(self, *states: State) -> list[Item]:
        return [item for item in self.items if item.state in states]

    @property
    def verified_by(self) -> Verified | None:
        """The weakest proof of all that is there; None where nothing is."""
        return weakest(item.verified_by for item in self.items)

    @property
    def missing(self) -> list[Item]:
        """What was asked for and is not known to be done."""
        return self.of(*MISSING)

    @property
    def complete(self) -> bool:
        """Whether nothing failed, nothing is uncertain, and nothing was left when the run stopped."""
        return not self.missing

    def parts(self) -> dict[str, Report]:
        """This report and those within it, by what their items are rows of."""
        return {self.rows: self}

    def as_json(self, *, lazy: bool = False) -> dict[str, Any]:
        """The form of `--json`: a summary, and a row for each item. `lazy`: the items themselves, each to be asked for
        its row when that is written; all rows of a large upload at once take a lot of memory.
        """
        counts = Counter(item.state for item in self.items)
        others = (state for state in ("planned", "not begun") if counts[state])
        states = [self.moved, "skipped", "failed", "uncertain", *others]
        document: dict[str, Any] = {"summary": {state: counts[state] for state in states}}
        document["items"] = self.items if lazy else [item.as_json() for item in self.items]
        if self.notes:
            document["notes"] = list(self.notes)
        return document

    def raise_for_failures(self, what: str) -> None:
        """PartlyDone, with this report, where an item is missing."""
        bad = self.missing
        if not bad:
            return
        first = bad[0]
        message = f"{what}: {len(bad)} of {len(self.items)} failed, first {first.name!r}: {first.reason}"
        hint = "run it again" if any(item.retry_helps for item in bad) else "see the report for each of them"
        error = PartlyDone("partly-done", message, hint=hint)
        error.report, error.status, error.attempts = self, first.status, first.attempts
        error.request_id = first.request_id
        raise error


class UploadReport(Report, kw_only=True):
    """An upload of files. `finished`: the service has closed the upload. `unique_name`: of a single file. `told` are
    further members of the JSON: what was found before anything was sent. `earlier_jobs` belong to uploads that an
    earlier run had left open, and that are closed now. `doubled` are files that the collection has more than once.
    """

    job_id: str = ""
    collection_id: str = ""
    earlier_jobs: list[str] = []
    finished: bool = False
    doubled: list[str] = []
    unique_name: str | None = None
    annotations: AnnotationsReport | None = None
    metadata: MetadataReport | None = None
    told: dict[str, Any] = {}

    def parts(self) -> dict[str, Report]:
        found: dict[str, Report] = super().parts()
        return found | {one.rows: one for one in (self.annotations, self.metadata) if one is not None}

    @property
    def is_success(self) -> bool:
        """Whether everything asked for is with the service, once: all files, and their metadata and annotations."""
        return (
            self.finished
            and self.complete
            and not self.doubled
            and (self.metadata is None or self.metadata.complete)
            and (self.annotations is None or self.annotations.complete)
        )

    def as_json(self, *, lazy: bool = False) -> dict[str, Any]:
        """Files as in every report; where they are, and reports of their own for what went along with them."""
        document = super().as_json(lazy=lazy)
        if self.collection_id:
            document |= {"collection_id": self.collection_id, "job_id": self.job_id}
        if self.doubled:
            document["doubled"] = self.doubled
        for name, other in (("metadata", self.metadata), ("annotations", self.annotations)):
            if other is not None:
                document[name] = other.as_json(lazy=lazy)
        return document | self.told

    def as_dict(self) -> dict[str, Any]:
        """The documented result of 2.1."""
        result: dict[str, Any] = {
            "is_success": self.is_success,
            "job_id": self.job_id,
            "collection_id": self.collection_id,
        }
        if self.unique_name is not None:
            result["unique_name"] = self.unique_name
        return result


class AnnotationsReport(Report, kw_only=True):
    """An upload of annotations; an item is an image. `annotations` counts those that the service has taken, `batches`
    the requests.
    """

    rows: ClassVar[str] = "annotations"

    annotations: int = 0
    batches: int = 0
    session_id: str = ""


class MetadataReport(Report, kw_only=True):
    """An upload of metadata; an item is a file. `message` is the service's last word."""

    rows: ClassVar[str] = "metadata"

    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The documented result of 2.13 to 2.17."""
        bad = self.missing
        return {"message": (bad[0].reason or "") if bad else self.message, "isSuccess": self.complete}


class DownloadReport(Report, kw_only=True):
    """A download. `folder` is where everything lies, `annotations_file` the annotation JSON of a collection;
    `last_page`: there is no further page. `message` is the service's, where it refused.
    """

    moved: ClassVar[State] = "downloaded"

    folder: str = ""
    annotations_file: str | None = None
    images: int = 0
    last_page: bool = False
    message: str = ""

    def as_json(self, *, lazy: bool = False) -> dict[str, Any]:
        """As of every report, and how well all that is there is known to be right."""
        document = super().as_json(lazy=lazy)
        return document if self.verified_by is None else {**document, "verified_by": self.verified_by}

    def as_dict(self) -> dict[str, Any]:
        """The documented result of 2.19 and 2.20."""
        bad = self.missing
        message = self.message
        if bad:
            message = f"{len(bad)} of {len(self.items)} files failed, first {bad[0].name!r}: {bad[0].reason}"
        return {"is_success": self.complete and not self.message, "message": message}
