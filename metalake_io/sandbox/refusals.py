"""What the stand-in answers when it does not do what was asked, in the words of the service (LoopBack's)."""

from __future__ import annotations

from typing import Any

_NAMES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    406: "NotAcceptableError",
    409: "ConflictError",
    413: "PayloadTooLargeError",
    422: "UnprocessableEntityError",
    500: "InternalServerError",
}


class Refusal(Exception):
    """An answer with an error status. 406 is the service's word for a message meant for the user."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def error_body(status: int, message: str) -> dict[str, Any]:
    """The error body that the SDK reads: `{"error": {"statusCode", "name", "message"}}`."""
    return {"error": {"statusCode": status, "name": _NAMES.get(status, "Error"), "message": message}}
