"""Records to a COCO results list: the keys of a result, in the order of the source's list where there was one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Annotation, Catalog, Record, Tag, objects
from ...schemas.plain import is_id, is_object
from ..files import write_pieces
from ..format import Written
from ..ledger import Decision
from .categories import Categories
from .escaping import as_json
from .ids import Ids
from .notes import notes_of
from .restoring import Usual, to_coco, to_label_only

_UNLESS_GIVEN = ("id", "area", "num_keypoints")


def write_results(path: Path, catalog: Catalog, records: Iterable[Record]) -> Written:
    """A list of results. InvalidInput (`confidence-missing`) for an annotation without a score."""
    categories, image_ids = Categories(catalog.labels), Ids(notes_of(catalog).next_image_id)
    numbered: list[tuple[float, bytes]] = []
    images = 0
    for record in records:
        images += 1
        image_id = image_ids.take(record.id)
        for group in (*objects(record.annotations), *([tag] for tag in record.tags)):
            first = group[0]
            category = categories.id_of(first.label, first.metadata.get("coco_category_id"))
            result = _result(group, image_id, category)
            if "score" not in result:
                message, hint = f"a {first.label} without a confidence", "every result has a score"
                raise InvalidInput("confidence-missing", message, place=Place(image=record.image), hint=hint)
            number = first.metadata.get("coco_id")
            order = number if isinstance(number, int) and not isinstance(number, bool) else float("inf")
            numbered.append((order, as_json(result)))
    numbered.sort(key=lambda pair: pair[0])
    pieces = (text + (b",\n" if place < len(numbered) else b"\n") for place, (_, text) in enumerate(numbered, 1))
    write_pieces(path, (b"[\n", *pieces, b"]\n"))
    text = "names and sizes of images, and images without results, are in the ground-truth file only"
    return Written(images, len(numbered), (Decision("results", text),))


def _result(group: Sequence[Annotation] | Sequence[Tag], image_id: Any, category: Any) -> dict[str, Any]:
    """What a COCO annotation says and a result has room for."""
    first: Any = group[0]
    kept: Any = group
    given = _given(first.metadata)
    own_id = given.pop("id", ...)
    if own_id is not ...:
        extra = {**first.metadata, "coco_extra": msgspec.json.encode(given).decode()}
        kept = [replace(first, metadata=extra), *group[1:]]
    if isinstance(first, Tag):
        out = to_label_only(kept[0], 0, image_id, category)
    else:
        made = to_coco(kept, 0, image_id, category)
        out = msgspec.structs.asdict(made) if isinstance(made, Usual) else made
    for key in _UNLESS_GIVEN:
        if key not in given:
            out.pop(key, None)
    if not out["iscrowd"] and "iscrowd" not in given:
        del out["iscrowd"]
    if out.get("segmentation") == [] and "segmentation" not in given:
        del out["segmentation"]
    if is_id(own_id):
        out["id"] = own_id
    return out


def _given(metadata: dict[str, Any]) -> dict[str, Any]:
    with suppress(TypeError, UnicodeError, msgspec.MsgspecError):
        extra = msgspec.json.decode(metadata.get("coco_extra", "{}"))
        if is_object(extra):
            return extra
    return {}
