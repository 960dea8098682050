"""The smallest pictures that programs take for such."""

from __future__ import annotations

import io

from PIL import Image


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()
