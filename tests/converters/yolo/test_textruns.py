"""Label files read many at a time say what they say one by one; whatever is odd goes the slow way, with its words."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from annolake.converters import blocks, registry
from annolake.converters.blocks import Block
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.opening import open_source
from annolake.converters.shapeblocks import ShapeBlock
from annolake.converters.yolo import Options, boxrows, survey, textruns
from annolake.converters.yolo.columns import Columns
from annolake.converters.yolo.labelfiles import Held, LabelFiles, ended
from annolake.converters.yolo.rows import RowReader
from annolake.schemas.errors import AnnolakeError

PLAIN = b"0 0.5 0.5 0.25 0.125\n1 0.1 0.2 0.3 0.4\n"
FILES: dict[str, bytes] = {
    "empty": b"",
    "no end": b"1 0.5 0.5 0.25 1",
    "blank lines at the end": b"1 0.5 0.5 0.25 1\n\n\n",
    "only blank lines": b"\n\n",
    "exponents": b"1 5e-1 0.5E+0 2.5e-1 1\n",
    "a class with a point": b"1.0 0.5 0.5 0.25 1\n",
    "no class": b"0.5 0.5 0.5 0.25 1\n",
    "a class below": b"-1 0.5 0.5 0.25 1\n",
    "no such class": b"2 0.5 0.5 0.25 1\n",
    "a long class": b"1234567890 0.5 0.5 0.25 1\n",
    "the highest": b"0 1.01 1.01 1.01 1.01\n",
    "above": b"0 0.5 0.5 0.5 1.011\n",
    "below": b"0 -0.001 0.5 0.5 0.5\n",
    "minus nought": b"-0 -0.0 0.5 0.5 0.5\n",
    "no width": b"0 0.5 0.5 0 0.5\n",
    "four columns": b"0 0.5 0.5 0.5\n",
    "six columns": b"0 0.5 0.5 0.5 0.5 0.5\n",
    "four and six": b"0 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5 0.5\n",
    "a polygon": b"0 0.5 0.5 0.5 0.25 0.5 0.5\n",
    "a comma": b"0,0.5 0.5 0.5 0.5 0.5\n",
    "tabs": b"0\t0.5\t0.5\t0.5\t0.5\n",
    "two blanks": b"0  0.5 0.5 0.5 0.5\n",
    "a blank in front": b" 0 0.5 0.5 0.5 0.5\n",
    "a blank behind": b"0 0.5 0.5 0.5 0.5 \n",
    "a blank line": b"0 0.5 0.5 0.5 0.5\n\n0 0.5 0.5 0.5 0.25\n",
    "Windows": b"0 0.5 0.5 0.5 0.5\r\n1 0.5 0.5 0.5 0.5\r\n",
    "Windows, no end": b"0 0.5 0.5 0.5 0.5\r\n1 0.5 0.5 0.5 0.5",
    "old ends": b"0 0.5 0.5 0.5 0.5\r1 0.5 0.5 0.5 0.5\r",
    "a byte-order mark": b"\xef\xbb\xbf0 0.5 0.5 0.5 0.5\n",
    "nan": b"0 nan 0.5 0.5 0.5\n",
    "null": b"0 null 0.5 0.5 0.5\n",
    "a list": b"0 [] 0.5 0.5 0.5\n",
    "plus": b"0 +0.5 0.5 0.5 0.5\n",
    "no nought": b"0 .5 0.5 0.5 0.5\n",
    "a nought too many": b"0 00.5 0.5 0.5 0.5\n",
    "a point at the end": b"0 1. 0.5 0.5 0.5\n",
    "twice": PLAIN + PLAIN,
    "twice, spelled otherwise": b"0 0.5 0.5 0.5 0.5\n0 0.50 0.5 0.5 0.5\n",
    "text": b"a b c d e\n",
    "NUL": b"0 0.5 0.5 0.5 \0\n",
    "as another file": PLAIN,
}


def _joined(files: list[bytes]) -> tuple[bytes, list[int]]:
    texts = list(map(ended, files))
    return b"".join(texts), list(accumulate(map(len, texts)))


def _read_alone(text: bytes) -> tuple[Any, Ledger]:
    ledger = Ledger()
    try:
        return RowReader(Columns(task="detect"), ["a", "b"], ()).annotations(text, "file", "image", ledger), ledger
    except AnnolakeError as error:
        return error, ledger


@pytest.mark.parametrize("name", FILES)
def test_boxes_in_a_run_are_those_of_each_file(name: str) -> None:
    found = textruns.boxes_in(*_joined([PLAIN, FILES[name], b"", PLAIN]), 2)
    wanted, books = _read_alone(FILES[name])
    if found is None:
        plain = boxrows.plain_boxes(FILES[name]) or []
        assert not all(number < 2 for number, *_ in plain) or not plain
        return
    rows, counts = found
    assert not books.problems
    assert counts == [2, len(wanted), 0, 2]
    boxes = [("ab"[int(number)], (xc - w / 2, yc - h / 2, w, h)) for number, xc, yc, w, h in rows.tolist()[2:-2]]
    assert boxes == [(box.label, box.bbox) for box in wanted]


@pytest.mark.parametrize("name", FILES)
def test_a_survey_at_once_counts_as_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(blocks, "IMAGES", 3)
    paths: list[str] = []
    for number, text in enumerate([PLAIN, FILES[name], b"", PLAIN, b"13 0.5 0.5 0.5 0.5\n"]):
        (tmp_path / f"{number}.txt").write_bytes(text)
        paths.append(str(tmp_path / f"{number}.txt"))
    paths.append(str(tmp_path / "missing.txt"))
    found: list[Any] = []
    for fewest in (0, 10**9):
        monkeypatch.setattr(blocks, "FEWEST", fewest)
        looked = survey.survey(paths, Context(), Ledger())
        assert [held.joined(0, 3)[0] for held in looked.held] == [_joined([PLAIN, FILES[name], b""])[0]]
        assert [len(held.ends) for held in looked.held] == [3]  # not of the run in which a file is missing
        found.append((looked.widths, looked.highest, looked.rows))
    assert found[0] == found[1]
    assert min(found[0][0].values()) > 0


def test_a_survey_without_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "FEWEST", 0)
    (tmp_path / "a.txt").touch()
    looked = survey.survey([str(tmp_path / "a.txt")] * 3, Context(), Ledger())
    assert (looked.widths, looked.highest, looked.rows.tolist()) == (Counter(), -1, [0, 0, 0])


def test_files_that_are_held_and_others(tmp_path: Path) -> None:
    texts = [b"0\n", b"", b"1\n", b"22\n"]
    paths = [str(tmp_path / f"{number}") for number in range(4)]
    for path, text in zip(paths, texts, strict=True):
        Path(path).write_bytes(text)
    data, ends = _joined(texts[1:3])
    files = LabelFiles(paths, [Held(1, data, array("Q", ends))])
    assert list(map(files.text, range(4))) == texts
    for start in range(4):
        for stop in range(start, 5):
            assert files.held_for(start, stop).joined(start, stop) == _joined(texts[start:stop])


def _set(folder: Path, files: list[bytes]) -> Path:
    """Between plain files; a picture here and there is turned, or broken, or missing, and so are label files."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    (folder / "data.yaml").write_text("train: images\nnames: [a, b]\n")
    for number, text in enumerate(text for odd in files for text in (PLAIN, odd, PLAIN, PLAIN, PLAIN)):
        if number % 11:
            (folder / f"labels/{number:04}.txt").write_bytes(text)
        turned = Image.Exif()
        if number % 17 == 3:
            turned[0x0112] = 6
        if number % 5:
            Image.new("L", (number + 1, 7)).save(folder / f"images/{number:04}.jpg", exif=turned)
        if number % 23 == 5:
            (folder / f"images/{number:04}.jpg").write_bytes(b"no picture")
    return folder


def _read(source: Path, options: Options, run: tuple[int, ...], *, at_once: bool) -> Any:
    """The images, each with the file that is told of it, up to the first error; and the books."""
    ledger = Ledger()
    found: list[Any] = []
    try:
        reading = open_source(source, "yolo", ledger, options=options)
        assert reading.blocks_for is not None
        fidelity = registry.get("yolo").fidelity(options)
        stream = reading.blocks_for(fidelity) if at_once else reading.records
        for item in stream(ledger, *run):
            assert not isinstance(item, ShapeBlock)
            records = item.expanded(ledger) if isinstance(item, Block) else [item]
            found += ((ledger.file, record) for record in records)
    except AnnolakeError as error:
        found.append((error.code, error.message, error.place))
    return found, ledger.seen, ledger.problems, ledger.decisions


READABLE = [text for text in FILES.values() if isinstance(_read_alone(text)[0], list)]


@pytest.mark.parametrize("task", [None, "detect"])
@pytest.mark.parametrize("run", [(), (0, 40), (7, 60)])
@pytest.mark.parametrize("size", [1, 5, 256])
def test_a_set_with_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Any, run: tuple[int, ...], size: int
) -> None:
    source = _set(tmp_path / "set", READABLE)
    monkeypatch.setattr(blocks, "IMAGES", size)
    one_by_one = _read(source, Options(task=task), run, at_once=False)
    monkeypatch.setattr(blocks, "FEWEST", 0)
    assert _read(source, Options(task=task), run, at_once=True) == one_by_one


@pytest.mark.parametrize("name", [name for name, text in FILES.items() if text not in READABLE])
def test_the_first_error_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    source = _set(tmp_path / "set", [PLAIN, FILES[name]])
    detect = Options(task="detect")
    one_by_one = _read(source, detect, (), at_once=False)
    monkeypatch.setattr(blocks, "FEWEST", 0)
    found, seen, problems, decisions = _read(source, detect, (), at_once=True)
    assert (found, problems, decisions) == (one_by_one[0], *one_by_one[2:])
    assert isinstance(found[-1][0], str) and seen["images"] == one_by_one[1]["images"]
