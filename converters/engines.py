"""Who does the work: processes of this computer, or the workers of a cluster.

An engine does numbered tasks, each with books of its own. Results and books come back in the order of the numbers, and
so does the first error: what comes of it is the same whoever did it, and however many there were.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Literal, Protocol

from ..schemas.errors import AnnolakeError, UsageError
from .files import no_gc
from .ledger import Ledger
from .memory import Memory
from .opening import Progress
from .parallel import attempt, in_parts, processes

EngineName = Literal["local", "ray"]

Task = Callable[[int, Ledger, Callable[[int], None]], Any]
"""Does the task of a number, keeping the books given, telling now and then how many images are done."""


class Engine(Protocol):
    elsewhere: bool
    """Whether tasks may run in another folder, on another computer."""

    def run(self, task: Task, sizes: Sequence[int], ledger: Ledger, progress: Progress | None) -> list[Any]:
        """The results of tasks 0, 1, ..., one for each of `sizes` (about how many images each has); their books are
        added to `ledger`.
        """
        ...


def engine_of(name: EngineName, jobs: int | None, shards: int | None, memory: Memory | None) -> Engine:
    """UsageError where that engine is not there, or has nothing to share."""
    if name == "local":
        return Local(jobs, memory)
    if shards is None:
        raise UsageError("engine", f"--engine {name} shares shards, and none are asked for", hint="give --shards N")
    if jobs is not None:
        raise UsageError("jobs", "--jobs is for this computer; a cluster knows its own cores", hint="leave it out")
    return Ray()


class Local:
    """Forked processes, each with a run of the tasks: neighbours often need the same source."""

    elsewhere = False

    def __init__(self, jobs: int | None = None, memory: Memory | None = None) -> None:
        self.jobs = jobs
        self.memory = memory

    def run(self, task: Task, sizes: Sequence[int], ledger: Ledger, progress: Progress | None) -> list[Any]:
        total = sum(sizes)

        def part(start: int, stop: int, books: Ledger, tell: Callable[[int], None]) -> list[Any]:
            results: list[Any] = []
            for number in range(start, stop):
                own, before = books.another(), sum(sizes[start:number])
                results.append(task(number, own, lambda done, before=before: tell(before + done)))
                books.add(own)
                tell(before + sizes[number])
            return results

        def tell(done: int, _: int | None = None) -> None:
            if progress is not None:
                progress(done, total)

        count = min(processes(self.jobs, total, self.memory), len(sizes))
        if count <= 1:
            return part(0, len(sizes), ledger, tell)
        return [result for some in in_parts(part, len(sizes), count, ledger, tell) for result in some]


_AHEAD = 4
"""Tasks handed to the cluster for each of its cores: enough to keep all busy, and few to call off."""


class Ray:
    """Ray tasks on the cluster that `RAY_ADDRESS`, or a file of `ray start`, says; or that the caller is connected to.

    Every node has annolake, and sees the sources, and the target where that is a folder, under the same paths.
    """

    elsewhere = True

    def __init__(self) -> None:
        self.ray = _connected()

    def run(self, task: Task, sizes: Sequence[int], ledger: Ledger, progress: Progress | None) -> list[Any]:
        ray = self.ray
        shared, books = ray.put(task), ledger.another()
        work = ray.remote(num_cpus=1, max_retries=3)(_work)
        room = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        numbers: dict[Any, int] = {}
        outcomes: dict[int, tuple[Any, Ledger, BaseException | None]] = {}
        following = iter(range(len(sizes)))
        done = 0
        try:
            while True:
                failed = any(error is not None for _, _, error in outcomes.values())
                while not failed and len(numbers) < room and (number := next(following, None)) is not None:
                    numbers[work.remote(shared, number, books)] = number
                if not numbers:
                    break
                ready, _ = ray.wait(list(numbers), num_returns=1)
                for ref in ready:
                    number = numbers.pop(ref)
                    outcomes[number] = _outcome(ray, ref, books)
                    done += sizes[number]
                if progress is not None:
                    progress(done, sum(sizes))
        finally:
            _call_off(ray, list(numbers))
        results: list[Any] = []
        for number in sorted(outcomes):
            result, own, error = outcomes[number]
            if error is not None:
                raise error
            ledger.add(own)
            results.append(result)
        return results


def _work(task: Task, number: int, books: Ledger) -> tuple[Any, Ledger, BaseException | None]:
    """On a worker."""
    with no_gc():
        result, error = attempt(lambda: task(number, books, lambda _: None))
    return result, books, error


def _outcome(ray: Any, ref: Any, books: Ledger) -> tuple[Any, Ledger, BaseException | None]:
    try:
        return ray.get(ref)
    except ray.exceptions.RayError as error:
        message = f"a worker of the cluster gave up: {type(error).__name__}"
        hint = "is there enough memory, and the same annolake on every node? The logs of Ray say more"
        return None, books, AnnolakeError("worker-died", message, hint=hint)


def _call_off(ray: Any, refs: list[Any]) -> None:
    """Whoever still works is stopped, and has stopped, before what was written is removed."""
    for ref in refs:
        ray.cancel(ref, force=True)
    if refs:
        ray.wait(refs, num_returns=len(refs), timeout=60)


def _connected() -> Any:
    try:
        ray: Any = import_module("ray")
    except ImportError:
        hint = "pip install 'annolake[ray]'"
        raise UsageError("missing-extra", "--engine ray needs Ray, which is not installed", hint=hint) from None
    if not ray.is_initialized():
        try:
            ray.init(address="auto", log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError:
            hint = "`ray start --head` starts one on this computer; RAY_ADDRESS says where another is"
            raise UsageError("no-cluster", "there is no Ray cluster to be found", hint=hint) from None
    return ray
