"""Which objects are meant: filters, sort orders and selections, strictly read. A misspelt filter selects everything,
so here it selects nothing and is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..schemas.errors import UsageError
from ..schemas.plain import is_list

_TYPES = {"human": 2, "raw": 0, "machine": 1}
_DATES = {"to_date": "toDate", "from_date": "fromDate"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FIELDS = {"date_modified": 1, "date_created": 2, "name": 3, "size": 4, "video_index": 6}

NEWEST_FIRST = {"sort_by_field": "date_modified", "sort_order": "DESC"}
"""The documented default of lists."""


def filter_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """`{"annotation_types": ["raw", "human", "machine"], "from_date": "2022-08-02", "to_date": ...}`, every key
    optional, in the service's words. A date is a day or a time of ISO 8601. UsageError for any other key, type or
    date, and for what selects everything, or nothing, because it is empty.
    """
    given = {} if given is None else given
    if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError("bad-filter", "a filter is a dictionary")
    unknown = sorted(map(str, set(given) - {"annotation_types", *_DATES}))
    if unknown:
        hint = "its keys are annotation_types, from_date and to_date"
        raise UsageError("bad-filter", f"a filter has no key {', '.join(unknown)}", hint=hint)
    types = given.get("annotation_types", [])
    if not is_list(types) or not all(isinstance(kind, str) and kind in _TYPES for kind in types):
        raise UsageError("bad-filter", "annotation_types is a list of raw, human and machine")
    if "annotation_types" in given and not types:
        hint = "leave it out, or name raw, human or machine"
        raise UsageError("bad-filter", "annotation_types is empty, which would select everything", hint=hint)
    dates = {key: given[key] for key in _DATES if key in given}
    for key, date in dates.items():
        if not _is_date(date):
            raise UsageError("bad-date", f"{key} is {date!r}, which is no date", hint="give it like 2022-08-02")
    if len(dates) == len(_DATES) and dates["from_date"][:10] > dates["to_date"][:10]:
        raise UsageError("bad-date", "from_date is after to_date: nothing would be selected", hint="swap them")
    return {
        "annotationTypes": [number for kind, number in _TYPES.items() if kind in types],
        "date": {_DATES[key]: date for key, date in dates.items()},
    }


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
    """A query as text, empty for none. UsageError for None and blanks, which the service takes for everything."""
    if not isinstance(given, str):
        raise UsageError(
            "bad-query", "a query is a text such as annotation.label=Bird", hint="leave it out, or give it"
        )
    if given and not given.strip():
        raise UsageError(
            "bad-query", "the query is blank, which would select everything", hint="leave it out, or give it"
        )
    return given


def _is_date(given: Any) -> bool:
    if not isinstance(given, str) or not _DAY.match(given):
        return False
    try:
        datetime.fromisoformat(given)
    except ValueError:
        return False
    return True
