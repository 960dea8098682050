"""Which objects are meant: filters, sort orders and selections, strictly read. A misspelt filter selects everything,
so here it selects nothing and is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..schemas.errors import UsageError
from ..schemas.plain import is_list

_TYPES = {"human": 2, "raw": 0, "machine": 1}
_DATES = {"to_date": "toDate", "from_date": "fromDate"}
_FIELDS = {"date_modified": 1, "date_created": 2, "name": 3, "size": 4, "video_index": 6}

NEWEST_FIRST = {"sort_by_field": "date_modified", "sort_order": "DESC"}
"""The documented default of lists."""


def filter_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """`{"annotation_types": ["raw", "human", "machine"], "from_date": "2022-08-02", "to_date": ...}`, every key
    optional, in the service's words. UsageError for any other key or type.
    """
    given = {} if given is None else given
    if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError("bad-filter", "a filter is a dictionary")
    unknown = sorted(map(str, set(given) - {"annotation_types", *_DATES}))
    if unknown:
        hint = "its keys are annotation_types, from_date and to_date"
        raise UsageError("bad-filter", f"a filter has no key {', '.join(unknown)}", hint=hint)
    types = given.get("annotation_types", [])
    if not is_list(types) or not all(kind in _TYPES for kind in types):
        raise UsageError("bad-filter", "annotation_types is a list of raw, human and machine")
    dates = {wire: given[key] for key, wire in _DATES.items() if key in given}
    if not all(isinstance(date, str) and date.strip() for date in dates.values()):
        raise UsageError("bad-filter", "from_date and to_date are texts such as 2022-08-02")
    return {"annotationTypes": [number for kind, number in _TYPES.items() if kind in types], "date": dates}


def list_filter(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The same for lists, which want all keys."""
    return {**filter_of(given), "tags": [], "labels": [], "metadata": {}}


def sort_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """`{"sort_by_field": "name", "sort_order": "ASC"}` in the service's words; None is newest first."""
    given = NEWEST_FIRST if given is None else given
    if not isinstance(given, Mapping) or set(given) - {"sort_by_field", "sort_order"}:  # pyright: ignore
        raise UsageError("bad-sort", "a sort order has the keys sort_by_field and sort_order")
    out: dict[str, Any] = {}
    if "sort_order" in given:
        if given["sort_order"] not in ("ASC", "DESC"):
            raise UsageError("bad-sort", "sort_order is ASC or DESC")
        out["sortOrder"] = given["sort_order"]
    if "sort_by_field" in given:
        if given["sort_by_field"] not in _FIELDS:
            raise UsageError("bad-sort", f"sort_by_field is one of {', '.join(_FIELDS)}")
        out["sortByField"] = _FIELDS[given["sort_by_field"]]
    return out


def query_of(given: Any) -> str:
    """A query as text. UsageError for None, which the service would take for everything."""
    if not isinstance(given, str):
        raise UsageError(
            "bad-query", "a query is a text such as annotation.label=Bird", hint="leave it out, or give it"
        )
    return given
