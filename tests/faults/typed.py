"""What the fixture `typed` lays out: pictures with a box on each, for commands as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from .oracle import Inputs

Typed = Callable[..., Result]

PICTURES = [f"p{number}.png" for number in range(4)]
BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}


def drawn(tmp_path: Path) -> Inputs:
    """What the lake has when all that `typed` has there is uploaded to the collection "Demo" for the operation "op"."""
    files = {f"Demo_{name}": (tmp_path / "pictures" / name).read_bytes() for name in PICTURES}
    return Inputs(files, {(f"Demo_{name}", "op"): 1 for name in PICTURES})
