"""What the rig can do to a request instead of answering it: values, so that they can go to another process as JSON."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

Moment = Literal["before", "after", "replied"]
Framing = Literal["length", "chunked", "close"]


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """`processed`: the lake does what it was asked before. `at`: bytes, or a share below 1, or from the end if it is
    negative. What does not stand in its own answer is changed in the lake's.
    """

    kind: Literal["answer", "reset", "hang", "kill", "pass"]
    processed: bool = True
    wait: float = 0.0
    moment: Moment | Literal["mid"] = "after"
    at: float = 0.0
    status: int = 200
    headers: dict[str, str] = {}
    body: str | None = None
    pid: int | None = None
    signal: int = 0
    drip: float = 0.0
    slow_read: float = 0.0
    cut: float | None = None
    longer: int = 0
    flip: bool = False
    framing: Framing = "length"
    gzip: bool = False
    close: bool = False
    instead: str | None = None
    member: tuple[str, str | None] | None = None


class Rule(msgspec.Struct, omit_defaults=True):
    """`act` for `times` requests whose method and path match, after `skip` of them. `share`: for so many of them, by
    chance.
    """

    match: str
    act: Act
    times: int = 1
    skip: int = 0
    share: float = 1.0


def answer(status: int, body: Any = None, *, processed: bool = False, **headers: str) -> Act:
    """Another answer. `Retry_After="2"` becomes the header `Retry-After`. A body that is no text is sent as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        body = (
            {"error": {"statusCode": status, "name": "Error", "message": f"made up {status}"}} if status > 204 else ""
        )
    if not isinstance(body, str):
        named.setdefault("Content-Type", "application/json")
        body = json.dumps(body)
    return Act("answer", processed=processed, status=status, body=body, headers=named)


def early(status: int, at: float) -> Act:
    """An answer after so much of the body; the rest is not read."""
    return msgspec.structs.replace(answer(status), moment="mid", at=at)


def html(status: int = 200) -> Act:
    return answer(status, "<html><body>Sign in to the network</body></html>", Content_Type="text/html")


def no(message: str = "made up refusal") -> Act:
    return answer(200, {"isSuccess": False, "message": message})


def redirect(to: str, status: int = 307) -> Act:
    return answer(status, "", Location=to)


def reset(moment: Literal["before", "mid", "after"] = "before", at: float = 0.0) -> Act:
    """The connection is reset before the body is read, after `at` of it, or after all; nothing is done."""
    return Act("reset", processed=False, moment=moment, at=at)


def drop() -> Act:
    """Done, but the answer never comes."""
    return Act("reset", processed=True)


def hang(seconds: float, *, processed: bool = False) -> Act:
    """No answer for so long (or until the rig closes), then the connection ends."""
    return Act("hang", processed=processed, wait=seconds)


def kill(moment: Moment, pid: int | None = None) -> Act:
    """SIGKILL for the client; its `pid`, or the rig's `victim`."""
    return Act("kill", processed=moment != "before", moment=moment, pid=pid)


def interrupt(number: int, *, hang: float = 0.0) -> Act:
    """A signal for the client, the rig's `victim`; then the right answer, or none for so many seconds."""
    return Act("hang" if hang else "pass", processed=not hang, wait=hang, signal=number)


def late(seconds: float) -> Act:
    return Act("pass", wait=seconds)


def drip(seconds: float) -> Act:
    """The right answer, from its first letter one byte in so many seconds."""
    return Act("pass", drip=seconds)


def slow_read(seconds: float) -> Act:
    """The body is read one byte in so many seconds."""
    return Act("pass", slow_read=seconds)


def cut(at: float, *, framing: Framing = "length", gzip: bool = False) -> Act:
    """The right answer, broken off."""
    return Act("pass", cut=at, framing=framing, gzip=gzip, close=True)


def framed(framing: Framing, *, gzip: bool = False) -> Act:
    """The right answer, in another framing."""
    return Act("pass", framing=framing, gzip=gzip)


def longer(by: int) -> Act:
    """The right answer, announced as longer (or shorter) than it is."""
    return Act("pass", longer=by, close=True)


def wrong_bytes() -> Act:
    """The right answer, its last byte another, its headers as they were."""
    return Act("pass", flip=True)


def other_body(body: str, **headers: str) -> Act:
    """The right answer's status and headers (or these), another body of its own length."""
    return Act("pass", instead=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def lacking(pointer: str) -> Act:
    """The right answer without the member of its JSON that a pointer (`/data/nextPage`) names."""
    return Act("pass", member=(pointer, None))


def changed(pointer: str, value: Any) -> Act:
    """The right answer with another value there, or with one member more."""
    return Act("pass", member=(pointer, json.dumps(value)))


def closing() -> Act:
    """The right answer; then the connection ends without having been announced."""
    return Act("pass", close=True)
