"""The inputs of the benchmarks hold the same data in every format, and what counts them counts right."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
IMAGES, ANNOTATIONS = 118, 860


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    command = [sys.executable, str(BENCHMARKS / "inputs.py"), "--scale", "0.001", "--seed", "3", str(folder)]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The benchmarks are scripts, and find each other as such."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def module(name: str) -> ModuleType:
    return __import__(name)


@pytest.mark.usefixtures("scripts")
def test_every_input_holds_the_same_objects(home: Path) -> None:
    count = module("counting").count
    coco = count("coco", home / "coco.json")
    assert (coco.images, coco.annotations) == (IMAGES, ANNOTATIONS)
    for format_, name in (("yolo", "yolo"), ("yolo", "yolo-flat"), ("voc", "voc"), ("cvat", "cvat-boxes.xml")):
        held = count(format_, home / name)
        assert (held.images, held.annotations, held.outlines) == (IMAGES, ANNOTATIONS, 0), name
    # A crowd is one mask in COCO and a box elsewhere; any other object is one polygon or several.
    for format_, name in (("cvat", "cvat.xml"), ("metalake", "metalake.json")):
        held = count(format_, home / name)
        assert held.images == IMAGES
        crowds = held.annotations - held.outlines
        assert 0 < crowds < ANNOTATIONS / 20
        assert held.outlines + crowds == coco.outlines


@pytest.mark.usefixtures("scripts")
def test_every_input_is_read_without_a_complaint(home: Path) -> None:
    """By our own readers: what peers make of them shows when they are measured."""
    from annolake.converters.ledger import Ledger
    from annolake.converters.opening import open_source

    for format_, name in (("yolo", "yolo"), ("voc", "voc"), ("cvat", "cvat.xml"), ("metalake", "metalake.json")):
        ledger = Ledger()
        records = list(open_source(home / name, format_, ledger).records(ledger))
        assert len(records) == IMAGES, name
        assert [problem for problem in ledger.problems if problem.severity != "notice"] == []


@pytest.mark.usefixtures("scripts")
def test_a_run_is_timed_to_its_end_and_a_failure_is_said() -> None:
    run = module("running").run
    done = run([sys.executable, "-c", "print(1)"], 60, watched=sys.platform == "linux")
    assert (done.said, done.failure) == ("1\n", "")
    assert done.seconds > 0
    assert done.memory > 1_000_000
    assert run([sys.executable, "-c", "raise SystemExit('no')"], 60).failure == "exit code 1, no"


@pytest.mark.usefixtures("scripts")
def test_a_chart_is_an_svg_with_a_point_for_each_number() -> None:
    text = module("charting").chart(
        [("seconds", {"a > b": [1, 2, 4.5]}), ("MB", {"a > b": [3, 3, 3]})], [1, 2, 4], "124", "n"
    )
    svg = "{http://www.w3.org/2000/svg}"
    points = [circle.attrib for circle in ElementTree.fromstring(text).iter(f"{svg}circle")]
    assert len(points) == 6
    highs = [float(point["cy"]) for point in points[:3]]
    assert highs == sorted(highs, reverse=True)
    assert len({point["cy"] for point in points[3:]}) == 1


@pytest.mark.usefixtures("scripts")
def test_a_row_says_how_many_times_faster_than_the_faster_peer() -> None:
    measure, pairs, running = module("measure"), module("pairs"), module("running")
    [pair] = [pair for pair in pairs.pairs(Path("home")) if pair.name == "voc > coco"]
    seconds = {pairs.ONE: 4.0, pairs.TWO: 2.0, pairs.PANLABEL: 3.0, pairs.HOTCOCO: 30.0}
    sides = {name: measure.Side(running.Run(value, value, 0, 0), 5_000_000) for name, value in seconds.items()}
    row = measure.Row(pair, module("counting").Counts(1, 2, 3), sides)
    assert (row.ratio(pairs.ONE), row.ratio(pairs.TWO)) == (0.75, 1.5)
    lines = measure.tables([row])
    assert (
        "| voc → coco | 4.0 (4.0) | 2.0 (2.0) | 3.0 (3.0) | 30.0 (30.0) |  | 0.75 / 1.50 | 5 / 5 : 5 | 1 / 1.5: no |"
        in lines
    )
