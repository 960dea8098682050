"""Data sets as they lie on disks: every usual arrangement, and the broken ones."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from annolake.converters.format import Context
from annolake.converters.images import ImageFinder
from annolake.converters.yolo import FORMAT
from annolake.schemas.errors import InvalidInput

ROW = "0 0.5 0.5 0.2 0.2\n"
TWO = ROW + "1 0.5 0.5 0.4 0.4\n"
YAML = "names: [cat, dog]\n"


def splits_of(found) -> dict[str, tuple[str | None, int]]:
    return {record.image: (record.split, len(record.annotations)) for record in found.records}


ARRANGEMENTS = {
    "ultralytics folders": {
        "data.yaml": YAML + "path: .\ntrain: images/train\nval: images/val\ntest:\n",
        "images/train/a.jpg": None,
        "images/train/sub dir/b.ü.png": None,
        "images/val/c.jpg": None,
        "labels/train/a.txt": ROW,
        "labels/train/sub dir/b.ü.txt": TWO,
        "labels/val/c.txt": "",
    },
    "the same without pictures, with lists": {
        "data.yaml": YAML + "train: train.txt\nval: [val.txt]\n",
        "train.txt": "./images/train/a.jpg\n\nimages/train/sub dir/b.ü.png\r\n./images/train/a.jpg\n",
        "val.txt": "data/images/val/c.jpg",
        "labels/train/a.txt": ROW,
        "labels/train/sub dir/b.ü.txt": TWO,
        "labels/val/c.txt": "",
    },
    "list of pictures in the yaml, validation for val": {
        "data.yaml": YAML + "train: [images/a.jpg, 'images/sub dir/']\nvalidation: [images/val/c.jpg]\n",
        "images/a.jpg": None,
        "images/sub dir/sub dir/b.ü.png": None,
        "images/val/c.jpg": None,
        "labels/a.txt": ROW,
        "labels/sub dir/sub dir/b.ü.txt": TWO,
    },
    "roboflow": {
        "data.yaml": YAML + "train: ../train/images\nval: ../valid/images\n",
        "train/images/a.jpg": None,
        "train/images/sub dir/b.ü.png": None,
        "train/labels/a.txt": ROW,
        "train/labels/sub dir/b.ü.txt": TWO,
        "valid/images/c.jpg": None,
        "README.roboflow.txt": "made by",
    },
    "absolute paths of another machine": {
        "data.yaml": YAML + "path: /content/ds\ntrain: /home/me/set/train/images\nval: 'C:\\me\\set\\valid\\images'\n",
        "train/images/a.jpg": None,
        "train/images/sub dir/b.ü.png": None,
        "train/labels/a.txt": ROW,
        "train/labels/sub dir/b.ü.txt": TWO,
        "valid/images/c.jpg": None,
        "valid/labels/c.txt": "\n",
    },
    "absolute paths in a list": {
        "data.yaml": YAML + "train: train.txt\nval: images/val\n",
        "train.txt": "/home/me/set/images/train/a.jpg\nC:\\me\\images\\train\\sub dir\\b.ü.png\n",
        "images/val/c.jpg": None,
        "labels/train/a.txt": ROW,
        "labels/train/sub dir/b.ü.txt": TWO,
    },
    "darknet": {
        "obj.data": "classes = 2\ntrain = data/train.txt\nvalid=data/valid.txt\nnames = data/obj.names\nbackup = b/\n",
        "obj.names": "cat \r\ndog\r\n\r\n",
        "train.txt": "data/obj_train_data/a.jpg\ndata/obj_train_data/sub dir/b.ü.png\n",
        "valid.txt": "data/obj_valid_data/c.jpg\n",
        "obj_train_data/a.txt": ROW,
        "obj_train_data/sub dir/b.ü.txt": TWO,
        "obj_valid_data/c.jpg": None,
    },
    "labels in a folder of another name": {
        "data.yaml": YAML + "train: images/train\nval: images/val\n",
        "images/train/a.jpg": None,
        "images/train/sub dir/b.ü.png": None,
        "images/val/c.jpg": None,
        "labels_detect/train/a.txt": ROW,
        "labels_detect/train/sub dir/b.ü.txt": TWO,
        "labels_detect/val/c.txt": "",
    },
}


@pytest.mark.parametrize("files", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_described_sets(dataset, read, files):
    folder = dataset(files)
    found = read(folder)
    assert splits_of(found) == {"a.jpg": ("train", 1), "sub dir/b.ü.png": ("train", 2), "c.jpg": ("val", 0)}
    assert found.catalog.names() == ["cat", "dog"]
    assert found.catalog.splits == ("train", "val")
    assert found.catalog.coordinates == "normalized"
    assert FORMAT.sniff(folder).matches
    by_file = [folder / name for name in ("data.yaml", "obj.data") if name in files]
    assert read(by_file[0]).records == found.records


UNDESCRIBED = {
    "flat": ({"a.txt": TWO, "a.jpg": None, "b.jpg": None, "classes.txt": "cat\ndog \n"}, ["a.jpg", "b.jpg"]),
    "labels.txt and annotations": ({"annotations/sub/a.txt": TWO, "labels.txt": "cat\ndog"}, ["sub/a"]),
    "images and labels": (
        {"images/a.jpg": None, "labels/a.txt": TWO, "images/b.png": None, "labels/classes.txt": "cat\ndog"},
        ["a.jpg", "b.png"],
    ),
    "a run of predictions": ({"a.jpg": None, "labels/a.txt": TWO, "names.txt": "cat\ndog"}, ["a.jpg"]),
    "names file alone": ({"x.names": "cat\ndog\n", "img/a.txt": TWO, "README.md": "x"}, ["img/a"]),
}


@pytest.mark.parametrize(("files", "images"), UNDESCRIBED.values(), ids=UNDESCRIBED)
def test_undescribed_sets(dataset, read, files, images):
    folder = dataset(files)
    found = read(folder)
    assert sorted(found.images) == images
    assert [len(record.annotations) for record in found.records if "a" in record.image] == [2]
    assert found.catalog.names() == ["cat", "dog"]
    assert FORMAT.sniff(folder).matches


def test_a_labels_folder_finds_its_pictures(dataset, read):
    folder = dataset({"images/train/a.jpg": None, "labels/train/a.txt": ROW, "labels/train/b.txt": ROW})
    found = read(folder / "labels" / "train")
    assert found.images == ["a.jpg", "b"]


def test_class_numbers_are_the_names_where_there_are_none(dataset, read):
    found = read(dataset({"a.txt": "3 0.5 0.5 0.2 0.2\n"}))
    assert found.catalog.names() == ["class_0", "class_1", "class_2", "class_3"]
    assert found.rows[0][0][0] == "class_3"
    assert found.codes() == ["no-names"]
    assert "labels" in found.decided()


def test_names_from_outside_where_there_are_none(dataset, read):
    found = read(dataset({"a.txt": TWO}), context=Context(labels=("cat", "dog")))
    assert found.rows[0][1][0] == "dog"


def test_train_and_val_on_the_same_folder_are_read_once(dataset, read):
    # Ultralytics' own coco128.yaml.
    files = {"data.yaml": YAML + "train: images\nval: ./images/\n", "images/a.jpg": None, "labels/a.txt": ROW}
    found = read(dataset(files))
    assert splits_of(found) == {"a.jpg": ("train", 1)}
    assert found.decided() == ["split-shared"]


def test_what_two_lists_share_is_read_once(dataset, read):
    files = {"data.yaml": YAML + "train: t.txt\nval: v.txt\n", "t.txt": "./images/a.jpg\n./images/b.jpg\n"}
    files |= {"v.txt": "./images/b.jpg\n./images/c.jpg\n"} | {f"labels/{name}.txt": ROW for name in "abc"}
    found = read(dataset(files))
    assert splits_of(found) == {"a.jpg": ("train", 1), "b.jpg": ("train", 1), "c.jpg": ("val", 1)}
    assert found.decided() == ["split-shared"]


def test_equal_names_in_two_splits_get_their_split_in_front(dataset, read):
    files = {"data.yaml": YAML + "train: images/train\nval: images/val\n"}
    files |= {f"labels/{split}/{name}.txt": ROW for split, name in [("train", "a"), ("val", "a"), ("val", "b")]}
    found = read(dataset(files), extension="jpg")
    assert found.images == ["train/a.jpg", "val/a.jpg", "b.jpg"]
    assert "split-in-name" in found.decided()


@pytest.mark.parametrize("described", [True, False])
def test_two_pictures_with_one_label_file_are_an_error_that_names_both(dataset, read, described: bool):
    files = {"images/0001.jpg": None, "images/0001.png": None, "labels/0001.txt": ROW}
    folder = dataset(files | ({"data.yaml": YAML + "train: images\n"} if described else {}))
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    assert caught.value.code == "same-stem"
    assert "0001.jpg" in caught.value.message and "0001.png" in caught.value.message
    assert len(read(folder, lenient=True).records) == 1


def test_what_is_wrong_is_told_where_it_is_found(dataset, read):
    files = {"images/a.jpg": None, "images/a.png": None, "labels/a.txt": ROW, "labels/b.txt": ROW}
    files |= {"data.yaml": YAML + "train: t.txt\nval: none\ntest: [../../x, s.txt]\n"}
    files |= {"t.txt": "images/a.jpg\nimages/a.png\nimages/c.png\n", "s.txt": "images/b.jpg\nimages/a.png\n"}
    told = [problem.code for problem in read(dataset(files), lenient=True).ledger.problems]
    assert told == ["same-stem", "listed-image-missing", "split-missing", "split-missing", "same-stem"]


def test_label_files_without_pictures_are_read_and_said_once(dataset, read):
    folder = dataset({"data.yaml": YAML + "train: images\n", **{f"labels/{name}.txt": ROW for name in "abc"}})
    found = read(folder)
    assert found.images == ["a", "b", "c"]
    (decision,) = found.ledger.decisions
    assert decision.code == "no-pictures" and "3 label files" in decision.text
    assert read(folder, extension=".png").images == ["a.png", "b.png", "c.png"]


def test_pictures_elsewhere_give_names_their_extension(dataset, read):
    folder = dataset({"data.yaml": YAML + "train: images\n", "labels/a.txt": ROW, "labels/sub/b.txt": ROW})
    pictures = dataset({"a.png": None, "x/sub/b.bmp": None}, "pictures")
    found = read(folder, context=Context(images=ImageFinder(pictures)))
    assert found.images == ["a.png", "sub/b.bmp"]


def test_sizes_come_from_pictures_as_people_see_them(dataset, read):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (100, 80)).save(buffer, "JPEG", exif=exif)
    files = {"a.jpg": buffer.getvalue(), "a.txt": ROW, "b.png": None, "b.txt": ROW, "c.txt": ROW, "d.jpg": b"<html>"}
    found = read(dataset(files))
    sizes = {record.image: (record.width, record.height) for record in found.records}
    assert sizes == {"a.jpg": (80, 100), "b.png": (20, 10), "c": (None, None), "d.jpg": (None, None)}
    assert found.codes("notice") == ["exif-turned"]
    assert "exif" in found.decided()
    assert "image-unreadable" in found.codes()
    raw = read(dataset(files), context=Context(exif="raw"))
    assert {(r.width, r.height) for r in raw.records if r.image == "a.jpg"} == {(100, 80)}


def test_listed_but_nowhere_to_be_found_is_said(dataset, read):
    files = {"data.yaml": YAML + "train: t.txt\n", "t.txt": "images/a.jpg\nimages/b.jpg\n", "labels/a.txt": ROW}
    found = read(dataset(files))
    assert found.images == ["a.jpg"]
    (problem,) = found.ledger.problems
    assert (problem.code, problem.severity, problem.place.line) == ("listed-image-missing", "warning", 2)


def test_a_split_that_is_not_here_is_said(dataset, read):
    found = read(dataset({"data.yaml": YAML + "train: images\nval: /elsewhere/v\n", "labels/a.txt": ROW}))
    assert found.codes() == ["split-missing"]


@pytest.mark.parametrize("value", ["../..", "../../secret", "/etc"])
def test_paths_never_lead_out_of_the_set(dataset, read, tmp_path: Path, value: str):
    (tmp_path.parent / "secret").mkdir(exist_ok=True)
    folder = dataset({"deep/data.yaml": YAML + f"train: {value}\n", "deep/labels/a.txt": ROW}) / "deep"
    with pytest.raises(InvalidInput) as caught:
        read(folder / "data.yaml")
    assert caught.value.code in ("path-outside", "no-labels")


def test_lines_of_a_list_never_lead_out_of_the_set(dataset, read):
    dataset({"x.jpg": None, "x.txt": ROW}, ".")
    folder = dataset({"a/data.yaml": YAML + "train: t.txt\n", "a/t.txt": "../../x.jpg\n"}) / "a"
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    assert (caught.value.code, caught.value.place.line) == ("path-outside", 1)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"x.md": "nothing"}, "no-labels"),
        ({"data.yaml": YAML + "train: images\n"}, "no-labels"),
        ({"a.yaml": YAML, "b.yaml": YAML, "a.txt": ROW}, "data-ambiguous"),
        ({"classes.txt": "a", "labels/classes.txt": "b", "labels/a.txt": ROW}, "data-ambiguous"),
        ({"classes.txt": "a\n\nb", "a.txt": ROW}, "class-without-name"),
        ({"classes.txt": "a\na", "a.txt": ROW}, "duplicate-name"),
        ({"data.yaml": YAML + "train: images/a", "labels_x/a/a.txt": ROW, "labels_y/a/a.txt": ROW}, "labels-ambiguous"),
        ({"a.txt": "123456789 0.5 0.5 0.2 0.2"}, "bad-class"),
    ],
)
def test_sets_that_make_no_sense(dataset, read, files, code):
    with pytest.raises(InvalidInput) as caught:
        read(dataset(files))
    assert caught.value.code == code
    assert caught.value.hint


def test_lists_and_read_mes_are_no_label_files_but_rows_are(dataset, read):
    files = {"data.yaml": YAML + "train: images\n", "labels/a.txt": ROW, "labels/classes.txt": "cat\ndog\n"}
    files |= {"labels/train.txt": "images/a.jpg\n", "labels/README.txt": "hello", "labels/test.txt": ROW}
    files |= {"labels/.cache/a.txt": "x", "labels/__MACOSX/._a.txt": "\0\5\x16\7 of macOS", "labels/.b.txt": ROW}
    assert read(dataset(files)).images == [".b", "a", "test"]


@pytest.mark.parametrize(
    ("labels", "options", "task", "decided"),
    [
        (["0 0.5 0.5 0.2 0.2", ""], {}, "detect", False),
        (["", ""], {}, "detect", False),
        (["0 0.1 0.1 0.2 0.1 0.2 0.2", "0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2"], {}, "segment", False),
        (["0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2"], {}, "segment", True),
        (["0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2"], {"task": "obb"}, "obb", False),
        (["0 0.5 0.5 0.2 0.2", "0 0.1 0.1 0.2 0.1 0.2 0.2"], {}, "segment", True),
        (["0 0.5 0.5 0.2 0.2 0.9"], {"confidence": "last"}, "detect", False),
        (["0 0.1 0.1 0.2 0.1 0.2 0.2 0.9"], {"confidence": "last"}, "segment", False),
        (["0 0.5 0.5 0.2 0.2 0.1 0.1 2 0.1 0.1 1"], {"task": "pose", "kpt_shape": "2x3"}, "pose", False),
        (["0 0.5 0.5 0.2 0.2 0.1 0.1 2"], {"task": "pose"}, "pose", False),
    ],
)
def test_the_task_is_found_once_for_the_set(dataset, read, labels, options, task, decided):
    files = {f"labels/{index}.txt": text for index, text in enumerate(labels)}
    found = read(dataset({"data.yaml": YAML + "train: images\n", **files}), **options)
    assert found.catalog.extras["yolo"]["task"] == task
    assert ("yolo-task" in found.decided()) == decided


def test_key_points_are_declared_in_the_yaml(dataset, read):
    text = YAML + "train: images\nkpt_shape: [1, 3]\nflip_idx: [0]\n"
    found = read(dataset({"data.yaml": text, "labels/a.txt": "0 0.5 0.5 0.2 0.2 0.1 0.1 2\n"}))
    assert found.catalog.extras["yolo"] == {"task": "pose", "kpt_shape": [1, 3], "flip_idx": [0]}


def test_six_columns_are_never_guessed(dataset, read):
    with pytest.raises(InvalidInput) as caught:
        read(dataset({"classes.txt": "cat", "a.txt": "0 0.5 0.5 0.2 0.2 0.37\n"}))
    assert caught.value.code == "column-count"
    assert "--yolo-confidence" in str(caught.value)


def test_sniffing_says_no_to_other_things_and_never_fails(dataset, tmp_path: Path):
    folder = dataset({"x.json": "{}", "ImageSets/Main/train.txt": "000012 1\n", "b.txt": b"\0\0", "c.yaml": "a: ["})
    assert not FORMAT.sniff(folder).matches
    assert not FORMAT.sniff(folder / "x.json").matches
    assert not FORMAT.sniff(folder / "c.yaml").matches
    assert not FORMAT.sniff(tmp_path / "nothing").matches
    assert FORMAT.sniff(dataset({"a/labels/x.txt": "", "a/labels/y.txt": ""}, "empty") / "a").matches
