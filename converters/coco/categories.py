"""The categories of a file that is being written, and the id of each label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...schemas.model import Category
from ...schemas.plain import is_id


class Categories:
    """`plain` are the categories as COCO has them. Those without an id, or with one that another has, are numbered
    above all others, from 1 where there are none. A label that is not among them is added at the end, as the whole set
    has it where it does.
    """

    def __init__(self, labels: Iterable[Category], whole: Iterable[Category] = ()) -> None:
        self.plain: list[dict[str, Any]] = []
        self.ids: dict[tuple[str, Any], Any] = {}
        labels = list(labels)
        self.whole = {label.name: label for label in whole}
        known = (label.id for label in (*labels, *self.whole.values()))
        self.following = max((identity for identity in known if isinstance(identity, int)), default=0)
        self.given: set[Any] = set()
        for label in labels:
            self._add(label)

    def id_of(self, label: str, chosen: Any = None) -> Any:
        """The id of a label; the `chosen` one where several categories have this name."""
        if is_id(chosen) and (label, chosen) in self.ids:
            return self.ids[label, chosen]
        if (label, None) not in self.ids:
            self._add(self.whole.get(label, Category(label)))
        return self.ids[label, None]

    def _add(self, label: Category) -> None:
        identity = label.id
        if identity is None or identity in self.given:
            identity = self._fresh()
        self.given.add(identity)
        plain: dict[str, Any] = {"id": identity, "name": label.name}
        for key in ("supercategory", "keypoints", "skeleton"):
            if getattr(label, key) is not None:
                plain[key] = getattr(label, key)
        self.plain.append({**plain, **{key: value for key, value in label.extras.items() if key not in plain}})
        self.ids.setdefault((label.name, None), identity)
        self.ids[label.name, identity] = identity
        if label.id is not None:
            self.ids[label.name, label.id] = identity

    def _fresh(self) -> int:
        self.following += 1
        return self.following
