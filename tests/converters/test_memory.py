"""With a limit of memory: the same bytes, the same report and the same refusals as without, in less memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from annolake.converters import convert, limiting
from annolake.converters.memory import MIB, Memory, parse_size
from annolake.schemas.errors import AnnolakeError, UsageError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
TARGETS = {"metalake": "out.json", "yolo": "out"}
Outcome = tuple[Any, ...]


@pytest.fixture(autouse=True)
def tiny_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that a file of a kilobyte has several, and sorting takes several rounds."""
    monkeypatch.setattr(limiting, "memory_of", lambda limit: Memory(limit, window=200, room=300, largest=1 << 20))


def sources() -> list[Path]:
    return sorted((FIXTURES / "coco").glob("*/in*"))


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
def same(tmp_path: Path) -> Same:
    """Asserts that a source ends alike with and without a limit; gives how."""

    def same(source: Path, to: str, **given: Any) -> Outcome:
        number = len(list(tmp_path.glob("whole*")))
        whole = outcome(source, tmp_path / f"whole{number}", to, None, **given)
        limited = outcome(source, tmp_path / f"limited{number}", to, 256 * MIB, **given)
        assert limited == whole
        return whole

    return same


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("source", sources(), ids=lambda path: path.parent.name)
def test_every_coco_fixture_gives_the_same_bytes(source: Path, to: str, same: Same) -> None:
    if isinstance(same(source, to, from_="coco")[0], dict):
        same(source, to, from_="coco", jobs=2)


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
