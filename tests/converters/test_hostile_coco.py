"""Bad input: COCO files that are broken, hostile, or both, through `convert`.

Each is refused with exit code 4, a code, a place and advice; nothing is written; nothing else ever comes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters import convert
from annolake.schemas.errors import AnnolakeError, InvalidInput

COCO: dict[str, Any] = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48},
        {"id": 2, "file_name": "b.jpg", "width": 64, "height": 48},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "segmentation": []},
        {"id": 2, "image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "segmentation": []},
    ],
    "categories": [{"id": 1, "name": "cat"}],
}
Refused = Callable[..., InvalidInput]
Converted = Callable[..., AnnolakeError | None]
HUGE = "1" + "0" * 400


def text(document: Any) -> str:
    return json.dumps(document, indent=1)


def coco_with(part: str, number: int, **changes: Any) -> str:
    """The sound COCO file with keys of one element changed."""
    document = json.loads(json.dumps(COCO))
    document[part][number].update(changes)
    return text(document)


COCO_FILES: dict[str, tuple[str, str, str]] = {
    # what is wrong: the file, the code, the pointer to it
    "a bare list of results": (text([{"image_id": 1, "category_id": 1, "score": 1}]), "unsupported-variant", ""),
    "captions": (
        text({**COCO, "annotations": [{"id": 1, "image_id": 1, "caption": "a"}]}),
        "unsupported-variant",
        "/annotations/0",
    ),
    "panoptic": (coco_with("annotations", 0, segments_info=[]), "unsupported-variant", "/annotations/0"),
    "dangling image": (coco_with("annotations", 1, image_id=3), "dangling-image", "/annotations/1/image_id"),
    "image id as text": (coco_with("annotations", 1, image_id="2"), "dangling-image", "/annotations/1/image_id"),
    "dangling category": (coco_with("annotations", 1, category_id=9), "unknown-category", "/annotations/1/category_id"),
    "no category": (coco_with("annotations", 1, category_id=None), "unknown-category", "/annotations/1/category_id"),
    "category is true": (
        coco_with("annotations", 1, category_id=True),
        "unknown-category",
        "/annotations/1/category_id",
    ),
    "category is a list": (
        coco_with("annotations", 1, category_id=[1]),
        "unknown-category",
        "/annotations/1/category_id",
    ),
    "image id twice": (coco_with("images", 1, id=1), "duplicate-id", "/images/1/id"),
    "category id twice": (
        text({**COCO, "categories": [{"id": 1, "name": "a"}] * 2}),
        "duplicate-id",
        "/categories/1/id",
    ),
    "name twice": (coco_with("images", 1, file_name="a.jpg"), "duplicate-image", "/images/1/file_name"),
    "image id is null": (coco_with("images", 1, id=None), "wrong-type", "/images/1/id"),
    "image id is a fraction": (coco_with("images", 1, id=1.5), "wrong-type", "/images/1/id"),
    "image id is true": (coco_with("images", 1, id=True), "wrong-type", "/images/1/id"),
    "image without id": (text({**COCO, "images": [{"file_name": "a.jpg"}]}), "missing-key", "/images/0"),
    "annotation is a list": (text({**COCO, "annotations": [[]]}), "wrong-type", "/annotations/0"),
    "annotations are an object": (text({**COCO, "annotations": {}}), "wrong-type", "/annotations"),
    "annotation without image": (text({**COCO, "annotations": [{"id": 1}]}), "missing-key", "/annotations/0"),
    "annotation id is a list": (coco_with("annotations", 1, id=[1]), "wrong-type", "/annotations/1/id"),
    "category without name": (text({**COCO, "categories": [{"id": 1}]}), "wrong-type", "/categories/0"),
    "category name is a number": (
        text({**COCO, "categories": [{"id": 1, "name": 5}]}),
        "wrong-type",
        "/categories/0/name",
    ),
    "width is text": (coco_with("images", 1, width="64"), "wrong-type", "/images/1/width"),
    "width is true": (coco_with("images", 1, width=True), "wrong-type", "/images/1/width"),
    "width is a list": (coco_with("images", 1, height=[48]), "wrong-type", "/images/1/height"),
    "a note for coco is null": (
        coco_with("images", 1, annolake={"coco": None}),
        "wrong-type",
        "/images/1/annolake/coco",
    ),
    "a note for voc is a list": (coco_with("images", 1, annolake={"voc": [1]}), "wrong-type", "/images/1/annolake/voc"),
    "box of three": (coco_with("annotations", 1, bbox=[1, 2, 3]), "bbox-length", "/annotations/1/bbox"),
    "box of text": (coco_with("annotations", 1, bbox=[1, 2, "3", 4]), "wrong-type", "/annotations/1/bbox"),
    "box is text": (coco_with("annotations", 1, bbox="1 2 3 4"), "wrong-type", "/annotations/1/bbox"),
    "box is true": (coco_with("annotations", 1, bbox=[True, 2, 3, 4]), "wrong-type", "/annotations/1/bbox"),
    "segmentation is text": (
        coco_with("annotations", 1, segmentation="x"),
        "wrong-type",
        "/annotations/1/segmentation",
    ),
    "odd ring": (
        coco_with("annotations", 1, segmentation=[[1, 1, 5, 1, 5]]),
        "odd-ring",
        "/annotations/1/segmentation/0",
    ),
    "ring of text": (coco_with("annotations", 1, segmentation=[["1", 1, 5, 1, 5, 5]]), "wrong-type", ""),
    "ring with null": (coco_with("annotations", 1, segmentation=[[None, 1, 5, 1, 5, 5]]), "wrong-type", ""),
    "ring of points": (coco_with("annotations", 1, segmentation=[[[1, 1], [5, 1], [5, 5]]]), "wrong-type", ""),
    "rings and text": (coco_with("annotations", 1, segmentation=[[1, 1, 5, 1, 5, 5], "x"]), "wrong-type", ""),
    "key points, not triples": (coco_with("annotations", 1, keypoints=[1, 2]), "keypoints-length", ""),
    "key points of text": (coco_with("annotations", 1, keypoints=["a", 2, 1]), "keypoints-length", ""),
}


@pytest.mark.parametrize("name", COCO_FILES)
def test_broken_coco(name: str, refused: Refused) -> None:
    content, code, pointer = COCO_FILES[name]
    error = refused(content, "metalake", "coco")
    assert error.code == code
    assert pointer == "" or error.place.pointer == pointer
    assert error.place.pointer in ("", None) or error.place.line is not None


MASKS: dict[str, Any] = {
    "no size": {"counts": [1]},
    "no counts": {"size": [48, 64]},
    "size of three": {"size": [48, 64, 1], "counts": [3072]},
    "size of text": {"size": ["48", 64], "counts": [3072]},
    "size is null": {"size": None, "counts": [3072]},
    "negative size": {"size": [-48, -64], "counts": [3072]},
    "no pixels": {"size": [0, 0], "counts": []},
    "huge": {"size": [2**31, 2**31], "counts": [2**62]},
    "huge in text": {"size": [10**9, 10**9], "counts": "PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP"},
    "other than the image": {"size": [64, 48], "counts": [3072]},
    "too few": {"size": [48, 64], "counts": [3000]},
    "too many": {"size": [48, 64], "counts": [3072, 1]},
    "negative run": {"size": [48, 64], "counts": [3073, -1]},
    "a fraction": {"size": [48, 64], "counts": [3071.5, 0.5]},
    "runs of text": {"size": [48, 64], "counts": ["3072"]},
    "counts are a number": {"size": [48, 64], "counts": 3072},
    "counts are null": {"size": [48, 64], "counts": None},
    "counts are an object": {"size": [48, 64], "counts": {}},
    "not the alphabet": {"size": [48, 64], "counts": "hällo"},
    "text cut short": {"size": [48, 64], "counts": "ooooo"},
    "a shift without end": {"size": [48, 64], "counts": "o" * 5000},
}


@pytest.mark.parametrize("name", MASKS)
def test_broken_masks(name: str, refused: Refused) -> None:
    error = refused(coco_with("annotations", 1, segmentation=MASKS[name]), "metalake", "coco")
    assert error.code == "broken-mask"
    assert error.place.pointer == "/annotations/1/segmentation"
    assert (error.place.image, error.place.annotation) == ("b.jpg", 2)
    assert error.place.line is not None


NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", HUGE, f"-{HUGE}"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:9])
@pytest.mark.parametrize("at", ["bbox", "segmentation", "width", "area", "score", "keypoints"])
def test_numbers_that_are_none_in_coco(number: str, at: str, refused: Refused, converted: Converted) -> None:
    """In shapes and sizes they are refused; an absurd integer beside them may be carried as it is."""
    wanted = {
        "bbox": coco_with("annotations", 1, bbox=[1, 2, 3, "@"]),
        "segmentation": coco_with("annotations", 1, segmentation=[[1, 1, 5, 1, 5, "@"]]),
        "keypoints": coco_with("annotations", 1, keypoints=[1, "@", 2]),
        "width": coco_with("images", 1, width="@"),
        "area": coco_with("annotations", 1, area="@"),
        "score": coco_with("annotations", 1, score="@"),
    }[at]
    content = wanted.replace('"@"', number)
    if at in ("area", "score") and number.lstrip("-") == HUGE:
        report = converted(content, "metalake", "coco")
        assert report is None or report.exit_code == 4
        return
    error = refused(content, "metalake", "coco")
    assert error.code in ("not-finite", "wrong-type", "keypoints-length")
    assert error.place.line is not None


@pytest.mark.parametrize("where", ["root", "images", "annotations", "categories", "info", "attributes", "segmentation"])
def test_keys_that_stand_twice_in_coco(where: str, refused: Refused) -> None:
    """On every level: each reader would silently keep the last."""
    document = json.loads(json.dumps(COCO))
    document["info"] = {"@": 1}
    document["annotations"][1]["segmentation"] = {"size": [48, 64], "counts": [3072], "@": 1}
    document["annotations"][1]["attributes"] = {"@": 1}
    for part in ("images", "annotations", "categories"):
        document[part][-1]["@"] = 1
    document["@"] = 1
    content = _twice(text(document), where)
    error = refused(content, "metalake", "coco")
    assert error.code == "duplicate-key"
    assert error.place.pointer is not None and error.place.pointer.endswith("twice")
    assert error.place.line is not None


NAMES = [
    "../x.jpg",
    "a/../../x.jpg",
    "..",
    "/etc/passwd",
    "C:\\x.jpg",
    "c:x.jpg",
    "..\\x.jpg",
    "\\\\host\\x",
    "x\0.jpg",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("to", ["metalake", "yolo"])
def test_names_that_lead_out_of_coco(name: str, to: str, refused: Refused) -> None:
    error = refused(coco_with("images", 1, file_name=name), to, "coco")
    assert (error.code, error.place.pointer) == ("unsafe-name", "/images/1/file_name")
    assert error.place.line is not None


@pytest.mark.parametrize("second", ["a.png", "A.JPG"])
def test_images_that_would_share_a_label_file(second: str, tmp_path: Path) -> None:
    """YOLO knows an image by its stem: of two with one stem it can hold one. COCO and MetaLake tell them apart."""
    source = tmp_path / "source.json"
    source.write_text(coco_with("images", 1, file_name=second))
    convert(source, tmp_path / "lake.json", to="metalake")
    if second == "A.JPG":
        return  # whether these are one file is up to the disk
    with pytest.raises(InvalidInput) as caught:
        convert(source, tmp_path / "yolo", to="yolo")
    assert caught.value.code == "same-stem"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake.json", "source.json"]


@given(data=st.data())
def test_wrong_types_everywhere_in_coco(
    tmp_path_factory: pytest.TempPathFactory, replace_some: Callable[..., None], data: st.DataObject
) -> None:
    """Any value of a sound file replaced by any JSON: read as something else, or refused with its place."""
    document = json.loads(json.dumps(COCO))
    document["annotations"][0].update(
        segmentation={"size": [48, 64], "counts": [3000, 72]}, attributes={"a": 1}, keypoints=[1, 2, 2], score=0.5
    )
    document["annotations"][1]["segmentation"] = [[1, 1, 5, 1, 5, 5], [8, 8, 9, 8, 9, 9]]
    document["annotations"][1]["annolake"] = document["images"][0]["annolake"] = {"coco": {}, "storageName": "b"}
    document["annolake"] = {
        "extras": {"yolo": {"task": "detect"}},
        "files": [{"split": "a", "name": "b"}],
        "unsplit": True,
    }
    replace_some(data, document)
    folder = tmp_path_factory.mktemp("types")
    source = folder / "source.json"
    source.write_text(text(document))
    for to in ("metalake", "yolo"):
        try:
            convert(source, folder / to, to=to, from_="coco", allow_loss=True)
        except AnnolakeError as error:
            assert error.exit_code == 4, error
            assert not (folder / to).exists()


def _twice(content: str, where: str) -> str:
    """The document with its mark doubled in that object; `objects` is the order in which the marks stand in it."""
    pieces = content.split('"@": 1')
    objects = ["images", "segmentation", "attributes", "annotations", "categories", "info", "root"]
    doubled = ['"twice": 1, "twice": 1' if name == where else '"once": 1' for name in objects]
    return "".join(f"{piece}{key}" for piece, key in zip(pieces, [*doubled, ""], strict=True))


def test_a_note_for_coco_stands_beside_the_keys_of_the_image(tmp_path: Path) -> None:
    source = tmp_path / "source.json"
    source.write_text(coco_with("images", 1, license=3, annolake={"coco": {"license": 4, "more": 5}}))
    convert(source, tmp_path / "out.json", to="coco")
    image = json.loads((tmp_path / "out.json").read_bytes())["images"][1]
    assert (image["license"], image["more"]) == (3, 5)
