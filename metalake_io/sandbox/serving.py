"""Runs the stand-in: one socket, one or several workers, until a signal or the end of the process that started it."""

from __future__ import annotations

import ipaddress
import multiprocessing
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import wait

import uvicorn

from ...schemas.errors import AnnolakeError
from .app import application
from .lake import Settings

_BACKLOG = 2048
_GRACE_SECONDS = 5


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """A socket that takes connections from now on, and the URL that leads to it. OSError: the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # Connections inherit it. Without, each answer over a kept connection waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def serve(settings: Settings, listener: socket.socket, workers: int) -> None:
    """Answer until a signal comes; what has begun is finished first.

    Several workers are processes of their own. Should one die, all end, and this raises AnnolakeError.
    """
    if workers == 1:
        _run(settings, listener)
        return
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_worker, args=(settings, listener)) for _ in range(workers)]
    try:
        for process in processes:
            process.start()
        wait([process.sentinel for process in processes])
        raise AnnolakeError("sandbox-worker-ended", "a worker of the sandbox has ended by itself")
    finally:
        begun = [process for process in processes if process.pid is not None]
        for process in begun:
            process.terminate()
        for process in begun:
            process.join()


def _worker(settings: Settings, listener: socket.socket) -> None:
    """Ends with the process that started it, even if that was killed."""
    parent = multiprocessing.parent_process()

    def watch(stop: Callable[[], None]) -> None:
        if parent is not None:
            parent.join()
        stop()

    with suppress(KeyboardInterrupt):
        _run(settings, listener, watch)


def _run(
    settings: Settings, listener: socket.socket, watch: Callable[[Callable[[], None]], None] | None = None
) -> None:
    config = uvicorn.Config(
        partial(application, settings),
        factory=True,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,  # it would show signed URLs
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        backlog=_BACKLOG,
    )
    server = uvicorn.Server(config)
    if watch is not None:
        threading.Thread(target=watch, args=(partial(setattr, server, "should_exit", True),), daemon=True).start()
    server.run(sockets=[listener])
