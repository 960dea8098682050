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

SHORTEST = 1_000
"""Images of a run that a process takes at a time: some blocks, so that what it takes to begin one is nothing to it."""

_TURNS = 8
_WORTHWHILE = 5_000
_TICK = 0.2

_Outcome = tuple[Any, Ledger, Exception | None]


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


def looked_over(
    look: Callable[[int, int], T], files: int, context: Context, ledger: Ledger, least: int | None = None
) -> list[T]:
    """What `look` finds out about runs of a set's files, in order, from as many processes as the context allows."""
    count = processes(context.jobs, files, context.memory)
    if count == 1:
        return [look(0, files)]

    def part(start: int, stop: int, _: Ledger, __: Callable[[int], None]) -> T:
        return look(start, stop)

    return in_parts(part, files, count, ledger, None, least)


def in_parts(
    part: Part, images: int, count: int, ledger: Ledger, progress: Progress | None, least: int | None = None
) -> list[Any]:
    """Results of `part` over runs of the images, in order; their books are added to `ledger`. Each of `count` processes
    takes the next run whenever it is done with one, so that none waits long for another: there are `_TURNS` for each,
    but none of fewer than `least` images (None: of `SHORTEST`).

    The first error of a run is raised here, after all processes have ended. AnnolakeError (`worker-died`) if a process
    ended without a word.
    """
    context = multiprocessing.get_context("fork")
    bounds = runs(images, max(count, min(count * _TURNS, images // (SHORTEST if least is None else least))))
    done = context.Array("Q", len(bounds), lock=False)
    turn = context.Value("Q", 0)
    workers: list[Any] = []
    pipes: list[Connection] = []
    try:
        for _ in range(count):
            receiver, sender = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(part, bounds, ledger, done, turn, sender), daemon=True)
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
    results: list[Any] = []
    for number in range(len(bounds)):
        if number not in outcomes:
            hint = "is there enough memory? --jobs 1 needs the least"
            raise AnnolakeError("worker-died", "a process ended without a word", hint=hint)
        result, books, error = outcomes[number]
        if error is not None:
            raise error
        ledger.add(books)
        results.append(result)
    return results


@contextmanager
def _undisturbed() -> Generator[None]:
    """Signals wait: between a fork and the note of it, one would leave a process that nobody ends."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(
    part: Part, bounds: Sequence[tuple[int, int]], ledger: Ledger, done: Any, turn: Any, pipe: Connection
) -> None:
    """In the child. Ctrl-C is the parent's affair: it ends its children, at once, whatever handler they inherited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    while (number := _taken(turn)) < len(bounds):

        def tell(count: int, number: int = number) -> None:
            done[number] = count

        books = ledger.another()
        result, error = attempt(lambda run=bounds[number], books=books, tell=tell: part(*run, books, tell))
        if error is not None:
            turn.value = len(bounds)  # all runs before it are done or begun, and what comes after does not matter
        pipe.send((number, result, books, error))
    pipe.close()


def _taken(turn: Any) -> int:
    with turn.get_lock():
        number = turn.value
        turn.value = number + 1
    return number


def attempt(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """In another process: what the call gives, or its error in a form that can be sent home."""
    try:
        return call(), None
    except (AnnolakeError, OSError) as error:
        return None, error
    except Exception as error:  # noqa: BLE001  (a child's traceback would reach the user, and the parent no cause)
        message = f"a process failed: {type(error).__name__}: {error}"
        return None, AnnolakeError("worker-failed", message, hint="please report it; --jobs 1 shows more")


def _collect(pipes: Sequence[Connection], tick: Callable[[], object]) -> dict[int, _Outcome]:
    """Of each run that was finished its result, books and error."""
    outcomes: dict[int, _Outcome] = {}
    waiting = list(pipes)
    while waiting:
        for ready in wait(waiting, timeout=_TICK):
            pipe: Any = ready
            try:
                number, *outcome = pipe.recv()
            except EOFError:
                waiting.remove(pipe)
            else:
                outcomes[number] = tuple(outcome)
        tick()
    return outcomes
