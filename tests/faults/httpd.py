"""HTTP below HTTP: sockets on loopback that do what a rule says, and a log of all that came."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Condition, Event, RLock, Thread
from typing import Any

import msgspec

from ..metalake_io.wire import Answer, Asked
from .actions import Act


class Entry(msgspec.Struct):
    """One request. `authorization` as it came. `kept`: its body, where it was JSON. `done`: the lake processed it."""

    number: int
    begin: float
    method: str
    target: str
    authorization: str | None = None
    size: int = 0
    md5: str = ""
    kept: str = ""
    act: str = ""
    done: bool = False
    status: int = 0
    end: float = 0.0
    connection: int = 0


@dataclass
class Modes:
    """`latency` before each answer, `handshake` before the first of a connection, in seconds. `close_after`: so many
    answers, then the connection ends; with `unseen` not before the next request is on its way, which is lost.
    """

    latency: float = 0.0
    handshake: float = 0.0
    close_after: int = 0
    unseen: bool = False
    victim: int | None = None
    told: Condition = field(default_factory=Condition)
    killed: Event = field(default_factory=Event)
    closing: Event = field(default_factory=Event)


class Httpd:
    """Serves until closed. `choose` gives the action for a request, `process` the true answer."""

    def __init__(
        self,
        choose: Callable[[Asked], Act | None],
        process: Callable[[Asked], Answer],
        modes: Modes,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.choose, self.process, self.modes, self.now = choose, process, modes, now
        self.log: list[Entry] = []
        self.lock = RLock()
        self.active = 0
        self.idle = Condition(self.lock)
        self.connections = count(1)
        self.open: set[socket.socket] = set()
        self._tls = tls
        self._listen(port)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"

    def settle(self, seconds: float = 20.0, *, alone: bool = False) -> None:
        """Until no request is under way; `alone`, until there is no connection."""
        with self.idle:
            if not self.idle.wait_for(lambda: self.active == 0 and not (alone and self.open), seconds):
                raise TimeoutError(f"{self.active} requests and {len(self.open)} connections are still there")

    def hang_up(self) -> None:
        """All connections end, as those that were idle for too long."""
        with self.lock:
            connections = list(self.open)
        for one in connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def down(self) -> None:
        """Nobody is there any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.hang_up()

    def up(self) -> None:
        """There again, at the same address."""
        self._listen(self._server.server_address[1])

    def close(self) -> None:
        self.modes.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _listen(self, port: int) -> None:
        handler = type("Handler", (_Handler,), {"rig": self})

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", port), handler)
        if self._tls is not None:
            listening = self._server.socket
            self._server.socket = self._tls.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()


class _Gone(Exception):
    """The connection is to end without another byte."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rig: Httpd

    def setup(self) -> None:
        if self.rig.modes.handshake:
            self.rig.modes.closing.wait(self.rig.modes.handshake)
        super().setup()
        self._connection = next(self.rig.connections)
        self._answered = 0
        with self.rig.lock:
            self.rig.open.add(self.connection)

    def finish(self) -> None:
        with self.rig.idle:
            self.rig.open.discard(self.connection)
            self.rig.idle.notify_all()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def serve(self) -> None:
        rig = self.rig
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, b"")
        with rig.lock:
            rig.active += 1
            entry = Entry(len(rig.log), rig.now(), self.command, self.path, headers.get("authorization"))
            entry.connection = self._connection
            rig.log.append(entry)
            act = rig.choose(asked) or Act("pass")
        entry.act = act.kind
        try:
            self._serve(asked, act, entry)
        except (_Gone, OSError):
            self.close_connection = True
            self._reset()
        finally:
            entry.end = rig.now()
            with rig.idle:
                rig.active -= 1
                rig.idle.notify_all()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_CONNECT = serve

    def _serve(self, asked: Asked, act: Act, entry: Entry) -> None:
        closing = self.rig.modes.closing
        modes = self.rig.modes
        if (act.kind == "reset" and act.moment == "before") or (modes.unseen and self._answered == modes.close_after):
            raise _Gone
        asked.body = self._read(act)
        entry.size, entry.md5 = len(asked.body), hashlib.md5(asked.body).hexdigest()
        if "json" in asked.headers.get("content-type", ""):
            entry.kept = asked.body.decode(errors="replace")
        closing.wait(self.rig.modes.latency + (act.wait if act.kind != "hang" else 0.0))
        if act.kind == "kill" and act.moment == "before":
            self._kill(act)
            raise _Gone
        if act.signal:
            self._kill(act)
        reply = Answer(act.status)
        if act.processed:
            reply = self.rig.process(asked)
            entry.done = True
        if act.kind == "reset":
            raise _Gone
        if act.kind == "hang":
            closing.wait(act.wait)
            raise _Gone
        if act.kind == "kill" and act.moment == "after":
            self._kill(act)
            raise _Gone
        if act.kind == "answer":
            reply = Answer(act.status, (act.body or "").encode(), dict(act.headers))
        entry.status = reply.status
        self._reply(asked, reply, act)
        if act.kind == "kill":
            self._kill(act)
        self._answered += 1
        modes = self.rig.modes
        if act.close or (self._answered == modes.close_after and not modes.unseen):
            self.close_connection = True

    def _read(self, act: Act) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.close_connection = True
            return b""
        length = int(self.headers.get("Content-Length", 0))
        if act.slow_read:
            for number in range(length):
                if not self.rfile.read(1) or self.rig.modes.closing.wait(act.slow_read):
                    raise _Gone
                del number
            return b""
        stop = _place(act.at, length) if act.moment == "mid" else length
        body = self.rfile.read(stop)
        if act.kind == "answer" and stop < length:
            self.close_connection = True
        elif stop < length or len(body) < length:
            raise _Gone
        return body

    def _reply(self, asked: Asked, reply: Answer, act: Act) -> None:
        body, headers = reply.body, {"Date": self.date_time_string(), **reply.headers}
        if act.kind == "pass":
            headers |= act.headers
            if act.instead is not None:
                body = act.instead.encode()
            if act.member is not None:
                body = _with_member(body, *act.member)
            if act.flip and body:
                body = body[:-1] + bytes([body[-1] ^ 1])
        if act.gzip:
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        whole = len(body)
        if act.cut is not None:
            body = body[: _place(act.cut, whole)]
        bodiless = reply.status in (204, 304)
        if act.framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            middle = len(body) // 2
            pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            body += b"" if act.cut is not None else b"0\r\n\r\n"
        elif act.framing == "close":
            headers["Connection"] = "close"
            self.close_connection = True
        elif not bodiless:
            headers.setdefault("Content-Length", str(max(0, whole + act.longer)))
        head = f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'Made up')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        content = head.encode("latin-1") + (b"" if bodiless or asked.method == "HEAD" else body)
        if not act.drip:
            self.connection.sendall(content)
            return
        for byte in content:
            self.connection.sendall(bytes([byte]))
            if self.rig.modes.closing.wait(act.drip):
                raise _Gone

    def _kill(self, act: Act) -> None:
        modes = self.rig.modes
        with modes.told:
            modes.told.wait_for(lambda: act.pid is not None or modes.victim is not None, 20)
        pid = act.pid if act.pid is not None else modes.victim
        if pid is not None:
            os.kill(pid, act.signal or signal.SIGKILL)
        if act.pid is None:
            modes.victim = None  # its number may soon be another's
        modes.killed.set()

    def _reset(self) -> None:
        """Ends the connection at once, with a reset where the system can."""
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()
        except OSError:
            pass


def _place(at: float, length: int) -> int:
    if at < 0:
        return max(0, length + int(at))
    return int(length * at) if 0 < at < 1 else min(int(at), length)


def _with_member(body: bytes, pointer: str, value: str | None) -> bytes:
    """A JSON text with another value at a pointer; without the member there, where the value is None."""
    document = json.loads(body)
    *steps, last = (int(step) if step.isdecimal() else step for step in pointer.split("/")[1:])
    parent = document
    for step in steps:
        parent = parent[step]
    if value is None:
        del parent[last]
    else:
        parent[last] = json.loads(value)
    return json.dumps(document).encode()
