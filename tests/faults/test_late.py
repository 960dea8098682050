"""A service that does what it was asked after it had been asked whether it did."""

from __future__ import annotations

from pathlib import Path

from . import actions as act
from .conftest import Connect
from .faultd import Faultd
from .oracle import Inputs, check


def test_a_file_finalised_late_is_there(
    rig: Faultd, connected: Connect, tmp_path: Path, pictures: dict[str, bytes]
) -> None:
    """The first answer is lost, the file is not there yet; the second call is refused, and now it is."""
    rig.rule("finalise", act.reset("after"))
    rig.rule("finalise", act.answer(404, processed=True))
    report = connected(at_once=1).files.run(tmp_path / "pictures", "image", "Demo")
    verdict = check(rig.lake, Inputs(pictures), report)
    assert verdict.clean, verdict
