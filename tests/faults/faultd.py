"""The rig: a lake behind a server that fails by rules. How to use it stands in README.md beside this."""

from __future__ import annotations

import random
import re
import ssl
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from ..metalake_io.wire import Answer, Asked, js
from . import oracle
from .actions import Act, Rule
from .httpd import Entry, Httpd, Modes
from .lake import Lake, StorageType

OPERATIONS = {
    "version-check": "GET .*/client/sdk/compatibility/",
    "create-collection": "POST .*/client/uploadMetadataInCollection",
    "init": "POST .*/initializeMultipartUpload",
    "presign": "POST .*/getMultipartPreSignedUrls",
    "put-part": "PUT /bucket/",
    "finalise": "POST .*/finalizeMultipartUpload",
    "complete": "GET .*/complete",
    "label-references": "POST .*/label/references",
    "annotation-batch": "POST .*/metadata/operationdata/",
    "item-page": "GET .*/client/getAnnotations/",
    "get-file": "GET /bucket/",
}


class Faultd:
    """Listens as soon as it is made. A context manager, or closed by `close`."""

    def __init__(
        self,
        storage: StorageType = "AWS_S3",
        annotations: Literal["replace", "append"] = "replace",
        *,
        latency: float = 0.0,
        handshake: float = 0.0,
        close_after: int = 0,
        unseen: bool = False,
        seed: int = 0,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lake = Lake(storage, annotations)
        self.rules: list[Rule] = []
        self.modes = Modes(latency, handshake, close_after, unseen)
        self._chance = random.Random(seed)
        self.weather: Callable[[Asked], Act | None] = lambda _: None
        """Asked before the rules what is to become of a request; None leaves it to them."""
        self._httpd = Httpd(self._choose, self._process, self.modes, port, tls, now)
        self.url = self.lake.url = self._httpd.url

    def rule(self, match: str, act: Act, *, times: int = 1, skip: int = 0, share: float = 1.0) -> Rule:
        """`match`: a regular expression for `METHOD /path?query`, or a name of OPERATIONS; "" is everything."""
        rule = Rule(OPERATIONS.get(match, match), act, times, skip, share)
        with self._httpd.lock:
            self.rules.append(rule)
        return rule

    @property
    def log(self) -> list[Entry]:
        return self._httpd.log

    def asked(self, match: str = "") -> list[Entry]:
        """What came, by expression or name of an operation."""
        expression = OPERATIONS.get(match, match)
        return [one for one in list(self.log) if re.search(expression, f"{one.method} {one.target}")]

    @property
    def connections(self) -> int:
        return len({one.connection for one in self.log})

    @property
    def killed(self) -> bool:
        return self.modes.killed.is_set()

    @property
    def victim(self) -> int | None:
        """The process that `kill` kills."""
        return self.modes.victim

    @victim.setter
    def victim(self, pid: int | None) -> None:
        with self.modes.told:
            self.modes.victim = pid
            self.modes.killed.clear()
            self.modes.told.notify_all()

    def summary(self) -> dict[str, Any]:
        """What came, in short: how often each operation was asked, when first (of the clock that all processes share),
        over how many connections; how often a file was finalised at most.
        """
        named = [(name, re.compile(expression)) for name, expression in OPERATIONS.items()]
        asked: dict[str, int] = {}
        first: dict[str, float] = {}
        entries = [one for one in list(self.log) if "/__rig__/" not in one.target]
        for one in entries:
            what = f"{one.method} {one.target}"
            name = next((name for name, expression in named if expression.match(what)), "other")
            asked[name] = asked.get(name, 0) + 1
            first.setdefault(name, one.begin)
        finalised = max(self.lake.sending.finalised.values(), default=0)
        connections = len({one.connection for one in entries})
        return {"asked": asked, "first": first, "connections": connections, "finalised": finalised}

    def settle(self, *, alone: bool = False) -> None:
        """Until nothing is being answered any more. `alone`: until nobody is connected, for what a client had sent
        before it was killed may not have been read.
        """
        self._httpd.settle(alone=alone)

    def hang_up(self) -> None:
        """All connections end, without a word."""
        self._httpd.hang_up()

    def down(self) -> None:
        """Nobody is there, until `up`."""
        self._httpd.down()

    def up(self) -> None:
        self._httpd.up()

    def close(self) -> None:
        self._httpd.close()

    def __enter__(self) -> Faultd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _choose(self, asked: Asked) -> Act | None:
        """Called with the lock held."""
        what = f"{asked.method} {asked.target}"
        if asked.path.startswith("/__rig__/"):
            return None
        act = self.weather(asked)
        if act is not None:
            return act
        for rule in self.rules:
            if rule.times and re.search(rule.match, what) and self._chance.random() < rule.share:
                if rule.skip:
                    rule.skip -= 1
                    continue
                rule.times -= 1
                return rule.act
        return None

    def _process(self, asked: Asked) -> Answer:
        if asked.path.startswith("/__rig__/"):
            return self._control(asked)
        return self.lake.serve(asked)

    def _control(self, asked: Asked) -> Answer:
        what = asked.path.removeprefix("/__rig__/")
        if what == "state":
            with self.lake.lock:
                return js(msgspec.to_builtins(oracle.seen(self.lake)))
        if what == "summary":
            return js(self.summary())
        if what == "log":
            entries = [one for one in list(self.log) if "/__rig__/" not in one.target]
            return js(msgspec.to_builtins(entries))
        body: Any = asked.json
        if what == "rules":
            for rule in msgspec.convert(body, list[Rule]):
                self.rule(rule.match, rule.act, times=rule.times, skip=rule.skip, share=rule.share)
        elif what == "victim":
            self.victim = body["pid"]
        else:
            return Answer(404)
        return js({"isSuccess": True})
