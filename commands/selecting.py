"""Flags that say which objects of the service are meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--query", default="", metavar="QUERY", help="As in the service, such as annotation.label=Bird."),
    click.option(
        "--annotated-by",
        multiple=True,
        type=click.Choice(("human", "machine", "raw")),
        help="Only what people or machines annotated, or nobody (raw); several times for several.",
    ),
    click.option("--from-date", metavar="DATE", help="2022-08-02, for example."),
    click.option("--to-date", metavar="DATE", help="2023-01-19, for example."),
)
SECTION = ("query", "annotated_by", "from_date", "to_date")


def selecting_options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def selected(query: str, annotated_by: tuple[str, ...], from_date: str | None, to_date: str | None) -> dict[str, Any]:
    """The documented filter of these flags. UsageError, before the service is asked, for what cannot be meant."""
    from ..metalake_io.selections import filter_of, query_of

    out: dict[str, Any] = {"annotation_types": list(annotated_by)} if annotated_by else {}
    dates = {"from_date": from_date, "to_date": to_date}
    out |= {key: date for key, date in dates.items() if date is not None}
    _ = query_of(query), filter_of(out)
    return out
