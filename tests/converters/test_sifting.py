"""`validate` sifts a large set before it looks closely: it finds the same, word by word, as if it had not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annolake.converters import parallel, sifting
from annolake.converters.checking import Checked, check

from .test_shape_blocks import KINDS, outlined_source

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SHAPES: list[dict[str, Any]] = [
    {"bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "segmentation": [[1, 2, 4, 2, 4, 6, 1, 6]]},
    {"bbox": [0, 0, 20, 20], "area": 200, "iscrowd": 0, "segmentation": [[0, 0, 20, 20, 20, 0, 0, 20]]},
    {"bbox": [5, 5, 2, 2], "area": 4, "iscrowd": 0, "segmentation": [[5, 5, 7, 5, 7, 7], [5, 5, 6, 6, 5, 7]]},
    {"bbox": [60, 40, 9, 9], "area": 81, "iscrowd": 0},
    {"bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 1, "segmentation": {"size": [48, 64], "counts": [49, 2, 46, 2, 2973]}},
]


def document(images: int) -> dict[str, Any]:
    """Every fifth image has no mistake of its own; `0.png` and `0.jpg` would share a label file."""
    names = [f"{number}.jpg" for number in range(images - 1)] + ["0.png"]
    return {
        "images": [{"id": n, "file_name": name, "width": 64, "height": 48} for n, name in enumerate(names)],
        "annotations": [
            {"id": n, "image_id": n % images, "category_id": 1 + n % 2, **SHAPES[n % len(SHAPES)]}
            for n in range(3 * images)
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": " dog"}],
    }


def both(monkeypatch: pytest.MonkeyPatch, source: Path, **given: Any) -> Checked:
    """What is found, which is the same either way."""
    found: list[Checked] = []
    for large in (1 << 60, 1):
        with monkeypatch.context() as patch:
            patch.setattr(sifting, "LARGE", large)
            patch.setattr(sifting, "_AT_ONCE", 2)
            patch.setattr(sifting, "_MOST", 1.0)
            patch.setattr(parallel, "WORTH_A_PROCESS", 1)
            found.append(check(source, format_name="coco", **given))
    assert found[1] == found[0]
    return found[0]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("source", sorted((FIXTURES / "coco").glob("*/in*")), ids=lambda path: path.parent.name)
def test_every_fixture(source: Path, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    both(monkeypatch, source, jobs=jobs)


@pytest.mark.parametrize("jobs", [1, 2])
def test_images_with_mistakes_among_others(tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(document(11), indent=1))
    found = both(monkeypatch, source, jobs=jobs, labels=["cat"], images=tmp_path)
    codes = {problem.code for problem in found.problems}
    assert {"same-stem", "unknown-label", "missing-picture"} <= codes
    assert all(problem.place.line for problem in found.problems if problem.place.annotation is not None)
    assert (found.images, found.annotations) == (11, 33)


@pytest.mark.parametrize("kind", KINDS)
def test_outlines_of_every_kind(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects that stand twice, too, and such as reach out of their image."""
    source = outlined_source(tmp_path, 3, kind)
    plain = json.loads(source.read_text())
    annotations = plain["annotations"]
    usual = next(a for a in annotations[7:] if len(a) == 7 and a["iscrowd"] == 0 and len(a["segmentation"]) == 1)
    annotations.append({**usual, "id": 9_001})
    annotations[5]["segmentation"] = [[50.5, 10.5, 70.5, 10.5, 70.5, 30.5]]
    annotations[6]["bbox"], annotations[6]["segmentation"] = [50.5, 10.5, 30.0, 10.5], []
    source.write_text(json.dumps(plain))
    found = both(monkeypatch, source, jobs=1)
    assert {"repeated-shape", "outside-image"} <= {problem.code for problem in found.problems}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data(), st.sampled_from([None, 1]))
def test_files_with_wrong_values(
    replace_some: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: st.DataObject,
    indent: int | None,
) -> None:
    wrong = json.loads(json.dumps(document(5)))
    replace_some(data, wrong)
    source = tmp_path / "in.json"
    source.write_text(json.dumps(wrong, indent=indent))
    both(monkeypatch, source, jobs=1)


def test_a_set_in_which_most_is_wrong_is_looked_at_closely_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(document(40)))
    before = check(source, format_name="coco")
    monkeypatch.setattr(sifting, "LARGE", 1)
    assert check(source, format_name="coco") == before
