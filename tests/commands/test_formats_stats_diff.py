"""`annolake formats`, `stats` and `diff`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Desk


def test_formats_say_what_they_hold(desk: Desk) -> None:
    done = desk.run("formats", "--json")
    found = {entry["name"]: entry for entry in json.loads(done.stdout)["formats"]}
    assert (done.exit_code, done.stderr) == (0, "")
    assert sorted(found) == ["coco", "cvat", "metalake", "voc", "yolo"]
    assert found["coco"]["fidelity"]["holes"] == "masks"
    assert sorted(found["yolo"]["fidelity"]) == ["detect", "obb", "pose", "segment"]
    assert found["yolo"]["fidelity"]["detect"]["shapes"] == ["rectangle"]
    assert found["yolo"]["output"] == "folder"
    [task] = [option for option in found["yolo"]["options"] if option["flag"] == "--yolo-task"]
    assert set(task["choices"]) == {"detect", "obb", "pose", "segment"}


def test_formats_for_people(desk: Desk) -> None:
    done = desk.run("formats")
    assert (done.exit_code, done.stdout) == (0, "")
    [crowds] = [line.split() for line in done.stderr.splitlines() if line.startswith("crowd regions")]
    assert crowds[:5] == ["crowd", "regions", "yes", "yes", "yes"]
    assert crowds[-4:] == ["-", "-", "-", "-"]


def test_stats_count(desk: Desk) -> None:
    done = desk.run("stats", "instances.json", "--json")
    counts = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (counts["images"], counts["annotations"], counts["by_label"]) == (2, 2, {"car": 2})
    assert (counts["masks"], counts["crowds"]) == (1, 1)
    people = desk.run("stats", "instances.json")
    assert people.stdout == ""
    assert ["annotations", "2"] in [line.split() for line in people.stderr.splitlines()]


def test_stats_take_reading_options_only(desk: Desk) -> None:
    desk.put("set/labels/a.txt", "0 0.5 0.5 0.2 0.2 0.9\n")
    desk.put("set/data.yaml", "names: [car]\ntrain: images\n")
    words = ("stats", "set", "--json")
    assert desk.run(*words).exit_code == 4
    known = json.loads(desk.run(*words, "--yolo-confidence", "last").stdout)
    assert known["with_confidence"] == 1
    assert desk.run(*words, "--yolo-decimals", "3").exit_code == 2


def test_equal_sets_in_two_formats(desk: Desk) -> None:
    desk.run("convert", "instances.json", "other.json", "--to", "metalake")
    done = desk.run("diff", "instances.json", "other.json", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["equal"] is True
    assert desk.run("diff", "instances.json", "other.json").stderr.startswith("equal")


def test_different_sets(desk: Desk) -> None:
    desk.lake["images"][0]["annotations"][0]["bbox"] = [10, 10, 20, 33]
    desk.lake["images"].append({"image": "only.png", "annotations": []})
    desk.put("other.json", desk.lake)
    done = desk.run("diff", "lake.json", "other.json", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["equal"]) == (4, False)
    assert found["images"]["only_b"] == ["only.png"]
    assert found["annotations"]["changed"] == 1
    people = desk.run("diff", "lake.json", "other.json")
    assert people.exit_code == 4
    assert 'a.png: rectangle "car" changed: geometry, 3 pixels' in people.stderr
    assert desk.run("diff", "lake.json", "lake.json", "--tolerance", "-1").exit_code == 2


def test_a_tolerance_makes_equal(desk: Desk) -> None:
    desk.lake["images"][0]["annotations"][0]["bbox"] = [10, 10, 20, 30.5]
    desk.put("other.json", desk.lake)
    assert desk.run("diff", "lake.json", "other.json").exit_code == 4
    assert desk.run("diff", "lake.json", "other.json", "--tolerance", "1").exit_code == 0
