"""Bad input: MetaLake files that are broken, hostile, or both, through `convert`; what annolake notes there too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters import coco, convert
from annolake.schemas.errors import AnnolakeError, InvalidInput
from annolake.schemas.keys import BY_NAME

Refused = Callable[..., InvalidInput]
Converted = Callable[..., AnnolakeError | None]
LAKE: dict[str, Any] = {
    "images": [
        {"image": "a.jpg", "annotations": [{"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "cat"}]},
        {"image": "b.jpg", "annotations": [{"type": "polygon", "polygon": [[1, 2], [3, 4], [5, 1]], "label": "cat"}]},
    ]
}
NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400, "-1" + "0" * 400]
NAMES = ["../x.jpg", "a/../../x.jpg", "..", "C:\\x.jpg", "c:x.jpg", "..\\x.jpg", "\\\\host\\x", "x\0.jpg"]


def text(document: Any) -> str:
    return json.dumps(document, indent=1)


def lake_with(number: int, **changes: Any) -> str:
    """The sound MetaLake file with keys of one annotation changed."""
    document = json.loads(json.dumps(LAKE))
    document["images"][number]["annotations"][0].update(changes)
    return text(document)


LAKE_FILES: dict[str, tuple[str, str]] = {
    "no type": (lake_with(0, type=None), "/images/0/annotations/0/type"),
    "type in capitals": (lake_with(0, type="Rectangle"), "/images/0/annotations/0/type"),
    "type is a list": (lake_with(0, type=["rectangle"]), "/images/0/annotations/0/type"),
    "no label": (lake_with(0, label=None), "/images/0/annotations/0/label"),
    "empty label": (lake_with(0, label=""), "/images/0/annotations/0/label"),
    "label is a number": (lake_with(0, label=3), "/images/0/annotations/0/label"),
    "box of three": (lake_with(0, bbox=[1, 2, 3]), "/images/0/annotations/0/bbox"),
    "box of text": (lake_with(0, bbox=[1, 2, 3, "4"]), "/images/0/annotations/0/bbox/3"),
    "box is null": (lake_with(0, bbox=None), "/images/0/annotations/0/bbox"),
    "flat polygon": (lake_with(1, polygon=[1, 2, 3, 4, 5, 6]), "/images/1/annotations/0/polygon/0"),
    "no points": (lake_with(1, polygon=[]), "/images/1/annotations/0/polygon"),
    "a point of three": (lake_with(1, polygon=[[1, 2], [3, 4], [5, 6, 7]]), "/images/1/annotations/0/polygon/2"),
    "confidence in percent": (lake_with(0, confidence=87), "/images/0/annotations/0/confidence"),
    "confidence is text": (lake_with(0, confidence="0.8"), "/images/0/annotations/0/confidence"),
    "metadata is a list": (lake_with(0, metadata=[]), "/images/0/annotations/0/metadata"),
    "attributes are a list": (lake_with(0, attributes=[]), "/images/0/annotations/0/attributes"),
    "attribute is text": (lake_with(0, attributes={"a": "b"}), "/images/0/annotations/0/attributes"),
    "value is a number": (lake_with(0, attributes={"a": [{"value": 1}]}), "/images/0/annotations/0/attributes"),
    "image is a number": (text({"images": [{"image": 7, "annotations": []}]}), "/images/0/image"),
    "no annotations": (text({"images": [{"image": "a.jpg"}]}), "/images/0"),
    "annotation is null": (text({"images": [{"image": "a.jpg", "annotations": [None]}]}), "/images/0/annotations/0"),
    "width is text": (text({"images": [{"image": "a", "width": "9", "annotations": []}]}), "/images/0/width"),
}


@pytest.mark.parametrize("name", LAKE_FILES)
def test_broken_metalake(name: str, refused: Refused) -> None:
    content, pointer = LAKE_FILES[name]
    error = refused(content, "coco", "metalake")
    assert (error.place.pointer or "").startswith(pointer)
    assert error.place.line is not None


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:9])
@pytest.mark.parametrize("at", ["bbox", "polygon", "confidence", "width"])
def test_numbers_that_are_none_in_metalake(number: str, at: str, refused: Refused) -> None:
    wanted = {
        "bbox": lake_with(0, bbox=[1, 2, 3, "@"]),
        "polygon": lake_with(1, polygon=[[1, 2], [3, 4], [5, "@"]]),
        "confidence": lake_with(0, confidence="@"),
        "width": text({"images": [{"image": "a", "width": "@", "annotations": []}]}),
    }[at]
    error = refused(wanted.replace('"@"', number), "coco", "metalake")
    assert error.code in ("not-finite", "wrong-type")
    assert error.place.line is not None


@pytest.mark.parametrize("level", ["image", "annotation", "metadata", "attributes", "value", "label"])
def test_keys_that_stand_twice_in_metalake(level: str, refused: Refused) -> None:
    parts: dict[str, str] = dict.fromkeys(("image", "annotation", "metadata", "attributes", "value", "label"), "")
    parts[level] = '"twice": 1, "twice": 1, '.replace("1", "[]" if level == "attributes" else "1")
    content = (
        f'{{"images": [{{{parts["image"]}"image": "a", "annotations": [{{{parts["annotation"]}"type": "rectangle", '
        f'"bbox": [1, 2, 3, 4], "label": "c", "metadata": {{{parts["metadata"]}"m": 1}}, '
        f'"attributes": {{{parts["attributes"]}"a": [{{{parts["value"]}"value": "v"}}]}}}}]}}], '
        f'"annolake": {{"labels": [{{{parts["label"]}"name": "c"}}]}}}}'
    )
    json.loads(content)
    assert refused(content, "coco", "metalake").code == "duplicate-key"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("to", ["coco", "yolo"])
def test_names_that_lead_out_of_metalake(name: str, to: str, refused: Refused) -> None:
    content = text({"images": [{"image": name, "width": 9, "height": 9, "annotations": []}]})
    error = refused(content, to, "metalake")
    assert (error.code, error.place.pointer) == ("unsafe-name", "/images/0/image")


@pytest.mark.parametrize(
    "name", ["../evil.json", "/evil.json", "annotations/../../evil.json", "C:\\evil.json", "x\0.json"]
)
def test_notes_about_files_lead_nowhere_else(name: str, tmp_path: Path) -> None:
    """A MetaLake file may note which COCO files it came from. It does not choose where files are written."""
    lake = json.loads(json.dumps(LAKE))
    files = [{"split": None, "name": name, "head": {}}, {"split": "../../up", "name": None, "head": {}}]
    lake["annolake"] = {"extras": {"coco": {"files": files[:1]}}}
    source, target = tmp_path / "lake.json", tmp_path / "deep" / "out"
    target.parent.mkdir()
    source.write_text(text(lake))
    convert(source, target, to="coco", options={"coco": coco.Options(layout="folder")})
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.json"))] == [
        "deep/out/annotations/instances_default.json",
        "lake.json",
    ]
    lake["annolake"] = {"extras": {"coco": {"files": files}}}
    source.write_text(text(lake))
    with pytest.raises(InvalidInput) as caught:
        convert(source, tmp_path / "other", to="coco", options={"coco": coco.Options(layout="folder")})
    assert caught.value.code == "unsafe-name"


@pytest.mark.parametrize(
    "notes",
    [7, [], {"files": 7}, {"files": [7]}, {"files": [{"split": 7}]}, {"files": [{"head": []}]}, {"next_id": "x"}],
    ids=str,
)
def test_broken_notes_are_refused(notes: Any, converted: Converted) -> None:
    error = converted(text({**LAKE, "annolake": {"extras": {"coco": notes}}}), "coco", "metalake")
    assert error is not None and error.exit_code == 4
    assert (error.place.pointer or "").startswith("/annolake/extras/coco")


TEXTS = [
    "",
    "a",
    "null",
    "{}",
    "[]",
    "[1]",
    "[1,2,3]",
    '["a",1,2]',
    '{"size":[4,4],"counts":[16]}',
    "[",
    "mask",
    "keypoints",
]


@given(data=st.data())
def test_metadata_of_others_under_our_names(
    tmp_path_factory: pytest.TempPathFactory, any_json: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    """Metadata is free: a key that annolake uses too, with a value that it never writes, is no reason to fall over."""
    values = st.sampled_from(TEXTS) | st.integers(0, 3) | any_json
    metadata = st.dictionaries(st.sampled_from(sorted(BY_NAME)), values, max_size=6)
    shapes: list[dict[str, Any]] = [
        {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "a"},
        {"type": "polygon", "polygon": [[1, 2], [9, 4], [5, 8]], "label": "a"},
        {"type": "polygon", "polygon": [[2, 2], [9, 4], [5, 8]], "label": "a"},
    ]
    shapes = [{**shape, "metadata": data.draw(metadata)} for shape in shapes]
    facts = data.draw(st.dictionaries(st.sampled_from(["coco", "yolo", "annolake", "site"]), any_json, max_size=2))
    image = {"image": "a.jpg", "width": 10, "height": 10, "annotations": shapes, **facts}
    folder = tmp_path_factory.mktemp("metadata")
    source = folder / "lake.json"
    source.write_text(text({"images": [image]}))
    for to in ("coco", "yolo"):
        try:
            convert(source, folder / to, to=to, allow_loss=True)
        except AnnolakeError as error:
            assert error.exit_code == 4, error
    if (folder / "coco").exists():
        convert(folder / "coco", folder / "back.json", to="metalake", from_="coco")


def test_a_mask_of_others_is_metadata(tmp_path: Path) -> None:
    """Nothing that a mask could be is said under the name of one's numbers."""
    said = {"shape": "mask", "geometry": "a"}
    shape = {"type": "polygon", "polygon": [[1, 2], [9, 4], [5, 8]], "label": "a", "metadata": said}
    source = tmp_path / "lake.json"
    source.write_text(text({"images": [{"image": "a.jpg", "width": 10, "height": 10, "annotations": [shape]}]}))
    convert(source, tmp_path / "coco.json", to="coco")
    convert(tmp_path / "coco.json", tmp_path / "back.json", to="metalake")
    (back,) = json.loads((tmp_path / "back.json").read_text())["images"][0]["annotations"]
    assert back["metadata"].items() >= said.items()


@pytest.mark.parametrize("key", ["lists", "flags"])
def test_the_name_of_a_list_leads_nowhere_else(tmp_path: Path, key: str) -> None:
    """It was looked at up to its first blank."""
    folder = tmp_path / "sets"
    folder.mkdir()
    said = {"images": [{"image": "a.jpg", "annotations": []}], "annolake": {"extras": {"voc": {key: ["a ../../../b"]}}}}
    (folder / "lake.json").write_text(text(said))
    with pytest.raises(InvalidInput) as caught:
        convert(folder / "lake.json", folder / "out", to="voc")
    assert caught.value.code == "unsafe-name"
    assert [path.name for path in tmp_path.rglob("*")] == ["sets", "lake.json"]


CATALOGUE: dict[str, Any] = {
    "labels": [{"name": "cat", "id": 1, "keypoints": ["a"], "skeleton": [[1, 1]], "extras": {"color": [1]}}],
    "coordinates": "pixels",
    "splits": ["train"],
    "extras": {
        "coco": {
            "files": [{"split": None, "name": "annotations/a.json", "head": {"info": {}}, "categories": []}],
            "next_id": 9,
        },
        "yolo": {"task": "pose", "kpt_shape": [1, 3], "flip_idx": [0], "kpt_names": {"0": ["a"]}, "path": "x"},
    },
}


@given(data=st.data())
def test_wrong_types_everywhere_in_a_catalogue(
    tmp_path_factory: pytest.TempPathFactory, replace_some: Callable[..., None], data: st.DataObject
) -> None:
    """What annolake notes about a data set comes from a file like everything else."""
    lake = json.loads(json.dumps({**LAKE, "annolake": CATALOGUE}))
    for image in lake["images"]:
        image.update(width=10, height=10)
    replace_some(data, lake, "annolake")
    folder = tmp_path_factory.mktemp("catalogue")
    (folder / "lake.json").write_text(text(lake))
    folders = {"coco": coco.Options(layout="folder")}
    for name, to, options in (("one", "coco", {}), ("many", "coco", folders), ("rows", "yolo", {})):
        try:
            convert(folder / "lake.json", folder / name, to=to, options=options, allow_loss=True)
        except AnnolakeError as error:
            assert error.exit_code == 4, error
        else:
            convert(folder / name, folder / f"{name}.json", to="metalake", from_=to)
    assert {path.name for path in folder.iterdir()} <= {
        "lake.json",
        "one",
        "one.json",
        "many",
        "many.json",
        "rows",
        "rows.json",
    }


@pytest.mark.parametrize(
    "metadata",
    [{"bbox": "null"}, {"bbox": "[1,1,1,1]"}, {"area": 3}, {"iscrowd": "a"}, {"iscrowd": 2}, {"keypoints": "[1]"}],
)
def test_numbers_that_others_noted_change_no_box(tmp_path: Path, metadata: dict[str, Any]) -> None:
    box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "a", "metadata": metadata}
    source = tmp_path / "lake.json"
    source.write_text(text({"images": [{"image": "a.jpg", "width": 10, "height": 10, "annotations": [box]}]}))
    convert(source, tmp_path / "coco.json", to="coco")
    written = json.loads((tmp_path / "coco.json").read_text())["annotations"][0]
    assert (written["bbox"], written["area"], written["iscrowd"]) == ([1, 2, 3, 4], 12, 0)
    assert written["metadata"] == metadata


def test_a_label_of_the_catalogue_without_a_name(refused: Refused):
    error = refused(text({**LAKE, "annolake": {"labels": [{"name": "cat"}, {"name": ""}]}}), "coco", "metalake")
    assert (error.code, error.place.pointer) == ("empty-label", "/annolake/labels/1/name")
    assert error.place.line is not None
