"""Connections that are given up where hardly anything moves, and not only where nothing does.

The time-outs of sockets begin anew with each byte: a server that sends or takes one now and then would hold a transfer
for ever. Here a time-out is also the time in which `LEAST` bytes a second must have moved, one way or the other. Time
that we wait because of a limit of our own (`bandwidth`) does not count.
"""

from __future__ import annotations

import io
import socket
import time
from typing import Any, Literal, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .bandwidth import Bandwidth

LEAST = 1024
"""Bytes a second. Time in which the other side waits for us does not count."""

_PIECE = 1 << 14


class _Pace:
    """How much has moved in how much waiting, since the last time that it was enough."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._waited = 0.0
        self._moved = 0

    @property
    def left(self) -> float:
        return max(self._limit - self._waited, 0.001)

    def note(self, waited: float, moved: int) -> None:
        """TimeoutError where it is not enough."""
        self._waited += waited
        self._moved += moved
        if self._waited >= self._limit:
            if self._moved < self._limit * LEAST:
                raise TimeoutError("timed out")
            self.begin()

    def begin(self) -> None:
        self._waited, self._moved = 0.0, 0


class Watched:
    """A socket as http.client uses it."""

    def __init__(self, inner: socket.socket, bandwidth: Bandwidth | None = None) -> None:
        self._inner = inner
        self._bandwidth = bandwidth
        self._limit = inner.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def settimeout(self, seconds: float | None) -> None:
        self._limit = seconds
        self._inner.settimeout(seconds)

    def sendall(self, data: bytes) -> None:
        if self._limit is None:
            return self._inner.sendall(data)
        pace, left = _Pace(self._limit), memoryview(data).cast("B")
        while left:
            if self._bandwidth is not None:
                self._bandwidth.take(len(left[:_PIECE]))
            begin = time.monotonic()
            self._inner.settimeout(pace.left)
            try:
                sent = self._inner.send(left[:_PIECE])
            except TimeoutError:
                sent = 0
            pace.note(time.monotonic() - begin, sent)
            left = left[sent:]
        return None

    def makefile(self, mode: Literal["rb"] = "rb") -> io.BufferedReader:
        """What the next answer is read from."""
        raw = self._inner.makefile(mode, buffering=0)
        return io.BufferedReader(
            raw if self._limit is None else _Received(self._inner, raw, self._limit, self._bandwidth)
        )


class _Received(io.RawIOBase):
    """The bytes of one answer. Until the first has come, the whole time-out is the server's to think."""

    def __init__(self, inner: socket.socket, file: socket.SocketIO, limit: float, bandwidth: Bandwidth | None) -> None:
        super().__init__()
        self._bandwidth = bandwidth
        self._inner, self._file = inner, file  # while the file is open, the socket is not really closed
        self._pace = _Pace(limit)
        self._has_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            begin = time.monotonic()
            self._inner.settimeout(self._pace.left)
            try:
                count = self._inner.recv_into(buffer)
            except TimeoutError:
                count = None
            if count == 0:
                return 0
            if count is not None and not self._has_begun:
                self._has_begun = True
                self._pace.begin()
            else:
                self._pace.note(time.monotonic() - begin, count or 0)
            if count is not None:
                if self._bandwidth is not None:
                    self._bandwidth.take(count)
                return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Plain(HTTPConnection):
    """`within`: seconds to connect, whatever the time-out of what follows."""

    within = 10.0
    bandwidth: Bandwidth | None = None

    def connect(self) -> None:
        _connect(self, super().connect)


class _Secure(HTTPSConnection):
    within = 10.0
    bandwidth: Bandwidth | None = None

    def connect(self) -> None:
        _connect(self, super().connect)


def _connect(connection: Any, connect: Any) -> None:
    usual = connection.timeout
    connection.timeout = connection.within if usual is None else min(usual, connection.within)
    try:
        connect()
    finally:
        connection.timeout = usual
    connection.sock = Watched(connection.sock, connection.bandwidth)


class Adapter(HTTPAdapter):
    """Keeps up to `connections` open to one origin. It never tries again by itself."""

    def __init__(self, connections: int, within: float, bandwidth: Bandwidth | None = None) -> None:
        own = {"within": within, "bandwidth": bandwidth}
        plain = type("Plain", (_Plain,), own)
        secure = type("Secure", (_Secure,), own)
        self._pools = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        cast(Any, self).poolmanager.pool_classes_by_scheme = self._pools

    def close(self) -> None:
        """End all that are idle. By itself urllib3 ends them when the pools are collected, which errors can delay."""
        managers = [cast(Any, self).poolmanager, *cast(Any, self).proxy_manager.values()]
        for manager in managers:
            for pool in map(manager.pools.get, manager.pools.keys()):
                pool.close()
        super().close()

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager
