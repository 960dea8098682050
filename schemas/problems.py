"""One thing that is wrong with a file: what, how bad, where, and how to mend it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .errors import AnnolakeError, InvalidInput, Place

Severity = Literal["error", "warning", "notice"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """`fix` says what to do;"""

    code: str
    severity: Severity
    message: str
    place: Place = Place()
    fix: str | None = None

    @classmethod
    def of(cls, error: AnnolakeError) -> Problem:
        """An error as one problem among others."""
        return cls(code=error.code, severity="error", message=error.message, place=error.place, fix=error.hint)

    def error(self) -> InvalidInput:
        """The problem as the error that stops a conversion."""
        return InvalidInput(self.code, self.message, place=self.place, hint=self.fix)

    def renamed(self, old: str, new: str) -> Problem:
        """As `Place.renamed`, in the message too."""
        message = self.message.replace(old, new)
        return msgspec.structs.replace(self, message=message, place=self.place.renamed(old, new))

    def __str__(self) -> str:
        return str(self.error())

    def as_json(self) -> dict[str, Any]:
        """The form of `annolake validate --json`."""
        out: dict[str, Any] = {"code": self.code, "severity": self.severity, "message": self.message}
        out["where"] = msgspec.to_builtins(self.place)
        if self.fix:
            out["fix"] = self.fix
        return out
