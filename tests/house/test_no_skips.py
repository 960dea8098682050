"""`--no-skips`: what `make acceptance` relies on, so that a missing referee is a failure and not a green run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

@pytest.fixture
def referee():
    pytest.skip("the referee is not here")

def test_by_fixture(referee): pass

def test_inside(): pytest.skip("nor is this")

@pytest.mark.skipif(True, reason="by mark")
def test_by_mark(): pass

@pytest.mark.xfail
def test_known(): assert False
"""


@pytest.mark.parametrize(
    ("words", "code", "outcome"),
    [([], 0, "3 skipped, 1 xfailed"), (["--no-skips"], 1, "1 failed, 1 xfailed, 2 errors")],
)
def test_a_skip_is_a_failure_where_it_is_told_so(
    root: Path, tmp_path: Path, words: list[str], code: int, outcome: str
) -> None:
    """Outside the body of a test pytest calls a failure an error."""
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(SKIPPING, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", *words, str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == code
    assert outcome in ended.stdout
    assert "the referee is not here" in ended.stdout
