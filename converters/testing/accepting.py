"""A pytest plug-in: the option `--accept`. Name this module in `pytest_plugins` of a conftest.py to have it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept",
        action="store_true",
        help="write down what the fixtures' sources give as what is expected of them; then read the difference",
    )
