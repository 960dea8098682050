"""The recordings of the official SDK, played by a server: each request gets the answer that the SDK got."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .wire import Answer, Asked, Wire

CLOSED = "connection closed without response"
"""The status of an exchange that broke."""

_VOLATILE = [
    (re.compile(r"shape_[0-9a-f-]{36}"), "shape_*"),
    (re.compile(r'("\$date": |\\"\$date\\": ?)\\?"[^"]*?\\?"'), r"\1*"),
    (re.compile(r'("sessionId": )"[0-9.]+"'), r"\1*"),
    (re.compile(r"sessionId=[0-9.]+"), "sessionId=*"),
    (re.compile(r"http://127\.0\.0\.1:[0-9]+"), "http://host"),
]


class Player:
    """`expected` are the recorded exchanges; `order` is that in which they were asked for, by number."""

    def __init__(self, exchanges: list[dict[str, Any]]) -> None:
        self.expected = exchanges
        self.left = list(exchanges)
        self.pairs: list[tuple[Asked, dict[str, Any]]] = []
        self.surplus: list[Asked] = []
        self.wire = Wire(self._answer)

    def _answer(self, asked: Asked) -> Answer:
        with self.wire.lock:
            found = next((one for one in self.left if same(asked, one)), None)
            found = found or next((one for one in self.left if alike(asked, one)), None)
            if found is None:
                self.surplus.append(asked)
                return Answer(404, b"{}")
            self.left.remove(found)
            self.pairs.append((asked, found))
        response = found["response"]
        if response["status"] == CLOSED:
            return Answer(drop=True)
        body = b""
        if "body_json" in response:
            body = re.sub(r"http://127\.0\.0\.1:\d+", self.wire.url, json.dumps(response["body_json"])).encode()
        elif response.get("body_bytes", {}).get("base64"):
            body = base64.b64decode(response["body_bytes"]["base64"])
        elif response.get("body_bytes", {}).get("length"):
            body = bytes(response["body_bytes"]["length"])
        headers = {name: value for name, value in response["headers"].items() if name != "Content-Length"}
        return Answer(response["status"], body, headers)


def settled(text: str) -> str:
    """A target or a body without what differs from call to call."""
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text


def body_of(exchange: dict[str, Any]) -> str:
    """What was sent: a text, or the hash of bytes."""
    if "body_text" in exchange:
        return settled(exchange["body_text"] or "")
    return exchange.get("body_bytes", {}).get("sha256", "") if exchange["method"] == "PUT" else ""


def sent(asked: Asked) -> str:
    if asked.method == "PUT":
        return hashlib.sha256(asked.body).hexdigest() if asked.body else ""
    return settled(asked.body.decode())


def same(asked: Asked, exchange: dict[str, Any]) -> bool:
    return (
        asked.method == exchange["method"]
        and settled(asked.target) == settled(exchange["target"])
        and sent(asked) == body_of(exchange)
    )


def alike(asked: Asked, exchange: dict[str, Any]) -> bool:
    return asked.method == exchange["method"] and asked.target.partition("?")[0] == exchange["target"].partition("?")[0]


def recordings(folder: Path, function: str) -> dict[str, dict[str, Any]]:
    """The cases of a function by their titles."""
    document = json.loads((folder / f"{function}.json").read_text(encoding="utf-8"))
    return {one["case"]: one for one in document["cases"]}


def unpack(cases: Iterable[dict[str, Any]], folder: Path) -> None:
    """The input files of cases, below `folder` instead of `<DIR>`; of the last that has one of the name."""
    files = {name: content for case in cases for name, content in case.get("input_files", {}).items()}
    for name, content in files.items():
        path = Path(name.replace("<DIR>", str(folder)))
        path.parent.mkdir(parents=True, exist_ok=True)
        if "json" in content:
            path.write_text(json.dumps(content["json"]), encoding="utf-8")
        elif "base64" in content:
            path.write_bytes(base64.b64decode(content["base64"]))
        else:
            with path.open("wb") as file:
                file.truncate(content["size"])
