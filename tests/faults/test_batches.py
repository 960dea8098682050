"""Batches of annotations that the service takes in part (C3), not with these labels (C4), or not so large (C6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io import batches

from . import actions as act
from .faultd import Faultd
from .oracle import Inputs, check
from .typed import BOX, PICTURES, Typed

SEND = ("upload", "annotations", "lake.json", "--collection", "Demo", "--operation", "op", "--json")


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch, rig: Faultd) -> None:
    """Batches of two images; the pictures are there."""
    monkeypatch.setattr(batches.batches, "__defaults__", (2, batches.MOST_BYTES))
    for name in PICTURES:
        rig.lake.add(f"Demo_{name}", name.encode())


def there(**shapes: int) -> Inputs:
    """Pictures that are there, with so many shapes."""
    files = {f"Demo_{name}": name.encode() for name in PICTURES}
    return Inputs(files, {(f"Demo_{name}.png", "op"): many for name, many in shapes.items()})


def sent(rig: Faultd) -> list[list[str]]:
    """The keys of each batch that came."""
    arrays = (json.loads(json.loads(one.kept)["metaUpdatesArray"]) for one in rig.asked("annotation-batch"))
    return [[one["objectKey"].removeprefix("Demo_") for one in array] for array in arrays]


@pytest.mark.parametrize("key", ["failed", "notFound", "notMeasured", "errors"])
@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.usefixtures("pairs")
def test_c3_a_batch_that_is_taken_in_part(rig: Faultd, typed: Typed, key: str, mode: Any) -> None:
    """What is refused is listed one by one, with its reason; what is taken is not sent again, now or later."""
    rig.lake.mode, rig.lake.refused_as = mode, key
    rig.lake.refused = {"Demo_p1.png": "it is being moved", "Demo_p2.png": "it has no size"}
    done = typed(*SEND)
    told = {one["name"]: one for one in json.loads(done.stdout)["items"]}
    assert done.exit_code == 6
    assert {name: one["state"] for name, one in told.items()} == {
        "p0.png": "uploaded", "p1.png": "failed", "p2.png": "failed", "p3.png": "uploaded",
    }  # fmt: skip
    assert (told["p1.png"]["reason"], told["p2.png"]["reason"]) == ("it is being moved", "it has no size")
    assert "p1.png: it is being moved" in done.stderr
    assert sent(rig) == [["p0.png", "p1.png"], ["p2.png", "p3.png"]]
    rig.lake.refused = {}
    assert typed(*SEND).exit_code == 0
    assert sent(rig)[2:] == [["p1.png", "p2.png"]]
    assert check(rig.lake, there(p0=1, p1=1, p2=1, p3=1)).clean


TEXT = """{"images": [
{"image": "p0.png", "annotations": [
  %s,
  %s
]},
{"image": "p1.png", "annotations": [
  %s,
  %s
]}]}
"""


@pytest.mark.usefixtures("pairs")
def test_c4_labels_without_a_key_stop_before_the_first_write(rig: Faultd, typed: Typed) -> None:
    labels = ["Car", "Bus", "Bus", "Tram"]
    boxes = (json.dumps(BOX | {"label": label, "bbox": [n, 1, 2, 2]}) for n, label in enumerate(labels))
    Path("lake.json").write_text(TEXT % tuple(boxes))
    rig.lake.unknown_labels = {"Bus", "Tram"}
    done = typed(*SEND)
    told = json.loads(done.stdout)
    assert (done.exit_code, rig.lake.updates) == (4, 0)
    assert "2 labels or attributes: Bus (2 annotations), Tram (1 annotation)" in done.stderr
    assert "lake.json:4" in done.stderr and "lake.json:8" in done.stderr
    assert [(one["where"]["line"], one["where"]["pointer"]) for one in told["problems"]] == [
        (4, "/images/0/annotations/1"),
        (8, "/images/1/annotations/1"),
    ]
    skipped = typed(*SEND, "--missing-labels", "skip")
    assert skipped.exit_code == 0
    assert "3 annotations were left out: the service has no key for their labels" in skipped.stderr
    assert check(rig.lake, there(p0=1, p1=0)).clean


@pytest.mark.usefixtures("pairs")
def test_c4_a_label_that_goes_on_the_way(rig: Faultd, typed: Typed) -> None:
    images = [
        {"image": name, "annotations": [BOX | {"label": "Bus" if name > "p1.png" else "Car"}]} for name in PICTURES
    ]
    Path("lake.json").write_text(json.dumps({"images": images}))

    def update(asked: Any, operation: str) -> Any:
        rig.lake.unknown_labels = {"Bus"}
        return type(rig.lake).update(rig.lake, asked, operation)

    rig.lake.update = update
    done = typed(*SEND)
    failed = [one for one in json.loads(done.stdout)["items"] if one["state"] == "failed"]
    assert (done.exit_code, [one["name"] for one in failed]) == (6, ["p2.png", "p3.png"])
    assert {one["reason"] for one in failed} == {"unknown labels: ['Bus']"}
    del rig.lake.update
    rig.lake.unknown_labels = set()
    assert typed(*SEND).exit_code == 0
    assert check(rig.lake, there(p0=1, p1=1, p2=1, p3=1)).clean


@pytest.mark.parametrize("big", [0, 500, 999])
def test_c6_one_image_of_a_thousand_is_too_large(rig: Faultd, typed: Typed, big: int) -> None:
    """The batch is halved down to it: 1 + 2 x 10 requests, all others stored, the one named."""
    names = [f"{number:03}.png" for number in range(1000)]
    images = [
        {"image": name, "annotations": [BOX | {"bbox": [n, 1, 2, 2]} for n in range(1000 * (number == big))]}
        for number, name in enumerate(names)
    ]
    Path("lake.json").write_text(json.dumps({"images": images}))
    rig.lake.most_bytes = 300 << 10
    done = typed("upload", "annotations", "lake.json", "--unique-name", "--operation", "op", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["summary"]["uploaded"], told["summary"]["failed"]) == (6, 999, 1)
    (failed,) = (one for one in told["items"] if one["state"] == "failed")
    assert (failed["name"], failed["status"], failed["retry_helps"]) == (names[big], 413, False)
    assert rig.lake.updates <= 21
    assert len(rig.lake.annotations) == 999
    assert names[big] in done.stderr


@pytest.mark.parametrize("operation", ["create-collection", "label-references", "init"])
def test_c6_what_cannot_be_halved_is_refused(rig: Faultd, typed: Typed, operation: str) -> None:
    rig.rule(operation, act.html(413), times=99)
    done = typed("push", "lake.json", "--images", "pictures", "--collection", "Demo", "--operation", "op")
    assert (done.exit_code, "413" in done.stderr) == (6 if operation == "init" else 7, True)
    assert len(rig.asked(operation)) <= len(PICTURES)
