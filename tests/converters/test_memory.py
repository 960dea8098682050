"""With a limit of memory: the same bytes, the same report and the same refusals as without, in less memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annolake.converters import Choice, convert, limiting, longlists
from annolake.converters.coco import Options as CocoOptions
from annolake.converters.cvat import Options as CvatOptions
from annolake.converters.memory import MIB, Memory, parse_size
from annolake.schemas.errors import AnnolakeError, UsageError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
TARGETS = {"metalake": "out.json", "yolo": "out", "coco": "out.json", "voc": "out", "cvat": "out.xml"}
Outcome = tuple[Any, ...]


@pytest.fixture(autouse=True)
def tiny_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that a file of a kilobyte has several, and sorting takes several rounds."""
    monkeypatch.setattr(limiting, "memory_of", lambda limit: Memory(limit, window=200, room=300, largest=1 << 20))


def sources() -> list[Path]:
    return sorted(path for format_ in ("coco", "metalake") for path in (FIXTURES / format_).glob("*/in*"))


def tree(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in files}


def outcome(source: Path, folder: Path, to: str, memory: int | None, **given: Any) -> Outcome:
    """What came out: files and report, or the error in full."""
    folder.mkdir()
    target = folder / TARGETS[to]
    try:
        report = convert(source, target, to=to, memory=memory, allow_loss=True, **given)
    except AnnolakeError as error:
        assert not list(folder.iterdir())
        return type(error).__name__, error.code, error.message, error.hint, error.place
    told = msgspec.to_builtins(report)
    del told["target"]
    return tree(target), told


Same = Callable[..., Outcome]


@pytest.fixture
def same() -> Same:
    """Asserts that a source ends alike with and without a limit; gives how."""

    def same(source: Path, to: str, **given: Any) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            whole = outcome(source, Path(folder) / "whole", to, None, **given)
            limited = outcome(source, Path(folder) / "limited", to, 256 * MIB, **given)
        assert limited == whole
        return whole

    return same


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("source", sources(), ids=lambda path: f"{path.parents[1].name} {path.parent.name}")
def test_every_fixture_gives_the_same_bytes(source: Path, to: str, same: Same) -> None:
    from_ = source.parents[1].name
    if isinstance(same(source, to, from_=from_)[0], dict):
        same(source, to, from_=from_, jobs=2)


COCO: dict[str, Any] = {
    "info": {"year": 2020},
    "images": [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in (3, 1, 2)],
    "annotations": [
        {"id": n, "image_id": 1 + n % 3, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
        for n in range(9)
    ],
    "categories": [{"id": 1, "name": "cat"}],
}
LAKE: dict[str, Any] = {
    "images": [
        {"image": f"{n}.jpg", "annotations": [{"type": "rectangle", "bbox": [1, 2, 3, 4], "label": f"label {n}"}] * n}
        for n in range(5)
    ],
    "more": {"key": [1, 2]},
}
SETS = {"coco": COCO, "metalake": LAKE}
PUT = st.sampled_from(["", "NaN", ",", "}", "]", '"', "\\ud800", "é", "\x00", '"id":1,', "{}"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.data(), st.sampled_from(sorted(SETS)), st.sampled_from([None, 1]))
def test_files_with_wrong_values_end_the_same_way(
    same: Same, replace_some: Callable[..., None], tmp_path: Path, data: st.DataObject, of: str, indent: int | None
) -> None:
    document = json.loads(json.dumps(SETS[of]))
    replace_some(data, document)
    source = tmp_path / "source.json"
    source.write_text(json.dumps(document, indent=indent))
    same(source, "metalake", from_=of)


@pytest.mark.parametrize("of", SETS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.floats(0, 1), PUT, st.booleans())
def test_files_that_are_broken_end_the_same_way(
    same: Same, tmp_path: Path, of: str, where: float, put: str, cut: bool
) -> None:
    text = json.dumps(SETS[of], indent=1)
    at = int(where * len(text))
    source = tmp_path / "source.json"
    source.write_text(text[:at] + put + ("" if cut else text[at:]))
    same(source, "metalake", from_=of)


def test_ids_that_stand_twice_end_the_same_way(same: Same, tmp_path: Path) -> None:
    source = tmp_path / "source.json"
    document = json.loads(json.dumps(COCO))
    for annotation, identity in zip(document["annotations"], (4, "4", 4, 7, "4", 7, 4, 2**70, 2**70), strict=True):
        annotation["id"] = identity
    source.write_text(json.dumps(document, indent=1))
    files, report = same(source, "coco", from_="coco")
    assert len(report["problems"]) == 5
    written = json.loads(files["out.json"])
    assert len({str(a["id"]) + type(a["id"]).__name__ for a in written["annotations"]}) == 9


@pytest.mark.parametrize("coordinate", ["id", "name"])
def test_an_image_that_stands_twice_ends_the_same_way(coordinate: str, same: Same, tmp_path: Path) -> None:
    document = json.loads(json.dumps(COCO))
    key, value = ("id", 3) if coordinate == "id" else ("file_name", "3.jpg")
    document["images"][2][key] = value
    source = tmp_path / "source.json"
    source.write_text(json.dumps(document, indent=1))
    assert same(source, "coco", from_="coco")[1] == ("duplicate-id" if key == "id" else "duplicate-image")


def test_many_pictures_are_listed_in_order(same: Same, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(longlists, "_HELD", 3)
    monkeypatch.setattr(longlists, "_SORTED", 4)
    source = tmp_path / "source.json"
    names = [f"{n * 7 % 23:02}.jpg" for n in range(23)]
    images = [
        {"id": n, "file_name": name, "width": 9, "height": 9, "split": ("train", "val")[n % 3 == 0]}
        for n, name in enumerate(names)
    ]
    source.write_text(json.dumps({"images": images}))
    files, _ = same(source, "voc", from_="coco", jobs=2)
    listed = [name.removesuffix(".jpg") for n, name in enumerate(names) if n % 3]
    assert files["out/ImageSets/Main/train.txt"].decode().splitlines() == sorted(listed)
    files, _ = same(source, "yolo", from_="coco", jobs=2)
    listed = [f"./images/train/{name}" for n, name in enumerate(names) if n % 3]
    assert files["out/train.txt"].decode().splitlines() == listed
    files, _ = same(source, "cvat", from_="coco", jobs=2)
    ids = re.findall(r'<image id="(\d+)" name="(.*?)"', files["out.xml"].decode())
    assert ids == [(str(sorted(names).index(name)), name) for name in names]


def test_splits_that_share_names(same: Same, tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "annotations").mkdir(exist_ok=True)
        (tmp_path / "annotations" / f"instances_{split}.json").write_text(json.dumps(COCO))
    files, _ = same(tmp_path, "metalake", from_="coco")
    assert b'"image":"val/3.jpg"' in files["out.json"]
    files, _ = same(tmp_path, "cvat", from_="coco", jobs=2)
    assert re.findall(r'name="(.*?)" subset="(.*?)"', files["out.xml"].decode()) == [
        (f"{number}.jpg", split) for split in ("train", "val") for number in (3, 1, 2)
    ]


@pytest.mark.parametrize(
    "order", [("annotations", "categories", "images"), ("categories", "annotations", "images", "info")]
)
def test_keys_in_any_order(order: tuple[str, ...], same: Same, tmp_path: Path) -> None:
    source = tmp_path / "source.json"
    source.write_text(json.dumps({key: COCO[key] for key in order}))
    assert isinstance(same(source, "metalake", from_="coco")[0], dict)


def test_what_cannot_be_kept_to_a_limit_says_so(tmp_path: Path) -> None:
    source = tmp_path / "source.json"
    source.write_text(json.dumps(COCO))
    given: list[dict[str, Any]] = [
        {"source": source, "to": "cvat", "options": {"cvat": CvatOptions(form="video")}},
        {"source": [source, source], "to": "metalake"},
        {"source": source, "to": "coco", "options": {"coco": CocoOptions(layout="results")}},
        {"source": source, "to": "metalake", "choice": Choice(split={"train": 0.5, "val": 0.5})},
    ]
    for case in given:
        with pytest.raises(UsageError) as caught:
            convert(target=tmp_path / "out", memory=256 * MIB, **case)
        assert caught.value.code == "not-bounded"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.json"]


def test_tracks_are_not_held_where_memory_is_limited(tmp_path: Path) -> None:
    """Only when the source is open is it known that a video is to be written."""
    convert(FIXTURES / "cvat" / "video exported" / "in.xml", tmp_path / "lake.json", to="metalake")
    with pytest.raises(UsageError, match="tracks") as caught:
        convert(tmp_path / "lake.json", tmp_path / "out.xml", to="cvat", memory=256 * MIB)
    assert "--cvat-form images" in str(caught.value.hint)
    assert not (tmp_path / "out.xml").exists()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256M", 256 << 20),
        ("256 MiB", 256 << 20),
        ("256mb", 256 << 20),
        ("1G", 1 << 30),
        ("1GiB", 1 << 30),
        ("1.5g", 3 << 29),
        ("300000000", 300_000_000),
        ("2T", 2 << 40),
        ("512k", 512 << 10),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "1X", "G", "1e9", "1 2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_size(text)


CHILD = """
import json, resource, sys
from pathlib import Path
from annolake.converters import convert

folder = Path(sys.argv[1])
convert(folder / "small.json", folder / "small-lake.json", to="metalake")
convert(folder / "small.json", folder / "small-limited.json", to="metalake", memory=128 << 20)
[held] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData:")]
most = int(held.split()[1]) * 1024 + (40 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
for source, target, to in (
    ("large.json", "lake.json", "metalake"),
    ("large.json", "yolo", "yolo"),
    ("large.json", "voc", "voc"),
    ("large.json", "large.xml", "cvat"),
    ("lake.json", "home.json", "coco"),
):
    convert(folder / source, folder / target, to=to, memory=128 << 20, jobs=1, allow_loss=True)
try:
    convert(folder / "large.json", folder / "whole.json", to="metalake", jobs=1)
except MemoryError:
    print("no room for the whole")
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is looked up in /proc")
def test_a_file_larger_than_what_a_process_may_hold(tmp_path: Path) -> None:
    """The limit is the kernel's: 40 MiB above what the libraries take, for a file of 64 MiB."""
    (tmp_path / "small.json").write_text(json.dumps(COCO))
    box = '"image_id":1,"category_id":1,"bbox":[1,2,3,4],"area":12,"iscrowd":0,"segmentation":[]'
    with (tmp_path / "large.json").open("w") as file:
        images = [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in range(100)]
        file.write(f'{{"images":{json.dumps(images)},"categories":[{{"id":1,"name":"cat"}}],"annotations":[')
        for number in range(2048):
            own = box.replace('"image_id":1', f'"image_id":{number * 7 % 100}')
            file.write(f'{"," if number else ""}{{"id":{number},{own},"note":"{number:032768}"}}')
        file.write("]}")
    done = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "no room for the whole\n")
    home = json.loads((tmp_path / "home.json").read_bytes())
    assert [len(image["note"]) for image in home["annotations"]] == [32768] * 2048
    assert not (tmp_path / "whole.json").exists()
