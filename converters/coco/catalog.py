"""What COCO files say of the whole data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from ...schemas.model import Catalog, Category
from .document import Document
from .notes import File, Notes


def catalog_of(documents: Sequence[Document]) -> Catalog:
    """Categories of all files in order, each id and name once; what else the files say, under their splits."""
    labels: dict[tuple[Any, str], Category] = {}
    for document in documents:
        for category in document.categories:
            labels.setdefault((category.id, category.name), category)
    extras: dict[str, Any] = {}
    for document in documents:
        extras.update(document.extension.extras)
    all_labels = list(labels.values())
    files = documents[0].extension.files if len(documents) == 1 else ()
    files = files or tuple(
        File(
            split=document.source.split,
            name=document.source.name,
            head=document.head,
            categories=UNSET if document.categories == all_labels else tuple(document.categories),
        )
        for document in documents
    )
    notes = Notes(
        files=files,
        next_id=max(document.next_id for document in documents),
        next_image_id=max(document.next_image_id for document in documents),
    )
    extras["coco"] = msgspec.to_builtins(notes)
    splits = dict.fromkeys(file.split for file in files if file.split is not None)
    return Catalog(labels=tuple(all_labels), splits=tuple(splits), extras=extras)
