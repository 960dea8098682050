"""Which files: object type, query and filter, turned into SQL; selections; the trash.

A query is one comparison: a key, an operator, a value. Keys: `annotation.label`, `metadata.Tags`, `metadata.name` (the
file's name), `metadata.<custom field>`. Operators: `=`, `!=`, `~` (contains, whatever the case). The service publishes
no grammar; these are its documented examples and what its data show. Anything else is refused, not taken for
everything.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from . import finding
from .annotations import HUMAN, MACHINE
from .calls import Asked
from .database import ACTIVE, TRASHED, insert, marks, new_id, now, one, text_of
from .lake import CONTENT, Lake
from .refusals import Refusal

_RAW, _MACHINE, _HUMAN = 0, 1, 2
_TYPE_CONDITIONS = {
    _RAW: "NOT EXISTS (SELECT 1 FROM annotations WHERE file_id = files.id)",
    _MACHINE: f"EXISTS (SELECT 1 FROM annotations WHERE file_id = files.id AND mode = {MACHINE})",
    _HUMAN: f"EXISTS (SELECT 1 FROM annotations WHERE file_id = files.id AND mode = {HUMAN})",
}
_QUERY = re.compile(r"\s*(annotation\.label|metadata\.[^=!~]+?)\s*(!=|=|~)\s*(.*?)\s*", re.DOTALL)
_LABEL = "SELECT 1 FROM annotations, json_each(annotations.labels) AS word WHERE file_id = files.id AND "
_TAG = "SELECT 1 FROM json_each(files.tags) AS word WHERE "
_FIELD = "SELECT 1 FROM json_each(files.metadata) AS word WHERE word.key = ? AND "
_SORT = {
    1: "files.modified",
    2: "files.created",
    3: "files.name",
    4: "files.size",
    6: "files.created",
    7: "files.modified",
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Condition = tuple[str, list[Any]]
"""SQL on `files`, and the values of its place holders."""


class Dates(msgspec.Struct):
    fromDate: str | None = None
    toDate: str | None = None


class Filter(msgspec.Struct):
    annotationTypes: list[int] = []
    date: Dates | None = None
    tags: list[str] = []
    labels: list[str] = []
    metadata: dict[str, Any] = {}


class Sort(msgspec.Struct):
    sortOrder: str = "DESC"
    sortByField: int = 1


class Select(msgspec.Struct):
    contentType: int = 0
    isAllSelected: bool = False
    objectIdList: list[str] = []
    filterData: Filter | None = None
    query: str | None = ""
    collectionId: str | None = ""


class Trash(msgspec.Struct):
    selectionId: str
    userId: str = ""


def chosen(content: int, query: str | None, wanted: Filter | None, collection: str | None) -> Condition:
    """The condition for files of this object type (0: any), query, filter and collection. Refusal 406 where a part
    is not understood.
    """
    conditions: list[Condition] = [_of_content(content)]
    if collection:
        conditions.append(("files.collection_id = ?", [collection]))
    if query:
        conditions.append(_of_query(query))
    if wanted is not None:
        conditions += _of_filter(wanted)
    return " AND ".join(sql for sql, _ in conditions), [value for _, values in conditions for value in values]


def order(sort: Sort | None) -> str:
    """SQL's order. By default what was changed last comes first; equal ones always in one order."""
    sort = sort or Sort()
    if sort.sortOrder not in ("ASC", "DESC") or sort.sortByField not in _SORT:
        raise Refusal(422, "sortOrder must be ASC or DESC, and sortByField one of 1, 2, 3, 4, 6, 7")
    return f"{_SORT[sort.sortByField]} {sort.sortOrder}, files.id {sort.sortOrder}"


def select(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/query/getSelectionId`: what is selected now, by ids. Nothing at all is refused."""
    told = asked.body(Select)
    with lake.database.writing() as db:
        if told.isAllSelected:
            where, values = chosen(told.contentType, told.query, told.filterData, told.collectionId)
            rows = db.execute(f"SELECT files.id {finding.FROM} AND {where}", values).fetchall()
            collections: list[str] = []
            files = [row["id"] for row in rows]
        else:
            held = f"WHERE status = {ACTIVE} AND id IN (SELECT value FROM json_each(?))"
            ids = text_of(told.objectIdList)
            collections = [row["id"] for row in db.execute(f"SELECT id FROM collections {held}", (ids,))]
            files = [row["id"] for row in db.execute(f"SELECT id FROM files {held}", (ids,))]
        if not collections and not files:
            return {"isSuccess": False, "warningMsg": "No objects are selected"}
        row = {"id": new_id(), "collections": text_of(collections), "files": text_of(files)}
        insert(db, "selections", row)
    return {"isSuccess": True, "selectionTag": row["id"]}


def trash(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/file/trash`: hides the selection; a trashed collection hides its files. Failed are those that
    were in the trash already.
    """
    told = asked.body(Trash)
    with lake.database.writing() as db:
        selection = one(db, "SELECT * FROM selections WHERE id = ?", told.selectionId)
        if selection is None:
            raise Refusal(406, "Selection not found")
        trashed = failed = 0
        for table in ("collections", "files"):
            ids: list[str] = msgspec.json.decode(selection[table])
            selected = "status = ? AND id IN (SELECT value FROM json_each(?))"
            sql = f"UPDATE {table} SET status = ?, modified = ? WHERE {selected}"
            count = db.execute(sql, (TRASHED, now(), ACTIVE, text_of(ids))).rowcount
            trashed += count
            failed += len(ids) - count
    message = f"{trashed} objects successfully trashed, {failed} objects failed to trash"
    return {"isSuccess": failed == 0, "message": message}


def _of_content(content: int) -> Condition:
    if content == 0:
        return "1", []
    media = [media for media, object_type in CONTENT.items() if content in (media, object_type)]
    return f"files.media_type IN ({marks(media)})", list(media)


def _of_query(query: str) -> Condition:
    match = _QUERY.fullmatch(query)
    if match is None:
        raise Refusal(406, f"Invalid query {query[:200]!r}: give one like annotation.label=Bird or metadata.Tags=water")
    key, operator, value = match.groups()
    name = key.removeprefix("metadata.")
    if name == "name":
        return _compared("files.name", operator), [_operand(operator, value)]
    if key == "annotation.label":
        inner, values = _LABEL, []
    elif name == "Tags":
        inner, values = _TAG, []
    else:
        inner, values = _FIELD, [name]
    negated = "NOT " if operator == "!=" else ""
    compared = _compared("CAST(word.value AS TEXT)", "=" if negated else operator)
    return f"{negated}EXISTS ({inner}{compared})", [*values, _operand(operator, value)]


def _compared(column: str, operator: str) -> str:
    return f"instr(lower({column}), ?) > 0" if operator == "~" else f"{column} {operator} ?"


def _operand(operator: str, value: str) -> str:
    return value.lower() if operator == "~" else value


def _of_filter(wanted: Filter) -> list[Condition]:
    out: list[Condition] = []
    if wanted.annotationTypes:
        if not set(wanted.annotationTypes) <= set(_TYPE_CONDITIONS):
            raise Refusal(406, "Invalid filter: annotation types are 0 (raw), 1 (machine), 2 (human)")
        out.append((f"({' OR '.join(_TYPE_CONDITIONS[kind] for kind in wanted.annotationTypes)})", []))
    dates = wanted.date or Dates()
    if dates.fromDate:
        out.append(("files.created >= ?", [_moment(dates.fromDate, is_end=False)]))
    if dates.toDate:
        out.append(("files.created < ?", [_moment(dates.toDate, is_end=True)]))
    for inner, words in ((_TAG, wanted.tags), (_LABEL, wanted.labels)):
        if words:
            out.append((f"EXISTS ({inner}word.value IN ({marks(words)}))", list(words)))
    for name, value in wanted.metadata.items():
        out.append((f"EXISTS ({_FIELD}CAST(word.value AS TEXT) = ?)", [name, str(value)]))
    return out


def _moment(text: str, *, is_end: bool) -> float:
    """Seconds since 1970 of a date or time (ISO 8601, UTC where no zone is given). The last day counts in full."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if is_end and _DAY.fullmatch(text.strip()):
            moment += timedelta(days=1)
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise Refusal(406, f"Invalid date {text[:50]!r}: give one like 2022-08-02") from None
