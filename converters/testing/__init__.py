"""The contract that every format keeps, as a test suite to import. Needs pytest and hypothesis.

A test file of a format is no more than this:

    from pathlib import Path

    from annolake.converters.testing import FormatContract

    from mine import FORMAT, Options

    class TestMine(FormatContract):
        format = FORMAT
        fixtures = Path(__file__).parent / "fixtures" / "mine"
        options = (Options(), Options(task="segment"))

Each folder in `fixtures` is a case (see `cases`), each of the `options` a way of writing that must keep all laws.
"""

import pytest

_PARTS = ("cases", "faults", "goldens", "house", "laws", "names", "passing")
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))

from .contract import FormatContract  # noqa: E402

__all__ = ["FormatContract"]
