"""A sandbox of each test module's own, and pictures to put there."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator

import pytest
from PIL import Image

from .wire import Server, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """One for all tests of a module: each uses collections of its own."""
    with running(tmp_path_factory.mktemp("lake"), "--workers", "1") as server:
        yield server


@pytest.fixture
def collection(request: pytest.FixtureRequest) -> str:
    """A name that no other test of the module uses."""
    return request.node.name.replace("[", "-").replace("]", "")


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """A PNG of this size and colour."""

    def make(width: int = 40, height: int = 20, colour: str = "white") -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (width, height), colour).save(file, "PNG")
        return file.getvalue()

    return make
