"""COCO results lists, over a ground-truth file, and back: the same records in the same order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO

from annolake.converters import coco, convert
from annolake.converters.comparing import compare
from annolake.schemas.errors import InvalidInput, LocalFailure, LossRefused

MASK = {"size": [4, 6], "counts": "523OO11O2"}  # formats.md 2.6: six pixels, box 1, 1, 4, 2
RESULTS: list[dict[str, Any]] = [
    {"image_id": 7, "category_id": 3, "bbox": [1, 1, 4.5, 2], "score": 0.5},
    {"image_id": 2, "category_id": 9, "segmentation": MASK, "score": 0.25},
    {"image_id": 7, "category_id": 3, "bbox": [0, 0, 2, 2], "score": 1, "id": 40, "area": 4, "iscrowd": 0},
    {"image_id": 2, "category_id": 3, "keypoints": [1, 2, 2, 3, 3, 0.5], "score": 0.75, "num_keypoints": 2},
    {"image_id": 2, "category_id": 9, "segmentation": {"size": [4, 6], "counts": [5, 2, 3, 1, 2, 2, 3, 1, 5]},
     "bbox": [1, 1, 4, 2], "score": 0, "category_name": "dog", "more": {"a": [None]}},
    {"image_id": 7, "category_id": 3, "bbox": [0, 0, 2, 2], "score": 17.5},
    {"image_id": 2, "category_id": 9, "score": 0.125},
]  # fmt: skip
TRUTH: dict[str, Any] = {
    "info": {"year": 2026},
    "images": [
        {"id": 2, "file_name": "b.jpg", "width": 6, "height": 4},
        {"id": 5, "file_name": "none.jpg", "width": 6, "height": 4},
        {"id": 7, "file_name": "a.jpg", "width": 6, "height": 4},
    ],
    "annotations": [{"id": 1, "image_id": 99, "category_id": 1000, "bbox": "broken"}],
    "categories": [{"id": 3, "name": "cat"}, {"id": 9, "name": "dog"}],
}
FORM = ("id", "area", "iscrowd", "num_keypoints")
LIST = {"coco": coco.Options(layout="results")}


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, content: Any) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(content, indent=1))
        return path

    def read(self, results: Any = RESULTS, truth: Any = TRUTH, **settings: Any) -> Any:
        source = self.put("results.json", results)
        options = {"coco": coco.Options(categories=str(self.put("truth.json", truth)))}
        report = convert(source, self.folder / "lake.json", to="metalake", options=options, overwrite=True, **settings)
        return report, json.loads((self.folder / "lake.json").read_text())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_records_stand_under_the_images_of_the_ground_truth(desk: Desk):
    report, lake = desk.read()
    assert report.seen["images"] == 3 and report.seen["annotations"] == 7
    images = {image["image"]: image["annotations"] for image in lake["images"]}
    assert list(images) == ["b.jpg", "none.jpg", "a.jpg"]
    assert images["none.jpg"] == []
    assert [(a["label"], a.get("confidence"), a["bbox"]) for a in images["a.jpg"]] == [
        ("cat", 0.5, [1, 1, 4.5, 2]),
        ("cat", 1, [0, 0, 2, 2]),
        ("cat", None, [0, 0, 2, 2]),  # 17.5 is no confidence: it is kept beside
    ]
    assert {a["type"] for a in images["b.jpg"]} == {"polygon", "rectangle"}
    assert [p["code"] for p in report.problems] == ["score-range"]
    assert "truth.json" in " ".join(decision["text"] for decision in report.decisions)


@pytest.mark.parametrize("space", ["pixels", "normalized"])
def test_the_same_list_comes_home(desk: Desk, space: Any):
    results = [r | {"bbox": [1, 1, 3, 2]} if "bbox" in r else r for r in RESULTS] if space == "normalized" else RESULTS
    if space == "normalized":
        results = [r for r in results if "more" not in r]
    desk.read(results, coordinates=space)
    convert(desk.folder / "lake.json", desk.folder / "back.json", to="coco", options=LIST)
    back = json.loads((desk.folder / "back.json").read_text())
    if space == "normalized":
        for record in back:
            if "bbox" in record:
                record["bbox"] = [round(number, 9) for number in record["bbox"]]
    assert back == results


def test_a_results_list_as_a_coco_file_and_on(desk: Desk):
    desk.read([{key: value for key, value in r.items() if key not in FORM} for r in RESULTS])
    convert(desk.folder / "lake.json", desk.folder / "full.json", to="coco")
    convert(desk.folder / "full.json", desk.folder / "again.json", to="metalake")
    assert compare(desk.folder / "lake.json", desk.folder / "again.json").equal
    numbers = [a["id"] for a in json.loads((desk.folder / "full.json").read_text())["annotations"]]
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6, 7]  # as pycocotools numbers the records


@pytest.mark.parametrize(
    ("change", "code", "pointer", "line"),
    [
        ({"image_id": 1}, "dangling-image", "/2/image_id", 16),
        ({"category_id": 4}, "unknown-category", "/2/category_id", 17),
        ({"bbox": [1, 2, 3]}, "bbox-length", "/2/bbox", None),
        ({"bbox": [1, 2, 3, "4"]}, "wrong-type", "/2/bbox", None),
        ({"image_id": None}, "wrong-type", "/2/image_id", None),
    ],
)
def test_what_is_wrong_and_where(desk: Desk, change: dict[str, Any], code: str, pointer: str, line: int | None):
    record = {"image_id": 7, "category_id": 3, "bbox": [1, 1, 2, 2], "score": 0.5}
    with pytest.raises(InvalidInput) as caught:
        desk.read([record, record, record | change])
    place = caught.value.place
    assert (caught.value.code, place.pointer, place.file) == (code, pointer, str(desk.folder / "results.json"))
    assert place.line is not None and (line is None or place.line > line)


def test_without_categories_the_error_names_the_flag(desk: Desk):
    with pytest.raises(InvalidInput) as caught:
        convert(desk.put("results.json", RESULTS), desk.folder / "lake.json", to="metalake")
    assert caught.value.code == "unsupported-variant"
    assert "--coco-categories FILE" in str(caught.value.hint)


@pytest.mark.parametrize("truth", [[], {"images": []}, {"categories": 3}, "text"])
def test_a_ground_truth_that_is_none(desk: Desk, truth: Any):
    with pytest.raises(InvalidInput) as caught:
        desk.read(truth=truth)
    assert caught.value.place.file == str(desk.folder / "truth.json")


def test_categories_alone_do_and_images_are_called_by_their_ids(desk: Desk):
    report, lake = desk.read(truth={"categories": TRUTH["categories"]})
    assert [(image["image"], image["id"]) for image in lake["images"]] == [("7", 7), ("2", 2)]
    assert [p["code"] for p in report.problems if p["severity"] == "warning"] == ["missing-name", "score-range"]
    convert(desk.folder / "lake.json", desk.folder / "back.json", to="coco", options=LIST)
    assert json.loads((desk.folder / "back.json").read_text()) == RESULTS


def test_an_id_that_is_no_name_is_refused(desk: Desk):
    with pytest.raises(InvalidInput) as caught:
        desk.read([RESULTS[0] | {"image_id": "../up"}], {"categories": TRUTH["categories"]})
    assert caught.value.code == "unsafe-name"


def test_captions_are_refused_by_name(desk: Desk):
    with pytest.raises(InvalidInput) as caught:
        desk.read([{"image_id": 2, "caption": "A dog."}])
    assert (caught.value.code, "captions" in caught.value.message) == ("unsupported-variant", True)


def test_a_missing_ground_truth_and_one_that_is_not_needed(desk: Desk):
    nowhere = {"coco": coco.Options(categories=str(desk.folder / "nowhere.json"))}
    with pytest.raises(LocalFailure) as caught:
        convert(desk.put("results.json", RESULTS), desk.folder / "lake.json", to="metalake", options=nowhere)
    assert caught.value.exit_code == 9
    report = convert(
        desk.put("full.json", TRUTH | {"annotations": []}), desk.folder / "lake.json", to="metalake", options=nowhere
    )
    assert "coco-categories" in [decision["code"] for decision in report.decisions]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_score_and_polygons_are_booked(desk: Desk, capsys: pytest.CaptureFixture[str]):
    ring = [1, 1, 4, 1, 4, 3, 1, 3]
    annotations = [
        {
            "id": 1,
            "image_id": 2,
            "category_id": 3,
            "segmentation": [ring],
            "bbox": [1, 1, 3, 2],
            "area": 6,
            "score": 0.5,
        },
        {"id": 2, "image_id": 2, "category_id": 3, "segmentation": [], "bbox": [1, 1, 3, 2], "area": 6},
    ]
    source = desk.put("scored.json", TRUTH | {"annotations": annotations})
    with pytest.raises(LossRefused):
        convert(source, desk.folder / "list.json", to="coco", options=LIST)
    report = convert(source, desk.folder / "list.json", to="coco", options=LIST, allow_loss=True)
    assert {loss["code"]: loss["count"] for loss in report.losses} == {"confidence-missing": 1, "polygon-rasterised": 1}
    forecast = convert(source, desk.folder / "no", to="coco", options=LIST, dry_run=True)
    assert (forecast.losses, forecast.written) == (report.losses, report.written)
    drawn = COCO(str(desk.put("truth.json", TRUTH))).loadRes(str(desk.folder / "list.json"))
    capsys.readouterr()
    (result,) = drawn.anns.values()
    assert (drawn.annToMask(result).sum(), result["bbox"]) == (6, [1, 1, 3, 2])


@pytest.mark.realdata
def test_public_results_come_home(realdata: Path, tmp_path: Path):
    compared = 0
    for source in sorted((realdata / "cocoapi").glob("*results.json")):
        given = json.loads(source.read_text())
        if "caption" in given[0]:
            continue
        sizes = {r["image_id"]: r["segmentation"]["size"] for r in given if "segmentation" in r}
        images = [{"id": i, "file_name": f"{i}.jpg"} for i in sorted({r["image_id"] for r in given})]
        for image in images:
            if image["id"] in sizes:
                image["height"], image["width"] = sizes[image["id"]]
        labels = [{"id": i, "name": f"category {i}"} for i in sorted({r["category_id"] for r in given})]
        truth = tmp_path / "truth.json"
        truth.write_text(json.dumps({"images": images, "annotations": [], "categories": labels}))
        options = {"coco": coco.Options(categories=str(truth))}
        report = convert(source, tmp_path / "lake.json", to="metalake", options=options, overwrite=True)
        assert report.seen["annotations"] == len(given)
        convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco", options=LIST, overwrite=True)
        assert json.loads((tmp_path / "back.json").read_text()) == given, source
        compared += 1
    assert compared == 3
