"""The service as functions can use it: one call of the API, its answer typed, its refusals as errors.

Bodies of answers are believed over status codes: a 200 that says `"isSuccess": false` is a refusal.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from ..schemas.errors import InvalidInput
from ..schemas.plain import is_list, is_object, ready
from .errors import NotAuthorised, ProtocolError, ServiceRefused
from .transfer.bodies import Bytes
from .transfer.clock import Clock
from .transfer.exchange import Layer, Repeat, Request, Response
from .transfer.redaction import Redactor

T = TypeVar("T")

CHECK_OF_VERSIONS = "/client/sdk/compatibility/2.3.4"
"""Asks about the version of the official SDK whose protocol this is."""


class Service:
    """`prefix` stands between the base address and every path: `/datalake/api`, on newer servers `/api`."""

    def __init__(
        self, base_url: str, layers: Layer, redactor: Redactor, clock: Clock, *, prefix: str, at_once: int, idle: float
    ) -> None:
        self.base_url = base_url
        self.layers = layers
        self.redactor = redactor
        self.clock = clock
        self.prefix = prefix
        self.at_once = at_once
        self._idle = idle

    def get(
        self,
        operation: str,
        path: str,
        reply: type[T],
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        empty: T | None = None,
    ) -> T:
        """GET. `body`: the few calls that the service knows with a body. `empty` is the answer for a 204."""
        return self.typed(operation, self.send("GET", operation, path, query=query, body=body), reply, empty)

    def post(
        self,
        operation: str,
        path: str,
        body: Any,
        reply: type[T],
        *,
        query: dict[str, Any] | None = None,
        repeat: Repeat = "always",
        empty: T | None = None,
    ) -> T:
        """POST of a JSON body. `empty` is the answer for a 204 or an empty body."""
        response = self.send("POST", operation, path, query=query, body=body, repeat=repeat)
        return self.typed(operation, response, reply, empty)

    def order(
        self, operation: str, path: str, body: Any, *, repeat: Repeat = "always", fresh: bool = False
    ) -> Response:
        """POST of a JSON body whose answer says no more than yes or no; an empty one is a yes."""
        response = self.send("POST", operation, path, body=body, repeat=repeat, fresh=fresh)
        self.agreed(operation, response)
        return response

    def send(
        self,
        method: str,
        operation: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        repeat: Repeat = "always",
        prefix: str | None = None,
        fresh: bool = False,
    ) -> Response:
        """One call, its answer raw but for refusals: NotAuthorised, ServiceRefused, NetworkGaveUp."""
        response = self.attempt(
            method, operation, path, query=query, body=body, repeat=repeat, prefix=prefix, fresh=fresh
        )
        if not 200 <= response.status < 300:
            raise self.refusal(operation, response)
        return response

    def attempt(
        self,
        method: str,
        operation: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        repeat: Repeat = "always",
        prefix: str | None = None,
        first: bool = False,
        fresh: bool = False,
    ) -> Response:
        """One call, its answer raw, whatever its status. `first`: where nobody answers it is not tried again.
        `fresh`: over a connection of its own.
        """
        url = self.base_url + (self.prefix if prefix is None else prefix) + path
        if query:
            url += "?" + urlencode(query)
        return self.layers.send(
            Request(
                method=method,
                url=url,
                operation=operation,
                headers={} if body is None else {"Content-Type": "application/json"},
                body=None if body is None else Bytes(json_text(body).encode("ascii")),
                repeat=repeat,
                authorised=True,
                first=first,
                fresh=fresh,
                idle=self._idle,
            )
        )

    def wait_for_answer(self) -> None:
        """Ask something that does no harm until there is an answer, whatever it says. NetworkGaveUp."""
        self.attempt("GET", "wait for an answer", CHECK_OF_VERSIONS)

    def refusal(self, operation: str, response: Response) -> NotAuthorised | ServiceRefused:
        """The error for an answer that is no success."""
        said = self._message(response.content)
        status = response.status
        error: NotAuthorised | ServiceRefused
        if status in (401, 403):
            what = "the service does not know this key and secret" if status == 401 else "the service does not allow it"
            hint = "check the API key, the secret and the address"
            error = NotAuthorised("not-authorised", f"{operation}: {what}{said and f' ({said})'}", hint=hint)
        elif 300 <= status < 400:
            error = ServiceRefused("redirected", f"{operation}: the service is elsewhere", hint="correct the address")
        else:
            message = said or f"the service answers {status}"
            error = ServiceRefused("refused", f"{operation}: {message}", hint=_HINTS.get(status))
            error.said = said
        return error.after(response)

    def typed(self, operation: str, response: Response, reply: type[T], empty: T | None = None) -> T:
        """The JSON of a successful answer as a type. ProtocolError where it is none; ServiceRefused."""
        if not response.content.strip():
            if empty is not None:
                return empty
            raise _nonsense(operation, "the answer is empty", response)
        return self.shaped(operation, response, self.plain(operation, response), reply)

    def shaped(self, operation: str, response: Response, plain: Any, reply: type[T]) -> T:
        """The JSON of an answer, or what was made of it, as a type. ProtocolError, which names the field."""
        try:
            return msgspec.convert(plain, ready(reply))
        except msgspec.ValidationError as error:
            raise _nonsense(operation, self.redactor.clean(str(error)), response) from None

    def agreed(self, operation: str, response: Response) -> None:
        """What is no more than yes or no is a yes: an empty answer, `true`, or an object that does not say no."""
        plain = self.plain(operation, response) if response.content.strip() else True
        if plain is not True and not is_object(plain):
            raise _nonsense(operation, "the answer is neither yes nor no", response)

    def plain(self, operation: str, response: Response) -> Any:
        """The JSON of a successful answer. ServiceRefused where it says that it is none."""
        plain = self.whatever(operation, response)
        if is_object(plain) and not _is_word(plain.get("isSuccess", True)):
            raise _nonsense(operation, "`isSuccess` is neither true nor false", response)
        if is_object(plain) and _says_no(plain):
            said = self.redactor.clean(_words(plain))
            error = ServiceRefused("refused", f"{operation}: {said or 'no reason is given'}")
            error.said = said
            raise error.after(response)
        return plain

    def whatever(self, operation: str, response: Response) -> Any:
        """The JSON of an answer, be it a yes or a no."""
        plain = _decoded(response.content)
        if plain is _NO_JSON:
            what = "not JSON" if response.content.strip() else "empty"
            raise _nonsense(operation, f"the answer is {what}", response)
        return plain

    def _message(self, content: bytes) -> str:
        plain = _decoded(content)
        return self.redactor.clean(_words(plain)) if is_object(plain) else ""


def quoted(part: str) -> str:
    """One step of a path: everything that could mean something else is escaped."""
    return quote(part, safe="")


def word(value: bool) -> str:
    """A truth value in a query, as the service is used to it."""
    return "True" if value else "False"


def json_text(value: Any) -> str:
    """JSON as the service is used to it: blanks after `,` and `:`, nothing but ASCII. InvalidInput for NaN."""
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput(
            "no-json", "this cannot be said in JSON", hint="use texts, finite numbers, truth values, lists and objects"
        ) from None


_NO_JSON = object()
_HINTS = {
    404: "check the address and the id",
    407: "the proxy wants a name and a password",
    413: "send less at once",
}


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NO_JSON


def _is_word(told: Any) -> bool:
    """Whether it is a truth value, or one written as a text."""
    return isinstance(told, bool) or (isinstance(told, str) and told.lower() in ("true", "false"))


def _says_no(plain: dict[str, Any]) -> bool:
    told = plain.get("isSuccess", True)
    return told is False or (isinstance(told, str) and told.lower() == "false") or is_object(plain.get("error"))


def _words(plain: dict[str, Any]) -> str:
    """The message of a refusal: `error.message`, or what stands in its place."""
    error = plain.get("error")
    candidates = [
        error.get("message") if is_object(error) else error,
        plain.get("message"),
        plain.get("warningMsg"),
        plain.get("errorMsg"),
    ]
    found = next((text for text in candidates if text), "")
    if is_object(found) or is_list(found):
        return json.dumps(found)
    return str(found)


def _nonsense(operation: str, what: str, response: Response) -> ProtocolError:
    error = ProtocolError(
        "protocol", f"{operation}: {what}", hint="is this the address of a MetaLake? Its answer makes no sense"
    )
    return error.after(response)
