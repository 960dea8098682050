"""One conversion on several cores: each process reads, projects and writes a run of images; the parts are then joined.

Forked processes share the opened source without copying it, and the result is the same bytes as from one process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from ..schemas.errors import AnnolakeError
from .format import Context
from .ledger import Ledger
from .memory import Memory
from .opening import Progress

T = TypeVar("T")
Part = Callable[[int, int, Ledger, Callable[[int], None]], Any]
"""Does images `start` to `stop`, keeping the books given, telling now and then how many are done."""

WORTH_A_PROCESS = 150
"""Images whose boxes are read and written while a process is started."""

_WORTHWHILE = 5_000
_TICK = 0.2


def processes(wanted: int | None, images: int, memory: Memory | None = None) -> int:
    """How many processes to use: as many as wanted, else one a core for sets that are large enough to gain from it; no
    more than there is `memory` for, nor so many that starting one costs what it saves.
    """
    if not hasattr(os, "fork"):
        return 1
    most = images if memory is None else min(images, memory.processes)
    if wanted is not None:
        return max(1, min(wanted, most, images // WORTH_A_PROCESS))
    if images < _WORTHWHILE or not hasattr(os, "sched_getaffinity"):
        return 1
    return min(len(os.sched_getaffinity(0)), most)


def runs(images: int, count: int) -> list[tuple[int, int]]:
    """First and last image (excluded) of `count` runs, one behind the other, whose lengths differ by one at most."""
    return [(images * number // count, images * (number + 1) // count) for number in range(count)]


def looked_over(look: Callable[[int, int], T], files: int, context: Context, ledger: Ledger) -> list[T]:
    """What `look` finds out about runs of a set's files, in order, from as many processes as the context allows."""
    count = processes(context.jobs, files, context.memory)
    if count == 1:
        return [look(0, files)]

    def part(start: int, stop: int, _: Ledger, __: Callable[[int], None]) -> T:
        return look(start, stop)

    return in_parts(part, files, count, ledger, None)


def in_parts(part: Part, images: int, count: int, ledger: Ledger, progress: Progress | None) -> list[Any]:
    """Results of `part` over `count` equal runs of the images, in order; their books are added to `ledger`.

    The first error of a part is raised here, after all processes have ended. AnnolakeError (`worker-died`) if a process
    ended without a word.
    """
    context = multiprocessing.get_context("fork")
    done = context.Array("Q", count, lock=False)
    bounds = runs(images, count)
    workers: list[Any] = []
    pipes: list[Connection] = []
    try:
        for number in range(count):
            receiver, sender = context.Pipe(duplex=False)
            arguments = (part, *bounds[number], ledger, done, number, sender)
            worker = context.Process(target=_work, args=arguments, daemon=True)
            with _undisturbed():
                worker.start()
                workers.append(worker)
            sender.close()
            pipes.append(receiver)
        outcomes = _collect(pipes, lambda: progress and progress(sum(done), images))
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
    for _, _, error in outcomes:
        if error is not None:
            raise error
    for _, books, _ in outcomes:
        ledger.add(books)
    return [result for result, _, _ in outcomes]


@contextmanager
def _undisturbed() -> Generator[None]:
    """Signals wait: between a fork and the note of it, one would leave a process that nobody ends."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(part: Part, start: int, stop: int, ledger: Ledger, done: Any, number: int, pipe: Connection) -> None:
    """In the child. Ctrl-C is the parent's affair: it ends its children, at once, whatever handler they inherited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    books = ledger.another()

    def tell(count: int) -> None:
        done[number] = count

    result, error = attempt(lambda: part(start, stop, books, tell))
    pipe.send((result, books, error))
    pipe.close()


def attempt(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """In another process: what the call gives, or its error in a form that can be sent home."""
    try:
        return call(), None
    except (AnnolakeError, OSError) as error:
        return None, error
    except Exception as error:  # noqa: BLE001  (a child's traceback would reach the user, and the parent no cause)
        message = f"a process failed: {type(error).__name__}: {error}"
        return None, AnnolakeError("worker-failed", message, hint="please report it; --jobs 1 shows more")


def _collect(pipes: Sequence[Connection], tick: Callable[[], object]) -> list[tuple[Any, Any, BaseException | None]]:
    outcomes: dict[Connection, tuple[Any, Any, BaseException | None]] = {}
    waiting = list(pipes)
    while waiting:
        for ready in wait(waiting, timeout=_TICK):
            pipe: Any = ready
            try:
                outcomes[pipe] = pipe.recv()
            except EOFError:
                hint = "is there enough memory? --jobs 1 needs the least"
                outcomes[pipe] = (None, None, AnnolakeError("worker-died", "a process ended without a word", hint=hint))
            waiting.remove(pipe)
        tick()
    return [outcomes[pipe] for pipe in pipes]
