"""A few read-only pages for a browser: collections, their pictures, a picture with its annotations drawn over it.

Plain HTML without scripts and without anything from elsewhere. Built as a tree, so that no name or label can become
markup. On this computer they are open; a stand-in that others can reach asks for key and secret.
"""

from __future__ import annotations

import re
import sqlite3
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from . import finding, shelves
from .database import ACTIVE, one
from .downloads import EVERY_OPERATION, upload_form
from .drawing import Element, drawing, element, html
from .lake import IMAGE, OTHER, VIDEO, Lake
from .refusals import Refusal

_PICTURES = 30
_MEDIA = {IMAGE: "images", VIDEO: "videos", OTHER: "other files"}
_LOCAL_HOST = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222 }
h1 { font-size: 1.4rem } a { color: #0b57d0; text-decoration: none } a:hover { text-decoration: underline }
table { border-collapse: collapse } td, th { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid #ddd }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem }
.pictures img { width: 100%; height: 8rem; object-fit: contain; background: #f3f3f3 }
.pictures a { overflow-wrap: anywhere } svg { max-width: 100%; height: auto; background: #f3f3f3 }
svg .shape { fill-opacity: .15; stroke-width: 2; vector-effect: non-scaling-stroke } svg .line { fill: none }
svg text { font: bold 12px system-ui, sans-serif; paint-order: stroke; stroke: #fff; stroke-width: 3px }
"""


def routes(lake: Lake) -> list[BaseRoute]:
    shown = {"/": _collections, "/collections/{id}": _collection, "/files/{id}": _file}
    return [
        *(Route(path, partial(_show, lake, page)) for path, page in shown.items()),
        Route("/style.css", _style),
    ]


async def _style(_: Request) -> Response:
    return PlainTextResponse(_STYLE, media_type="text/css", headers=_HEADERS)


async def _show(lake: Lake, page: Any, request: Request) -> Response:
    """Runs a page, for those who may see it."""
    if lake.settings.is_local and not _LOCAL_HOST.fullmatch(request.headers.get("host", "")):
        # A foreign page that has its own name lead here (DNS rebinding) is not to read what is here.
        return PlainTextResponse("Use the address that the sandbox has printed.", 421)
    if not lake.settings.is_local and not lake.settings.credentials.allow(request.headers.get("authorization")):
        asks = {"WWW-Authenticate": 'Basic realm="annolake sandbox"'}
        return PlainTextResponse("Key and secret, please.", 401, asks)
    try:
        title, *content = await run_in_threadpool(page, lake, request)
    except Refusal as refusal:
        return PlainTextResponse(refusal.message, refusal.status)
    return Response(html(title, content), media_type="text/html", headers=_HEADERS)


def _collections(lake: Lake, request: Request) -> list[Any]:
    sql = (
        "SELECT collections.*, "
        "(SELECT COUNT(*) FROM files WHERE collection_id = collections.id AND status = ?1) AS count "
        "FROM collections WHERE status = ?1 ORDER BY name, media_type"
    )
    with lake.database.reading() as db:
        rows = db.execute(sql, (ACTIVE,)).fetchall()
    if not rows:
        return ["Collections", element("p", text="There are no collections yet: upload one.")]
    table = element("table")
    table.append(_row("th", "Collection", "Holds", "Id"))
    for row in rows:
        link = element("a", {"href": f"/collections/{row['id']}"}, row["name"])
        table.append(_row("td", link, f"{row['count']:,} {_MEDIA[row['media_type']]}", row["id"]))
    return ["Collections", table]


def _collection(lake: Lake, request: Request) -> list[Any]:
    page = request.query_params.get("page", "0")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 9 else 0
    with lake.database.reading() as db:
        head = shelves.active(db, request.path_params["id"])
        sql = "SELECT * FROM files WHERE collection_id = ? AND status = ? ORDER BY name, id LIMIT ? OFFSET ?"
        rows = db.execute(sql, (head["id"], ACTIVE, _PICTURES + 1, number * _PICTURES)).fetchall()
    pictures = element("div", {"class": "pictures"})
    for row in rows[:_PICTURES]:
        link = element("a", {"href": f"/files/{row['id']}"})
        if row["width"]:
            link.append(element("img", {"src": lake.media_url("", row["blob"], row["unique_name"]), "alt": ""}))
        link.append(element("div", text=row["name"]))
        pictures.append(link)
    steps = element("p")
    if number:
        steps.append(_step("earlier", number - 1))
    if len(rows) > _PICTURES:
        steps.append(_step("later", number + 1))
    return [head["name"], _up("/", "all collections"), pictures, steps]


def _file(lake: Lake, request: Request) -> list[Any]:
    with lake.database.reading() as db:
        row = one(db, f"SELECT files.* {finding.FROM} AND files.id = ?", request.path_params["id"])
        if row is None:
            raise Refusal(404, "File not found")
        shapes = upload_form(db, row["id"], EVERY_OPERATION)
        operations = [
            found["operation_id"]
            for found in db.execute("SELECT operation_id FROM annotations WHERE file_id = ? ORDER BY 1", (row["id"],))
        ]
    url = lake.media_url("", row["blob"], row["unique_name"])
    facts = element("table")
    for name, value in _facts(row, operations, len(shapes)).items():
        facts.append(_row("td", name, value))
    up = _up(f"/collections/{row['collection_id']}", "the collection")
    if not row["width"]:
        return [row["name"], up, facts, element("p", text="This is no picture that can be shown.")]
    return [row["name"], up, drawing(url, row["width"], row["height"], shapes), facts]


def _facts(row: sqlite3.Row, operations: list[str], count: int) -> dict[str, str]:
    size = f", {row['width']} × {row['height']} pixels" if row["width"] else ""
    return {
        "Unique name": row["unique_name"],
        "Storage path": row["storage_path"],
        "Size": f"{row['size']:,} bytes{size}",
        "Annotations": f"{count:,}",
        "Operations": ", ".join(operations),
        "Metadata": row["metadata"],
        "Tags": row["tags"],
    }


def _row(tag: str, *cells: str | Element) -> Element:
    row = element("tr")
    for cell in cells:
        holder = element(tag, text=cell if isinstance(cell, str) else "")
        if not isinstance(cell, str):
            holder.append(cell)
        row.append(holder)
    return row


def _up(href: str, text: str) -> Element:
    paragraph = element("p")
    paragraph.append(element("a", {"href": href}, text))
    return paragraph


def _step(text: str, page: int) -> Element:
    return element("a", {"href": "?" + urlencode({"page": page})}, f"{text} ")
