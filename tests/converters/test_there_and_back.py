"""Across formats and home again, through `convert`: what the target can carry is exactly what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import coco, convert, cvat, metalake, yolo
from annolake.converters.choosing import Choice
from annolake.converters.comparing import compare
from annolake.converters.testing.cases import Case, cases
from annolake.schemas.errors import InvalidInput, LossRefused, UsageError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
MADE_UP = {"segmentation", "area", "iscrowd", "num_keypoints"}
"""What COCO's evaluators need and a file may lack: always written."""


def ids(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", cases(FIXTURES / "coco"), ids=ids)
def test_coco_through_metalake(case: Case, tmp_path: Path) -> None:
    """The same ids, numbers, outlines, masks and attributes; the same keys that nobody knows; the same files."""
    source, lake = case.source, tmp_path / "lake.json"
    convert(source, lake, to="metalake")
    layout = "folder" if source.is_dir() else "file"
    back = tmp_path / ("back" if source.is_dir() else "back.json")
    convert(lake, back, to="coco", options={"coco": coco.Options(layout=layout)})
    lacking = case.name in ("multi part", "polygons")  # ids, areas: they get them
    assert compare(source, back, exact=not lacking).equal
    if source.is_file():
        assert_same_file(source, back, fresh_ids=case.name == "doubled ids")
    else:
        below = sorted(path.relative_to(source) for path in source.rglob("*.json"))
        assert sorted(path.relative_to(back) for path in back.rglob("*.json")) == below
        for name in below:
            assert_same_file(source / name, back / name)


@pytest.mark.parametrize("case", cases(FIXTURES / "yolo"), ids=ids)
def test_yolo_through_metalake(case: Case, tmp_path: Path) -> None:
    """Also without pictures: fractions stay fractions."""
    lake, back, again = tmp_path / "lake.json", tmp_path / "back", tmp_path / "again.json"
    options: Any = case.options(yolo.FORMAT)
    convert(case.source, lake, to="metalake", options={"yolo": options})
    confident = options.confidence != "none"
    writing = yolo.Options(save_conf=confident)
    convert(lake, back, to="yolo", options={"yolo": writing}, allow_loss=case.name == "predictions")
    convert(back, again, to="metalake")
    difference = compare(lake, again)
    assert difference.equal or case.name == "predictions", difference.changes  # YOLO is not written with tracks
    names = [label["name"] for label in json.loads(lake.read_text())["annolake"]["labels"]]
    assert [label["name"] for label in json.loads(again.read_text())["annolake"]["labels"]] == names


@pytest.mark.parametrize("case", cases(FIXTURES / "metalake"), ids=ids)
def test_metalake_through_coco(case: Case, tmp_path: Path) -> None:
    """What COCO has no shape for is refused, everything else comes home: labels, attributes, metadata, unknown keys."""
    options = {"metalake": case.options(metalake.FORMAT)}
    back, again = tmp_path / "back.json", tmp_path / "again.json"
    if case.name == "storage names":
        with pytest.raises(InvalidInput, match="unsafe-name"):  # absolute in a bucket, nowhere on a disk
            convert(case.source, back, to="coco")
        return
    normalized = "normalized" in case.name
    if normalized and "width" not in case.source.read_text():
        pytest.skip("fractions of a picture whose size nobody knows cannot become pixels")
    try:
        convert(case.source, back, to="coco", options=options)
    except LossRefused as refused:
        lost = {loss["code"] for loss in refused.report.losses if loss["fate"] != "carried"}
        assert lost <= {"line-unsupported", "points-unsupported", "hole-rasterised"}
        assert not back.exists()
        return
    convert(back, again, to="metalake")
    difference = compare(case.source, again, options_a=options["metalake"])
    assert difference.equal, (difference.changes, difference.catalog)


@pytest.mark.parametrize("jobs", [2, 3])
@pytest.mark.parametrize("to", ["metalake", "yolo"])
def test_several_processes_write_the_same_bytes(jobs: int, to: str, tmp_path: Path) -> None:
    source = FIXTURES / "coco" / "empty images" / "in.json"
    one, many = tmp_path / "one", tmp_path / "many"
    reports = [convert(source, target, to=to, jobs=count) for target, count in ((one, 1), (many, jobs))]
    assert _files(one) == _files(many)
    assert (reports[0].seen, reports[0].written, reports[0].losses) == (
        reports[1].seen,
        reports[1].written,
        reports[1].losses,
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many", "one"]


@pytest.mark.parametrize(("to", "carry"), [("yolo", "full"), ("metalake", "lean")])
def test_a_refusal_of_several_processes_leaves_nothing(to: str, carry: Any, tmp_path: Path) -> None:
    with pytest.raises(LossRefused):
        convert(FIXTURES / "coco" / "masks with holes" / "in.json", tmp_path / "out", to=to, carry=carry, jobs=2)
    assert list(tmp_path.iterdir()) == []


def assert_same_file(source: Path, back: Path, *, fresh_ids: bool = False) -> None:
    """Every key of the source is in the file that came back; what is more there, is what COCO's evaluators need."""
    a, b = (json.loads(path.read_text(encoding="utf-8-sig")) for path in (source, back))
    assert b["categories"] == a["categories"]
    assert {key: b.get(key) for key in a if key not in ("annotations", "images")} == {
        key: value for key, value in a.items() if key not in ("annotations", "images")
    }
    assert b["images"] == a["images"]
    mine = _by_image(a)
    theirs = _by_image(b)
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert _told(one) == {key: other[key] for key in _told(one)} or fresh_ids
        assert other.keys() - one.keys() <= MADE_UP | {"id"}


def _told(annotation: dict[str, Any]) -> dict[str, Any]:
    """Without the ways of saying that there is no outline and no box."""
    return {key: value for key, value in annotation.items() if value not in ([], [[]])}


def _by_image(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Annotations in the order of their images: COCO does not group them, annolake does."""
    order = {image["id"]: number for number, image in enumerate(document["images"])}
    return sorted(document.get("annotations", []), key=lambda annotation: order[annotation["image_id"]])


def _files(path: Path) -> dict[str, bytes]:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in found if file.is_file()}


@pytest.mark.parametrize("layout", ["file", "folder"])
def test_a_key_split_that_is_not_the_split_comes_home(tmp_path: Path, layout: Any) -> None:
    """Of an image in a file whose name says the split; in one file of all splits that key says which is meant."""
    files = {"train": "a set of ours", "val": "train"}
    for number, (split, said) in enumerate(files.items(), 1):
        image = {"id": number, "file_name": f"{number}.jpg", "width": 9, "height": 9, "split": said}
        path = tmp_path / "set" / "annotations" / f"instances_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"images": [image], "annotations": [], "categories": []}))
    convert(tmp_path / "set", tmp_path / "one.json", to="coco")
    folder = {"coco": coco.Options(layout="folder")}
    convert(tmp_path / "one.json", tmp_path / "back", to="coco", options=folder)
    found = {
        file.stem.removeprefix("instances_"): json.loads(file.read_text())["images"][0]["split"]
        for file in (tmp_path / "back" / "annotations").iterdir()
    }
    assert found == files


@pytest.mark.parametrize("to", ["coco", "cvat"])
def test_a_mask_stays_a_mask_where_only_the_meaning_is_carried(tmp_path: Path, to: str) -> None:
    """Both formats have masks: its run lengths are the shape, and no note beside it. This one has a hole."""
    counts = [11, 3, 7, 1, 1, 1, 7, 3, 66]
    annotation = {"segmentation": {"size": [10, 10], "counts": counts}, "bbox": [1, 1, 3, 3], "area": 8, "iscrowd": 0}
    source = tmp_path / "source.json"
    image = {"id": 1, "file_name": "a.jpg", "width": 10, "height": 10}
    annotations = [{"id": 1, "image_id": 1, "category_id": 1, **annotation}]
    document = {"images": [image], "annotations": annotations, "categories": [{"id": 1, "name": "x"}]}
    source.write_text(json.dumps(document))
    convert(source, tmp_path / "out", to=to, carry="lean")
    convert(tmp_path / "out", tmp_path / "back.json", to="coco")
    assert json.loads((tmp_path / "back.json").read_text())["annotations"][0]["segmentation"]["counts"] == counts


def test_pictures_of_no_split_stay_so_in_a_video_without_tracks(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "a.jpg", "split": "train"}, {"id": 2, "file_name": "b.jpg"}]
    source = tmp_path / "source.json"
    source.write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    convert(source, tmp_path / "out.xml", to="cvat", options={"cvat": cvat.Options(form="video")}, allow_loss=True)
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="coco")
    back = json.loads((tmp_path / "back.json").read_text())["images"]
    assert {image["file_name"]: image.get("split") for image in back} == {"a.jpg": "train", "b.jpg": None}


@pytest.mark.parametrize("identity", [7, -1, "7", "a car", 10**20])
def test_a_track_without_frames_comes_home_from_a_video(tmp_path: Path, identity: Any) -> None:
    """Rows of YOLO have track ids, and neither numbers of frames nor key frames; no file of CVAT can say some ids."""
    lake, metadata = tmp_path / "lake.json", {"track_id": identity}
    box = {"type": "rectangle", "label": "car", "bbox": [1, 2, 3, 4], "metadata": metadata, "attributes": {}}
    images = [{"image": name, "width": 60, "height": 40, "annotations": [box]} for name in ("a.jpg", "b.jpg")]
    lake.write_text(json.dumps({"images": images}))
    convert(lake, tmp_path / "out.xml", to="cvat", options={"cvat": cvat.Options(form="video")})
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="metalake")
    back = json.loads((tmp_path / "back.json").read_text())["images"]
    assert [image["annotations"][0]["metadata"] for image in back] == [metadata, metadata]


@pytest.mark.parametrize("noted", ["a text", "{1", "null"])
def test_a_note_of_somebody_else_is_metadata_like_any_other(tmp_path: Path, noted: str) -> None:
    lake, metadata = tmp_path / "lake.json", {"cvat_extra": noted}
    box = {"type": "rectangle", "label": "car", "bbox": [1, 2, 3, 4], "metadata": metadata, "attributes": {}}
    image = {"image": "a.jpg", "width": 9, "height": 9, "annotations": [box]}
    lake.write_text(json.dumps({"images": [image]}))
    convert(lake, tmp_path / "out.xml", to="cvat")
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="metalake")
    assert json.loads((tmp_path / "back.json").read_text())["images"][0]["annotations"][0]["metadata"] == metadata


def test_a_shape_of_a_track_has_no_more_attributes_than_it_had(tmp_path: Path) -> None:
    """In CVAT a shape that says nothing of an attribute has that of the shape before."""
    said: list[dict[str, Any]] = [{"colour": [{"value": "red"}], "n": [{"value": "1"}]}, {"n": [{"value": "2"}]}, {}]
    box = {"type": "rectangle", "label": "car", "bbox": [1, 2, 3, 4], "metadata": {"track_id": 3}}
    images = [
        {"image": f"{n}.jpg", "width": 60, "height": 40, "annotations": [{**box, "attributes": attributes}]}
        for n, attributes in enumerate([*said, said[0]])
    ]
    lake = tmp_path / "lake.json"
    lake.write_text(json.dumps({"images": images}))
    convert(lake, tmp_path / "out.xml", to="cvat", options={"cvat": cvat.Options(form="video")})
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="metalake")
    back = json.loads((tmp_path / "back.json").read_text())["images"]
    assert [image["annotations"][0].get("attributes", {}) for image in back] == [*said, said[0]]


def test_several_videos_become_images_unless_one_video_is_asked_for(tmp_path: Path) -> None:
    """Frames and tracks have numbers of their own in each; woven into one they ended as a defect."""
    names = ("video exported", "old video")
    videos = [FIXTURES / "cvat" / name / "in.xml" for name in names]
    report = convert(videos, tmp_path / "out.xml", to="cvat", allow_loss=True)
    assert "tracks-flattened" in [decision["code"] for decision in report.decisions]
    counts = []
    for number, video in enumerate(videos):
        convert(video, tmp_path / f"{number}.json", to="metalake", allow_loss=True)
        images = json.loads((tmp_path / f"{number}.json").read_text())["images"]
        counts += [(image["image"], len(image["annotations"])) for image in images]
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="metalake")
    back = json.loads((tmp_path / "back.json").read_text())["images"]
    assert sorted((image["image"], len(image["annotations"])) for image in back) == sorted(counts)
    form = {"cvat": cvat.Options(form="video")}
    with pytest.raises(UsageError, match="several sources") as caught:
        convert(videos, tmp_path / "no.xml", to="cvat", options=form, allow_loss=True)
    assert caught.value.code == "several-videos"
    assert not (tmp_path / "no.xml").exists()


@pytest.mark.parametrize("form", ["images", "video"])
def test_frames_of_a_project_are_dealt_to_other_splits(tmp_path: Path, form: Any) -> None:
    source, forms = FIXTURES / "cvat" / "video project" / "in.xml", {"cvat": cvat.Options(form=form)}
    choice = Choice(split={"a": 0.5, "b": 0.5})
    for to, options in (("cvat", forms), ("metalake", None)):
        suffix = ".xml" if to == "cvat" else ".json"
        convert(source, tmp_path / f"out{suffix}", to=to, options=options, choice=choice, allow_loss=True, verify=False)
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="metalake")
    dealt, back = (json.loads((tmp_path / name).read_text())["images"] for name in ("out.json", "back.json"))
    assert {image["image"]: image["split"] for image in back} == {image["image"]: image["split"] for image in dealt}
    assert {image["split"] for image in back} == {"a", "b"}


def test_a_video_project_where_only_the_meaning_is_carried(tmp_path: Path) -> None:
    """Which task a frame is of is book-keeping: then its tracks do not say it either."""
    source = FIXTURES / "cvat" / "video project" / "in.xml"
    convert(source, tmp_path / "out.xml", to="cvat", carry="lean", allow_loss=True)
    assert "task_id" not in (tmp_path / "out.xml").read_text()


@pytest.mark.parametrize("layout", ["file", "folder"])
def test_names_that_had_their_split_in_front_keep_it_in_another_split(tmp_path: Path, layout: Any) -> None:
    source, options = FIXTURES / "coco" / "splits" / "in", {"coco": coco.Options(layout=layout)}
    convert(source, tmp_path / "out", to="coco", options=options, choice=Choice(split={"one": 1.0}))
    convert(tmp_path / "out", tmp_path / "back.json", to="metalake")
    convert(source, tmp_path / "lake.json", to="metalake")
    back, lake = (json.loads((tmp_path / name).read_text())["images"] for name in ("back.json", "lake.json"))
    assert sorted(image["image"] for image in back) == sorted(image["image"] for image in lake)


def test_a_number_in_a_name_that_is_no_number_of_a_frame(tmp_path: Path) -> None:
    source = tmp_path / "source.json"
    images = [{"id": 1, "file_name": "6387236320.jpg", "width": 9, "height": 9}]
    source.write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    convert(source, tmp_path / "out.xml", to="cvat", options={"cvat": cvat.Options(form="video")})
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="coco")
    assert json.loads((tmp_path / "back.json").read_text())["images"][0]["file_name"] == "6387236320.jpg"


@pytest.mark.parametrize("several", [False, True])
def test_a_task_without_tracks_keeps_its_subset_in_a_video(tmp_path: Path, several: bool) -> None:
    """Only tracks have a subset: what no track says is noted of the picture; else it ended with exit 1."""
    labels = "<labels><label><name>car</name><attributes></attributes></label></labels>"
    tasks = "".join(f"<task><id>{n}</id><name>t</name><size>1</size></task>" for n in (1, 2))
    images = "".join(
        f'<image id="0" name="{name}" subset="{subset}" task_id="{task}" width="9" height="9"></image>'
        for name, subset, task in (("a.jpg", "a set", 1), ("b.jpg", "b", 2))
    )
    meta = f"<meta><project><id>1</id><name>p</name><tasks>{tasks}</tasks>{labels}</project></meta>"
    (tmp_path / "in.xml").write_text(f"<annotations><version>1.1</version>{meta}{images}</annotations>")
    (tmp_path / "in.json").write_text(
        json.dumps({"images": [{"image": "c.jpg", "width": 9, "height": 9, "annotations": []}]})
    )
    sources = [tmp_path / "in.xml", *([tmp_path / "in.json"] if several else [])]
    form = {"cvat": cvat.Options(form="video")}
    convert(sources, tmp_path / "out.xml", to="cvat", options=form, allow_loss=True, verify=True)
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="metalake")
    back = json.loads((tmp_path / "back.json").read_text())["images"]
    found = {image["image"]: image.get("split") for image in back}
    assert found == {"a.jpg": "a set", "b.jpg": "b", **({"c.jpg": None} if several else {})}


@pytest.mark.parametrize("to", ["coco", "voc", "cvat", "yolo"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_ring_that_is_closed_more_than_once(tmp_path: Path, to: str, times: int) -> None:
    """Readers of COCO and VOC take one closing vertex away: the same ring was taken for another (exit 1)."""
    ring = [[1, 1], [20, 1], [20, 30], *[[1, 1]] * times]
    shape = {"type": "polygon", "label": "cat", "polygon": ring}
    images = [{"image": "a.jpg", "width": 100, "height": 80, "annotations": [shape]}]
    (tmp_path / "in.json").write_text(json.dumps({"images": images}))
    report = convert(tmp_path / "in.json", tmp_path / "out", to=to, verify=True)
    assert (report.written["annotations"], report.losses) == (1, [])


def test_a_frame_without_a_size_does_not_get_its_video_s(tmp_path: Path) -> None:
    """Sizes that were lost on the way (label files without pictures): the size in <meta> was taken (exit 1)."""
    convert(FIXTURES / "cvat" / "old video" / "in.xml", tmp_path / "lake.json", to="metalake", allow_loss=True)
    lake = json.loads((tmp_path / "lake.json").read_text())
    lake["images"][0].pop("width")
    lake["images"][-1].pop("height")
    (tmp_path / "lake.json").write_text(json.dumps(lake))
    convert(tmp_path / "lake.json", tmp_path / "out.xml", to="cvat", allow_loss=True, verify=True)
    convert(tmp_path / "out.xml", tmp_path / "back.json", to="metalake", allow_loss=True)
    back = json.loads((tmp_path / "back.json").read_text())["images"]
    sizes = [[(image.get("width"), image.get("height")) for image in images] for images in (lake["images"], back)]
    assert sizes[0] == sizes[1]
    assert sizes[1][0][0] is None
