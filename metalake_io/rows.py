"""A row in the report for everything that was planned, whatever stops the run that works on it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from ..schemas.errors import AnnolakeError, LossRefused
from .results import Item, Report
from .transfer.workers import in_parallel


class Named(Protocol):
    @property
    def name(self) -> str: ...


Thing = TypeVar("Thing", bound=Named)


@contextmanager
def attached(report: Report) -> Generator[None]:
    """Whatever is raised inside, Ctrl-C too, bears the report of what was done until then."""
    try:
        yield
    except LossRefused:  # its report is that of the conversion
        raise
    except BaseException as error:
        error.report = report  # pyright: ignore[reportAttributeAccessIssue]
        raise


@contextmanager
def all_told(report: Report, things: Iterable[Named], waiting: Callable[[Any], Item]) -> Generator[None]:
    """The same; and what was to be done and has no row yet has one then, that it was not begun."""
    with attached(report):
        try:
            yield
        except BaseException:
            told = {item.name for item in report.items}
            report.items += (waiting(thing) for thing in things if thing.name not in told)
            raise


def report_of(error: BaseException) -> Report | None:
    """The report that an error bears of a transfer that it has stopped."""
    report: Any = getattr(error, "report", None)
    return report if isinstance(report, Report) else None


def not_begun(names: Iterable[str], reason: str = "not sent", *, size: int | None = None) -> list[Item]:
    """Rows of what is still to be done."""
    return [Item(name=one, state="not begun", reason=reason, attempts=0, retry_helps=True, size=size) for one in names]


def unsent(name: str, reason: str, *, retry_helps: bool = True) -> Item:
    """The row of what was not sent because of something else that failed."""
    return Item(name=name, state="failed", reason=reason, attempts=0, retry_helps=retry_helps)


def without_its_file(name: str, missing: Mapping[str, bool]) -> Item:
    """The row of what belongs to a file that did not arrive; in `missing`, whether that can be helped."""
    return unsent(name, "its file did not arrive", retry_helps=missing[name])


def interrupted(name: str) -> Item:
    """The row of what was under way to the service when the run was called off."""
    reason = "called off on its way; whether the service has it is not known"
    return Item(name=name, state="uncertain", reason=reason, retry_helps=True)


def in_rows(
    things: Sequence[Thing],
    work: Callable[[Thing], Item],
    at_once: int,
    report: Report,
    *,
    waiting: Callable[[Thing], Item],
    under_way: Callable[[Thing], Item],
    on_item: Callable[[Item], None] | None = None,
) -> None:
    """The items that `work` brings, many at once; in the report they stand in the order of `things`.

    Where `work` raises, or the caller is interrupted, the report has rows of all nevertheless: `waiting` of things that
    were not begun, `under_way` of those that were called off.
    """
    items: list[Item | None] = [None] * len(things)

    def one(number: int) -> Item:
        thing = things[number]
        items[number] = under_way(thing)
        try:
            item = items[number] = work(thing)
        except AnnolakeError as error:
            items[number] = Item.failed(thing.name, error)
            raise
        return item

    try:
        for item in in_parallel(range(len(things)), one, at_once):
            if on_item is not None:
                on_item(item)
    finally:
        report.items += (item or waiting(thing) for item, thing in zip(items, things, strict=True))
