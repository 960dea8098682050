"""What two catalogues of labels differ in."""

from __future__ import annotations

from typing import Any

import msgspec

from ..schemas.model import Catalog, Category


class CatalogDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Label names that only one side has; `changed` ones, where both sides state a supercategory, key points or a
    skeleton and they differ; whether the common ones stand in another order; and `facts` in which the catalogues are
    not literally equal (labels with ids and order, coordinates, splits, extras).
    """

    labels_only_a: list[str]
    labels_only_b: list[str]
    changed: list[str]
    other_order: bool
    facts: list[str]

    def equal(self, *, exact: bool) -> bool:
        """A label that nobody uses is still a label; its number counts only when exact."""
        if self.labels_only_a or self.labels_only_b or self.changed:
            return False
        return not exact or not (self.facts or self.other_order)


def compare_catalogs(a: Catalog, b: Catalog) -> CatalogDifference:
    one, other = _by_name(a), _by_name(b)
    common = [name for name in one if name in other]
    facts = ("labels", "coordinates", "splits", "extras")
    return CatalogDifference(
        labels_only_a=[name for name in one if name not in other],
        labels_only_b=[name for name in other if name not in one],
        changed=[name for name in common if _contradict(one[name], other[name])],
        other_order=common != [name for name in other if name in one],
        facts=[name for name in facts if not same_facts(getattr(a, name), getattr(b, name))],
    )


def same_facts(a: Any, b: Any) -> bool:
    """Whether two values are the same JSON: a tuple is the list that it becomes in a file."""
    return a == b or msgspec.json.decode(msgspec.json.encode(a)) == msgspec.json.decode(msgspec.json.encode(b))


def _by_name(catalog: Catalog) -> dict[str, Category]:
    """Each name once: two categories may share one."""
    first: dict[str, Category] = {}
    for category in catalog.labels:
        first.setdefault(category.name, category)
    return first


def _contradict(a: Category, b: Category) -> bool:
    return any(
        (x := getattr(a, name)) is not None and (y := getattr(b, name)) is not None and x != y
        for name in ("supercategory", "keypoints", "skeleton")
    )
