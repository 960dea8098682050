"""Many at once: a work list done by threads, results as they come, an orderly stop at the first fatal error; and one
ahead, for what is to be sent one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from itertools import islice
from threading import Event
from typing import TypeVar

from .clock import Stopped, current_stop

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOMENT = 1.0
"""Seconds for what is under way when the reader is interrupted."""


def in_parallel(items: Iterable[Item], work: Callable[[Item], Result], workers: int) -> Iterator[Result]:
    """`work` of each item, in the order in which they finish. `items` is read as fast as they are worked on.

    Where `work` raises, no further item is begun, those under way are called off where they wait or read, what they
    still bring is yielded, and then the exception raised. Where the reader is interrupted, those under way are called
    off, too, and waited for a moment only: one that reads a silent server must not hold who wants to leave.
    """
    stop = Event()

    def task(item: Item) -> Result:
        current_stop.set(stop)
        if stop.is_set():
            raise Stopped
        try:
            return work(item)
        except BaseException:
            stop.set()  # here, so that this thread begins nothing more
            raise

    source = iter(items)
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="annolake")
    pending: set[Future[Result]] = set()
    try:
        pending = {pool.submit(task, item) for item in islice(source, 2 * workers)}
        failure: BaseException | None = None
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                error = future.exception()
                if error is None:
                    yield future.result()
                elif failure is None and not isinstance(error, Stopped):
                    failure = error
            if failure is None:
                pending |= {pool.submit(task, item) for item in islice(source, len(done))}
        if failure is not None:
            raise failure
    finally:
        stop.set()
        with suppress(RuntimeError):
            pool.shutdown(wait=False, cancel_futures=True)
        wait(pending, timeout=_MOMENT)


@contextmanager
def ahead(items: Iterable[Item]) -> Generator[Iterator[Item]]:
    """`items`, each made in a thread while the one before is used. Nothing is being made any more when it is left."""
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="annolake-ahead") as pool:
        yield _ahead(source, pool)


def _ahead(source: Iterator[Item], pool: ThreadPoolExecutor) -> Iterator[Item]:
    coming = pool.submit(_next, source)
    while made := coming.result():
        coming = pool.submit(_next, source)
        yield made[0]


def _next(source: Iterator[Item]) -> tuple[Item] | None:
    for item in source:
        return (item,)
    return None
