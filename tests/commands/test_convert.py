"""`annolake convert`: what is written, what is said, and what each exit code leaves behind."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Desk


def crowds(desk: Desk, count: int) -> None:
    """The crowd of `instances.json`, and as many more as to make `count`."""
    crowd = desk.coco["annotations"][1]
    desk.coco["annotations"] += [{**crowd, "id": 100 + number} for number in range(count - 1)]
    desk.put("instances.json", desk.coco)


def test_writes_and_tells_people_on_standard_error(desk: Desk) -> None:
    done = desk.run("convert", "instances.json", "out.json", "--to", "metalake")
    assert (done.exit_code, done.stdout) == (0, "")
    assert [image["image"] for image in desk.get("out.json")["images"]] == ["a.png", "b.png"]
    read, written = done.stderr.splitlines()[:2]
    assert read.split() == ["read", "2", "images,", "2", "annotations", "instances.json", "(coco)"]
    assert written.split()[:5] == ["written", "2", "images,", "2", "annotations"]
    assert "mask-outlined  1" in done.stderr
    assert 'image "a.png", annotation 8' in done.stderr


def test_json_is_the_report_and_nothing_else(desk: Desk) -> None:
    done = desk.run("convert", "instances.json", "out.json", "--to", "metalake", "--json")
    report = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert report["seen"] == report["written"] == {"annotations": 2, "images": 2}
    assert [loss["code"] for loss in report["losses"]] == ["mask-outlined"]


def test_a_refused_loss_leaves_the_report_and_nothing_else(desk: Desk) -> None:
    words = ("convert", "instances.json", "set", "--to", "yolo", "--report", "report.json", "--json")
    done = desk.run(*words)
    assert done.exit_code == 3
    assert desk.names() == ["report.json"]
    assert json.loads(done.stdout) == desk.get("report.json")
    [loss] = desk.get("report.json")["losses"]
    assert (loss["code"], loss["fate"], loss["count"]) == ("crowd-skipped", "dropped", 1)
    assert loss["examples"] == [{"file": "instances.json", "image": "a.png", "annotation": 8}]
    assert "--allow-loss" in done.stderr


def test_allowed_losses_are_done_and_said(desk: Desk) -> None:
    done = desk.run("convert", "instances.json", "set", "--to", "yolo", "--allow-loss")
    assert done.exit_code == 0
    [label_file] = (desk.path / "set").rglob("a.txt")
    assert len(label_file.read_text().splitlines()) == 1
    assert "crowd-skipped  1" in done.stderr


def test_a_dry_run_says_what_the_real_run_does_and_writes_nothing(desk: Desk) -> None:
    words = ("convert", "instances.json", "set", "--to", "yolo", "--json")
    dry, real = desk.run(*words, "--dry-run"), desk.run(*words)
    assert dry.exit_code == real.exit_code == 3
    assert json.loads(dry.stdout)["losses"] == json.loads(real.stdout)["losses"]
    assert desk.run(*words, "--dry-run", "--allow-loss").exit_code == 0
    assert desk.names() == []


def test_the_screen_shows_five_examples_and_the_report_all(desk: Desk) -> None:
    crowds(desk, 8)
    done = desk.run("convert", "instances.json", "set", "--to", "yolo", "--report", "r.json")
    assert done.stderr.count("annotation 1") == 4
    assert "and 3 more" in done.stderr
    [loss] = desk.get("r.json")["losses"]
    assert [example["annotation"] for example in loss["examples"]] == [8, *range(100, 107)]


def test_a_report_that_cannot_be_written_is_found_out_first(desk: Desk) -> None:
    desk.put("notes.json", {"mine": True})
    for path in ("nowhere/report.json", "notes.json", "instances.json", "out.json"):
        done = desk.run("convert", "instances.json", "out.json", "--to", "metalake", "--report", path)
        assert done.exit_code == 2, path
        assert desk.names() == ["notes.json"]
    assert desk.get("notes.json") == {"mine": True}


def test_a_report_replaces_an_older_report(desk: Desk) -> None:
    for target in ("one.json", "two.json"):
        assert desk.run("convert", "lake.json", target, "--to", "metalake", "--report", "r.json").exit_code == 0
    assert desk.get("r.json")["target"] == "two.json"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("nowhere.json", "out", "--to", "coco"), "nowhere.json"),
        (("lake.json", "out", "--to", "yolol"), "did you mean yolo?"),
        (("lake.json", "out.json", "--to", "coco", "--yolo-task", "detect"), "--yolo-task"),
        (("lake.json", "out", "--to", "yolo", "--yolo-decimals", "13"), "--yolo-decimals"),
        (("lake.json", "out", "--to", "yolo", "--yolo-task", "dance"), "--yolo-task"),
        (("lake.json", "instances.json", "--to", "coco"), "--overwrite"),
        (("lake.json", "out.json", "--to", "coco", "--coordinates", "normalized"), "coordinates"),
        (("lake.json", "out.json", "--to", "coco", "--images", "nowhere"), "--images"),
        (("lake.json", "out.json", "--to", "coco", "--jobs", "0"), "--jobs"),
        (("lake.json", "out.json"), "--to"),
    ],
)  # fmt: skip
def test_a_call_that_makes_no_sense_is_a_usage_error(desk: Desk, words: tuple[str, ...], hint: str) -> None:
    done = desk.run("convert", *words, "--json")
    assert done.exit_code == json.loads(done.stdout)["error"]["exit_code"] == 2
    assert hint in done.stderr
    assert desk.names() == []


def test_broken_input_is_told_with_its_place(desk: Desk) -> None:
    desk.put("broken.json", '{"images": [{"image": "a.png",\n "annotations": [')
    done = desk.run("convert", "broken.json", "out.json", "--to", "coco", "--from", "metalake", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["exit_code"], error["code"]) == (4, 4, "not-json")
    assert error["where"]["file"] == "broken.json"
    assert error["where"]["line"] == 2
    assert error["hint"] and error["message"] in done.stderr
    assert desk.names() == ["broken.json"]


def test_a_full_disk_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    done = desk.run("convert", "lake.json", "out.json", "--to", "coco", "--json")
    assert done.exit_code == 9
    assert json.loads(done.stdout)["error"]["code"] == "local-file"
    assert desk.names() == []


def test_overwrite_replaces_the_target(desk: Desk) -> None:
    desk.put("out.json", {"images": []})
    assert desk.run("convert", "lake.json", "out.json", "--to", "metalake", "--overwrite").exit_code == 0
    assert len(desk.get("out.json")["images"]) == 1


def test_coordinates_options_and_label_order(desk: Desk) -> None:
    desk.lake["images"][0]["annotations"].append({"type": "rectangle", "bbox": [0, 0, 30, 20], "label": "bus"})
    desk.put("lake.json", desk.lake)
    desk.put("order.txt", "car\nbus\n")
    assert desk.run("convert", "lake.json", "n.json", "--to", "metalake", "--coordinates", "normalized").exit_code == 0
    assert desk.get("n.json")["images"][0]["annotations"][0]["bbox"] == [0.1, 0.125, 0.2, 0.375]
    words = ("convert", "lake.json", "set", "--to", "yolo", "--labels", "order.txt", "--yolo-decimals", "3")
    assert desk.run(*words).exit_code == 0
    [label_file] = (desk.path / "set").rglob("a.txt")
    car, bus = label_file.read_text().splitlines()
    assert (car[:2], bus) == ("0 ", "1 0.150 0.125 0.300 0.250")


def test_doubled_labels_in_a_list_are_refused(desk: Desk) -> None:
    desk.put("order.txt", "car\n\ncar\n")
    done = desk.run("convert", "lake.json", "out.json", "--to", "coco", "--labels", "order.txt")
    assert done.exit_code == 4
    assert "order.txt:3" in done.stderr


def test_hostile_names_are_neither_markup_nor_commands_to_the_terminal(desk: Desk) -> None:
    desk.coco["images"][0]["file_name"] = "[bold]a[/bold] :smile: \x1b[31m.png"
    desk.put("instances.json", desk.coco)
    done = desk.run("convert", "instances.json", "set", "--to", "yolo")
    assert done.exit_code == 3
    assert "[bold]a[/bold] :smile: " in done.stderr
    assert "\x1b" not in done.stderr


def test_several_sources_chosen_renamed_and_dealt_out(desk: Desk) -> None:
    desk.lake["images"][0]["image"] = "c.png"
    desk.put("other.json", desk.lake)
    desk.put("images.txt", "c.png\na.png\n")
    words = ("--map-label", "car=vehicle", "--only-images", "images.txt", "--split", "train=0.5,val=0.5", "--json")
    done = desk.run("convert", "instances.json", "other.json", "out.json", "--to", "coco", *words)
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["verified"]
    assert report["source"] == "instances.json, other.json"
    assert report["options"]["map_labels"] == {"car": "vehicle"}
    assert {loss["code"]: loss["count"] for loss in report["losses"] if loss["code"] != "mask-outlined"} == {
        "image-left-out": 1,
        "label-renamed": 3,
    }
    written = desk.get("out.json")
    assert sorted(image["file_name"] for image in written["images"]) == ["a.png", "c.png"]
    assert sorted(image["split"] for image in written["images"]) == ["train", "val"]
    assert [category["name"] for category in written["categories"]] == ["vehicle"]


@pytest.mark.parametrize(
    "words",
    [
        ("--split", "train"),
        ("--split", "train=a,val=b"),
        ("--split", "train=0.5"),
        ("--split", "a=0.5,a=0.5"),
        ("--map-label", "car"),
        ("--keep-label", "cat"),
    ],
)
def test_choices_that_make_no_sense(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.run("convert", "instances.json", "out.json", "--to", "coco", *words)
    assert done.exit_code == 2, done.stderr
    assert "hint:" in done.stderr
    assert desk.names() == []


def test_an_empty_list_of_images(desk: Desk) -> None:
    desk.put("images.txt", "\n \n")
    done = desk.run("convert", "instances.json", "out.json", "--to", "coco", "--only-images", "images.txt")
    assert (done.exit_code, "[empty]" in done.stderr, desk.names()) == (4, True, ["images.txt"])


def test_what_was_written_is_read_again_unless_not_wanted(desk: Desk) -> None:
    assert "verified" in desk.run("convert", "instances.json", "1.json", "--to", "metalake").stderr
    assert "verified" not in desk.run("convert", "instances.json", "2.json", "--to", "metalake", "--no-verify").stderr
