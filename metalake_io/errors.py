"""Errors of the service, members of the one family (`schemas.errors`).

    AnnolakeError
    ├── InvalidInput
    │   └── InvalidUpload     4  the file to be uploaded is broken; nothing was sent, `problems` lists everything
    ├── NotAuthorised         5  the service does not know us, or does not let us
    ├── PartlyDone            6  some items are done and some are not; `report` has them all
    ├── ServiceRefused        7  the service understood and said no
    │   └── ProtocolError     7  the service answered what makes no sense
    ├── NetworkGaveUp         8  no proper answer in spite of retries; it can be tried again
    └── LockedElsewhere      10  another run works on the same thing

The number is the exit code of the command line. Texts of the server come in printable and without signed addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..schemas.errors import AnnolakeError, InvalidInput
from ..schemas.problems import Problem

if TYPE_CHECKING:
    from .results import Report
    from .transfer.exchange import Response


class TransferError(AnnolakeError):
    """What all errors of transfers have: the last HTTP `status`, the server's number for that request, if it told one,
    how often it was tried, and the `report` so far. `uncertain`: the service may have done all the same what it was
    asked.
    """

    status: int | None = None
    request_id: str | None = None
    attempts: int = 1
    uncertain: bool = False
    report: Report | None = None
    retry_helps: ClassVar[bool] = False

    def after(self, response: Response, attempts: int | None = None) -> Self:
        """The same error, with what is known of the answer that it is about."""
        self.status, self.request_id = response.status, response.request_id
        self.attempts = response.attempts if attempts is None else attempts
        return self


class NotAuthorised(TransferError):
    """The service does not know the key and secret, or they may not do this."""

    exit_code = 5


class PartlyDone(TransferError):
    """Some items are done, others are not. `report` says which, and why."""

    exit_code = 6


class ServiceRefused(TransferError):
    """The service understood and said no. Asking again helps nothing. `said` are its own words, if it gave any."""

    exit_code = 7
    said: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The documented result of a call that is refused."""
        return {"message": self.said or self.message, "isSuccess": False}


class ProtocolError(ServiceRefused):
    """The service's answer lacks what must be there. The message names the operation and the field."""


class NetworkGaveUp(TransferError):
    """No proper answer in spite of retries."""

    exit_code = 8
    retry_helps = True


class LockedElsewhere(TransferError):
    """Another run works on the same thing."""

    exit_code = 10
    retry_helps = True


class InvalidUpload(InvalidInput):
    """The file to be uploaded has errors. `problems` lists all of them; the error itself is the first."""

    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, problems: list[Problem]) -> InvalidUpload:
        """The errors among `problems`, of which there is at least one."""
        errors = [problem for problem in problems if problem.severity == "error"]
        first = errors[0]
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        error = cls(first.code, first.message + more, place=first.place, hint=first.fix)
        error.problems = tuple(problems)
        return error
