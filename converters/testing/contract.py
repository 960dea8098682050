"""The whole contract of one format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from ..format import Format, Options
from .cases import cases
from .faults import Faults
from .goldens import Goldens
from .house import House
from .laws import Laws
from .names import Names


class FormatContract(Goldens, Laws, Faults, Names, House):
    """Subclass it as `Test...` and say which format. Without `options` the defaults are meant.

    `allowed_names`: names of images that would lead out of a folder, and that this format means otherwise.
    """

    format: ClassVar[Format]
    fixtures: ClassVar[Path | None] = None
    options: ClassVar[Sequence[Options]] = ()
    allowed_names: ClassVar[frozenset[str]] = frozenset()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Tests that ask for a `case` run for each case, those that ask for a `flavour` for each of the options."""
        if "case" in metafunc.fixturenames:
            found = cases(self.fixtures)
            metafunc.parametrize("case", found, ids=[case.name for case in found])
        if "flavour" in metafunc.fixturenames:
            chosen = list(self.options) or [self.format.options()]
            metafunc.parametrize("flavour", chosen, ids=[_named(options) for options in chosen])


def _named(options: Options) -> str:
    """The fields that are not as by default."""
    default = type(options)()
    given = [field for field in options.__struct_fields__ if getattr(options, field) != getattr(default, field)]
    return "-".join(str(getattr(options, field)) for field in given) or "default"
