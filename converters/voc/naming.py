"""What an image is called: by `<filename>` where that names a picture, else by its XML."""

from __future__ import annotations

from ...schemas.names import is_safe_name
from ..images import is_image_name

USUAL_EXTENSION = ".jpg"
"""The devkit's: its pictures are JPEGImages/<id>.jpg."""


def base_name(text: str) -> str:
    """The last part of a path of either system."""
    return text.strip().replace("\\", "/").rpartition("/")[2]


def name_of(identity: str, filename: str | None) -> str | None:
    """The image's name by the id of its XML and its `<filename>`; None where that names no picture.

    Both may have folders: those of the XML count, and those of a filename that goes on below.
    """
    text = (filename or "").strip().replace("\\", "/")
    if not is_image_name(text):
        return None
    if not is_safe_name(text):
        text = base_name(text)
        if not is_safe_name(text):
            return None
    below = identity.rpartition("/")[0]
    return text if not below or text.startswith(f"{below}/") else f"{below}/{text}"
