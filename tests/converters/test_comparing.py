"""`compare`: equal means equal by meaning, and every change is found once, from both sides."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.comparing import Difference, compare
from annolake.schemas.errors import InvalidInput, UsageError

BOX: dict[str, Any] = {"type": "rectangle", "bbox": [10, 20, 30, 40], "label": "cat"}
RING = [[10, 10], [30, 10], [30, 30], [10, 30]]
OUTLINE: dict[str, Any] = {"type": "polygon", "polygon": RING, "label": "cat"}


def lake(*images: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A MetaLake file with one image, 0.jpg and so on, for each list of annotations."""
    return {"images": [{"image": f"{n}.jpg", "annotations": found} for n, found in enumerate(images)], **more}


@pytest.fixture
def diff(tmp_path: Path) -> Callable[..., Difference]:
    """Compares two documents; looks at them from the other side too."""
    number = count()

    def run(a: Any, b: Any, **settings: Any) -> Difference:
        paths = [tmp_path / f"{next(number)}.json" for _ in (a, b)]
        for path, document in zip(paths, (a, b), strict=True):
            path.write_text(json.dumps(document), encoding="utf-8")
        found, mirrored = compare(*paths, **settings), compare(*reversed(paths), **settings)
        assert _numbers(mirrored) == (found.equal, found.only_b, found.only_a, found.changed)
        assert (mirrored.images_only_a, mirrored.images_only_b) == (found.images_only_b, found.images_only_a)
        return found

    return run


def _numbers(found: Difference) -> tuple[bool, int, int, int]:
    return found.equal, found.only_a, found.only_b, found.changed


def test_the_documented_json_form(diff: Callable[..., Difference]) -> None:
    found = diff(lake([BOX], []), lake([{**BOX, "label": "dog"}]))
    assert json.loads(json.dumps(found.as_json())) == {
        "equal": False,
        "images": {"only_a": ["1.jpg"], "only_b": [], "changed": []},
        "annotations": {"only_a": 0, "only_b": 0, "changed": 1},
        "changes": [
            {
                "image": "0.jpg",
                "kind": "changed",
                "label": "cat",
                "type": "rectangle",
                "fields": ["label"],
                "a": {"annotation": 1, "label": "cat", "type": "rectangle", "bbox": [10, 20, 30, 40]},
                "b": {"annotation": 1, "label": "dog", "type": "rectangle", "bbox": [10, 20, 30, 40]},
            }
        ],
        "catalog": {
            "labels_only_a": ["cat"],
            "labels_only_b": ["dog"],
            "changed": [],
            "other_order": False,
            "facts": ["labels"],
        },
    }


@pytest.mark.parametrize(
    "ring",
    [
        [[30, 10], [30, 30], [10, 30], [10, 10]],
        [[10, 30], [30, 30], [30, 10], [10, 10]],
        [[10, 10], [30, 10], [30, 30], [10, 30], [10, 10]],
        [[30, 30.009], [9.991, 30], [10, 10], [30, 10]],
    ],
    ids=["other start", "other direction", "closed", "within a hundredth of a pixel"],
)
def test_the_same_ring(diff: Callable[..., Difference], ring: Any) -> None:
    assert diff(lake([OUTLINE]), lake([{**OUTLINE, "polygon": ring}])).equal


@pytest.mark.parametrize(
    "ring",
    [
        [[30, 10], [10, 10], [30, 30], [10, 30]],
        [[10, 10], [30, 10], [30, 30], [20, 30], [10, 30]],
        [[10, 10], [30, 10], [30, 30]],
        [[10, 10], [30, 10.011], [30, 30], [10, 30]],
    ],
    ids=["other order", "one vertex more", "one vertex less", "beyond a hundredth of a pixel"],
)
def test_another_ring(diff: Callable[..., Difference], ring: Any) -> None:
    found = diff(lake([OUTLINE]), lake([{**OUTLINE, "polygon": ring}]))
    assert _numbers(found) == (False, 0, 0, 1)
    assert found.changes[0].fields == ("geometry",)


def test_the_distance_is_that_of_the_farthest_vertex(diff: Callable[..., Difference]) -> None:
    turned = [[34, 33], [10, 30], [10, 10], [30, 10]]
    found = diff(lake([OUTLINE]), lake([{**OUTLINE, "polygon": turned}]))
    assert found.changes[0].distance_px == 5


@pytest.mark.parametrize("kind", ["line", "points"])
def test_lines_and_points_keep_their_order(diff: Callable[..., Difference], kind: str) -> None:
    a, b = ({"type": kind, kind: ring, "label": "x"} for ring in (RING, RING[::-1]))
    assert diff(lake([a]), lake([a])).equal
    assert _numbers(diff(lake([a]), lake([b]))) == (False, 0, 0, 1)


@pytest.mark.parametrize(
    ("change", "field", "keys"),
    [
        ({"confidence": 0.5}, "confidence", ()),
        ({"metadata": {"occluded": True}}, "metadata", ("occluded",)),
        ({"metadata": {"note": "x"}}, "metadata", ("note",)),
        ({"metadata": {"shape": "cuboid"}}, "metadata", ("shape",)),
        ({"metadata": {"keypoints": "[10, 20, 2]"}}, "keypoints", ()),
        ({"attributes": {"colour": [{"value": "red"}]}}, "attributes", ("colour",)),
        ({"attributes": {"colour": [{"value": "red", "metadata": {"by": "me"}}]}}, "attributes", ("colour",)),
        ({"unknown": 1}, "extras", ()),
        ({"bbox": [10, 20, 30, 40.5]}, "geometry", ()),
    ],
    ids=str,
)
def test_what_counts(diff: Callable[..., Difference], change: Any, field: str, keys: tuple[str, ...]) -> None:
    found = diff(lake([BOX]), lake([{**BOX, **change}]))
    assert _numbers(found) == (False, 0, 0, 1)
    assert (found.changes[0].fields, found.changes[0].keys) == ((field,), keys)


@pytest.mark.parametrize(
    "metadata",
    [
        {"coco_id": 7, "coco_category_id": 3, "area": 5.0, "source": "manual"},
        {"occluded": False, "rotation": 0.0},
        {"instance": "alone"},
    ],
    ids=["book-keeping", "flags that are not set", "an object of one part"],
)
def test_what_does_not_count_unless_exact(diff: Callable[..., Difference], metadata: Any) -> None:
    a, b = lake([BOX]), lake([{**BOX, "metadata": metadata}])
    assert diff(a, b).equal
    assert _numbers(diff(a, b, exact=True)) == (False, 0, 0, 1)


def test_key_points_have_the_tolerance_of_coordinates(diff: Callable[..., Difference]) -> None:
    a, b, c = ({**BOX, "metadata": {"keypoints": text}} for text in ("[10,20,2]", "[10.005, 20, 2]", "[10, 20, 1]"))
    assert diff(lake([a]), lake([b])).equal
    assert not diff(lake([a]), lake([c])).equal


def test_parts_in_any_order_under_any_name(diff: Callable[..., Difference]) -> None:
    outer, far = {**OUTLINE, "polygon": [[0, 0], [90, 0], [90, 90], [0, 90]]}, [[95, 95], [99, 95], [99, 99]]
    a = [
        {**outer, "metadata": {"instance": "x", "part": 1, "parts": 3, "note": "n"}},
        {**OUTLINE, "metadata": {"instance": "x", "part": 2, "parts": 3, "hole_of": 1}},
        {**OUTLINE, "polygon": far, "metadata": {"instance": "x", "part": 3, "parts": 3}},
    ]
    b = [
        {**OUTLINE, "metadata": {"instance": "y", "part": 3, "parts": 3, "hole_of": 2}},
        {**OUTLINE, "polygon": far, "metadata": {"instance": "y", "part": 1, "parts": 3, "note": "n"}},
        {**outer, "metadata": {"instance": "y", "part": 2, "parts": 3}},
    ]
    assert diff(lake(a), lake(b)).equal
    solid = [{**ring, "metadata": {k: v for k, v in ring["metadata"].items() if k != "hole_of"}} for ring in b]
    assert _numbers(diff(lake(a), lake(solid))) == (False, 0, 0, 1)
    apart = [{**ring, "metadata": {"note": "n"}} for ring in solid]
    found = diff(lake(a), lake(apart))
    assert (found.equal, found.changed + found.only_b) == (False, 3)
    other_label = [b[0], {**b[1], "label": "dog"}, b[2]]
    assert "label" in diff(lake(a), lake(other_label)).changes[0].fields


def test_the_same_object_twice_needs_two_partners(diff: Callable[..., Difference]) -> None:
    assert diff(lake([BOX, BOX]), lake([BOX, BOX])).equal
    assert _numbers(diff(lake([BOX, BOX]), lake([BOX]))) == (False, 1, 0, 0)


def test_added_removed_and_moved_are_told_apart(diff: Callable[..., Difference]) -> None:
    a = [BOX, {**BOX, "bbox": [300, 300, 20, 20]}, {**BOX, "bbox": [500, 10, 50, 50]}]
    b = [{**BOX, "bbox": [900, 900, 20, 20]}, {**BOX, "bbox": [503, 14, 50, 50]}, BOX]
    found = diff(lake(a), lake(b))
    assert [(c.kind, c.distance_px) for c in found.changes] == [("changed", 5.0), ("removed", None), ("added", None)]


def test_another_type_in_the_same_place_is_a_change(diff: Callable[..., Difference]) -> None:
    corners = [[10, 20], [40, 20], [40, 60], [10, 60]]
    found = diff(lake([BOX]), lake([{**OUTLINE, "polygon": corners}]))
    assert _numbers(found) == (False, 0, 0, 1)
    assert found.changes[0].fields == ("type",)


def test_a_small_move_across_a_rounding_border_is_none(diff: Callable[..., Difference]) -> None:
    others = [{**BOX, "bbox": [10.005 + n, 20, 30, 40]} for n in range(40)]
    moved = [{**BOX, "bbox": [10.0049 + n, 20, 30, 40]} for n in range(40)]
    random.Random(1).shuffle(moved)
    assert diff(lake(others), lake(moved)).equal


def test_tags_are_compared(diff: Callable[..., Difference]) -> None:
    def tagged(*tags: Any) -> Any:
        return {"images": [{"image": "a.jpg", "annotations": [], "tags": tags}]}

    one, other = {"label": "night"}, {"label": "rain"}
    assert diff(tagged(one, other), tagged(other, one)).equal
    assert _numbers(diff(tagged(one), tagged(one, other))) == (False, 0, 1, 0)
    assert _numbers(diff(tagged(one), tagged({**one, "confidence": 0.5}))) == (False, 0, 0, 1)


def test_images_in_any_order_and_those_of_one_side(diff: Callable[..., Difference]) -> None:
    a = lake([BOX], [OUTLINE], [], [BOX, BOX])
    b = {"images": [*reversed(a["images"][:3]), {"image": "new.jpg", "annotations": [BOX]}]}
    found = diff(a, b)
    assert (found.images_only_a, found.images_only_b) == (["3.jpg"], ["new.jpg"])
    assert _numbers(found) == (False, 2, 1, 0)


def test_facts_of_an_image_count_where_both_have_them(diff: Callable[..., Difference]) -> None:
    def image(**facts: Any) -> Any:
        return {"images": [{"image": "a.jpg", "annotations": [BOX], **facts}]}

    assert diff(image(width=100, height=80, split="val"), image()).equal
    assert diff(image(id=1, more=2), image(id=2)).equal
    found = diff(image(width=100, split="val"), image(width=101, split="train"))
    assert (found.equal, found.images_changed, found.changed) == (False, ["a.jpg"], 0)
    assert (found.changes[0].fields, found.changes[0].a) == (("width", "split"), {"width": 100, "split": "val"})
    assert diff(image(id=1, more=2), image(id=2), exact=True).changes[0].fields == ("id", "extras")


def test_an_unused_label_is_still_a_label(diff: Callable[..., Difference]) -> None:
    def labelled(*labels: Any) -> Any:
        return lake([BOX], annolake={"labels": labels, "coordinates": "pixels"})

    cat, dog = {"name": "cat", "id": 1}, {"name": "dog", "id": 2}
    assert diff(labelled(cat, dog), labelled(cat)).catalog.labels_only_a == ["dog"]
    assert not diff(labelled(cat, dog), labelled(cat)).equal
    turned = diff(labelled(cat, dog), labelled(dog, cat))
    assert (turned.equal, turned.catalog.other_order) == (True, True)
    assert not diff(labelled(cat, dog), labelled(dog, cat), exact=True).equal
    assert not diff(labelled(cat), labelled({**cat, "id": 9}), exact=True).equal
    one, other = ({**cat, "supercategory": name} for name in ("pet", "animal"))
    assert diff(labelled(one), labelled(cat)).equal
    assert diff(labelled(one), labelled(other)).catalog.changed == ["cat"]


def _normalized(*annotations: dict[str, Any], **facts: Any) -> dict[str, Any]:
    catalog = {"labels": [], "coordinates": "normalized"}
    return {"images": [{"image": "0.jpg", "annotations": annotations, **facts}], "annolake": catalog}


def test_fractions_against_pixels(diff: Callable[..., Difference]) -> None:
    pixels = lake([BOX, {**OUTLINE, "metadata": {"keypoints": "[10,20,2,0,0,0]"}}])
    ring = [[x / 200, y / 100] for x, y in RING]
    outline = {**OUTLINE, "polygon": ring, "metadata": {"keypoints": "[0.05,0.2,2,0,0,0]"}}
    fractions = _normalized({**BOX, "bbox": [0.05, 0.2, 0.15, 0.4]}, outline, width=200, height=100)
    assert diff(pixels, fractions).equal
    moved = _normalized({**BOX, "bbox": [0.051, 0.2, 0.15, 0.4]}, outline, width=200, height=100)
    assert diff(pixels, moved).changes[0].distance_px == 0.2


def test_fractions_against_pixels_without_a_size(diff: Callable[..., Difference]) -> None:
    with pytest.raises(InvalidInput) as caught:
        diff(lake([BOX]), _normalized({**BOX, "bbox": [0.05, 0.2, 0.15, 0.4]}))
    assert caught.value.code == "size-missing"


def test_fractions_on_both_sides(diff: Callable[..., Difference]) -> None:
    a, b, c = ({**BOX, "bbox": [x, 0.2, 0.15, 0.4]} for x in (0.05, 0.0500009, 0.05001))
    assert diff(_normalized(a), _normalized(b)).equal
    assert not diff(_normalized(a), _normalized(c)).equal
    assert diff(_normalized(a, width=100, height=100), _normalized(c)).equal


def test_the_tolerance_is_the_callers(diff: Callable[..., Difference]) -> None:
    a, b = lake([BOX]), lake([{**BOX, "bbox": [10.4, 20, 30, 40]}])
    assert diff(a, b, tolerance=0.5).equal
    assert not diff(a, b, tolerance=0.3).equal
    with pytest.raises(UsageError):
        diff(a, b, tolerance=-1)
    with pytest.raises(UsageError):
        diff(a, b, tolerance=float("nan"))


def _coco(box: list[float], category: int = 1, **more: Any) -> dict[str, Any]:
    ring = [value for point in RING for value in point]
    annotation = {"id": 5, "image_id": 1, "category_id": category, "segmentation": [ring], "area": 400, "iscrowd": 0}
    image = {"id": 1, "file_name": "0.jpg", "width": 200, "height": 100}
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    return {"images": [image], "annotations": [annotation | {"bbox": box} | more], "categories": categories}


def test_the_box_that_coco_states_beside_an_outline(diff: Callable[..., Difference]) -> None:
    found = diff(_coco([10, 10, 20, 20]), _coco([11, 10, 20, 20]))
    assert (found.changed, found.changes[0].fields) == (1, ("bbox",))
    one_label = {"labels": [{"name": "cat"}, {"name": "dog"}], "coordinates": "pixels"}
    assert diff(_coco([11, 10, 20, 20]), lake([OUTLINE], annolake=one_label)).equal


def test_other_ids_and_areas_are_the_same_by_meaning(diff: Callable[..., Difference]) -> None:
    a, b = _coco([10, 10, 20, 20]), _coco([10, 10, 20, 20], id=77, area=399.5)
    assert diff(a, b).equal
    assert diff(a, b, exact=True).changes[0].keys == ("area", "coco_id")
    assert diff(a, _coco([10, 10, 20, 20], category=2)).changes[0].fields == ("label",)


def test_the_form_a_ring_had_in_the_file_means_nothing(diff: Callable[..., Difference]) -> None:
    closed = [value for point in [*RING, RING[0]] for value in point]
    assert diff(_coco([10, 10, 20, 20]), _coco([10, 10, 20, 20], segmentation=[closed])).equal


def test_the_corners_of_a_rotated_box_tell_its_numbers(diff: Callable[..., Difference]) -> None:
    said = {"shape": "obb", "geometry": "[10,10,20,20]", "rotation": 90}
    corners = lake([{**OUTLINE, "metadata": {"shape": "obb"}}])
    assert diff(lake([{**OUTLINE, "metadata": said}]), corners).equal
    assert diff(corners, lake([OUTLINE])).equal
    assert not diff(lake([{**OUTLINE, "metadata": said}]), lake([OUTLINE])).equal
    assert not diff(lake([{**OUTLINE, "metadata": said}]), corners, exact=True).equal
    other = {**said, "shape": "cuboid"}
    assert not diff(lake([{**OUTLINE, "metadata": other}]), lake([{**OUTLINE, "metadata": {"shape": "cuboid"}}])).equal


def test_a_crowd_is_not_an_object(diff: Callable[..., Difference]) -> None:
    found = diff(_coco([10, 10, 20, 20]), _coco([10, 10, 20, 20], iscrowd=1))
    assert found.changes[0].keys == ("iscrowd",)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["dtlpy/coco/annotations.json", "cvat_coco_export/instances_default.json"])
def test_real_data_through_a_metalake_file_and_fractions(realdata: Path, tmp_path: Path, name: str) -> None:
    lake, fractions = tmp_path / "lake.json", tmp_path / "fractions.json"
    convert(realdata / name, lake, to="metalake", from_="coco")
    convert(realdata / name, fractions, to="metalake", from_="coco", coordinates="normalized")
    assert compare(realdata / name, lake, format_a="coco", exact=True).equal
    assert compare(lake, fractions).equal
