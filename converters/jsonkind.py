"""Which of our formats a JSON file is, from its first kilobytes where they tell, so that a broken file still gets the
error of the reader it was meant for.

MetaLake and COCO both have `images` at the root: `images[].image` is the one, `images[].id` or `file_name` the other
(`annotations` or `categories` at the root too).
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator, Set
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ..schemas.errors import AnnolakeError

if TYPE_CHECKING:
    from ..schemas.jsonelements import Piece

Kind = Literal["metalake", "coco", "none"]

_HEAD = 1 << 16
_LARGE = 1 << 26
_COCO_ROOT = frozenset(("annotations", "categories", "licenses", "info"))
_COCO_IMAGE = frozenset(("id", "file_name", "coco_url"))
_FIRST_IMAGE = re.compile(r'"images"\s*:\s*\[\s*(?=\{)')
_ROOT_KEY = re.compile(r'[{,]\s*"([^"\\]*)"\s*:')
_RESULT = frozenset(("image_id", "category_id", "caption", "bbox", "segmentation", "keypoints"))


def json_kind(path: Path) -> tuple[Kind, str]:
    """The kind of the file at `path`, and the reason. Never raises for what is in the file."""
    try:
        status = path.stat()
        return _kind(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        return "none", error.strerror or "cannot be read"


@lru_cache(maxsize=4)
def _kind(path: Path, _modified: int, size: int) -> tuple[Kind, str]:
    if not path.is_file():
        return "none", "not a file"
    if size == 0:
        return "none", "the file is empty"
    with path.open("rb") as file:
        head = file.read(_HEAD).decode("utf-8-sig", "replace").lstrip()
        if head[:1] not in ("{", "["):
            return "none", "not a JSON object or list"
        image = _first_image(head)
        if image is not None:
            return _of(image, set())
        if size > _LARGE and head[:1] == "{":
            return _of_large(path, head)
        if size > _HEAD:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _of_whole(data)
    return _of_whole(head.encode("utf-8", "replace"), head)


def _of_large(path: Path, head: str) -> tuple[Kind, str]:
    """From the first image, looked for in pieces."""
    from ..schemas.largejson import LargeJson

    class Seen(Exception):
        pass

    image: set[str] = set()

    def look_at_first(pieces: Iterator[Piece]) -> None:
        for piece in pieces:
            with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                image.update(msgspec.json.decode(piece.raws[0], type=dict[str, msgspec.Raw]))
            raise Seen

    def step_over(_: Iterator[Piece]) -> None:
        pass

    takes = {"images": look_at_first, "annotations": step_over, "videos": step_over}
    try:
        root = set(LargeJson(path, window=1 << 20, largest=_LARGE).members(takes))
    except Seen:
        return _of(image, set(_ROOT_KEY.findall(head)) | {"images"})
    except AnnolakeError:
        return _of(set(), set(_ROOT_KEY.findall(head)))
    return _of_root(root)


def _of_root(root: Set[str], image: Set[str] = frozenset()) -> tuple[Kind, str]:
    if "images" not in root:
        videos = {"videos", "annotations"} <= root
        return ("coco", "videos and annotations") if videos else ("none", "no key `images`")
    return _of(image, root)


def _first_image(head: str) -> set[str] | None:
    found = _FIRST_IMAGE.search(head)
    if found is None:
        return None
    try:
        return set(json.JSONDecoder().raw_decode(head, found.end())[0])
    except (ValueError, RecursionError):
        return set(_ROOT_KEY.findall(head[found.end() :].partition("}")[0]))


def _of_whole(data: bytes | mmap.mmap, head: str = "") -> tuple[Kind, str]:
    try:
        if head[:1] == "[" or data[:1] == b"[":
            first = _first(msgspec.json.decode(data, type=list[dict[str, msgspec.Raw]]))
            is_result = "image_id" in first and bool(_RESULT & first.keys())
            return ("coco", "a list of COCO results") if is_result else ("none", "a JSON list of something else")
        root = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        images = root.get("images", msgspec.Raw(b"[]"))
        first = _first(msgspec.json.decode(images, type=list[dict[str, msgspec.Raw]]))
        return _of_root(set(root), set(first))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _of(set(), set(_ROOT_KEY.findall(head)))


def _first(objects: list[dict[str, msgspec.Raw]]) -> dict[str, msgspec.Raw]:
    return objects[0] if objects else {}


def _of(image: Set[str], root: Set[str]) -> tuple[Kind, str]:
    if "image" in image:
        return "metalake", "images[].image"
    if image & _COCO_IMAGE:
        return "coco", "images[].id or file_name"
    if "images" in root and root & _COCO_ROOT:
        return "coco", "images beside annotations or categories"
    if "images" in root:
        return "metalake", "images alone"
    return "none", "not the JSON of a known format"


def file_in(path: Path) -> Path:
    """The file itself; of a folder, such as `annolake export` makes, the `annotations.json` in it."""
    inside = path / "annotations.json"
    return inside if path.is_dir() and inside.is_file() else path
