"""What an image is called: by `<filename>` where that names a picture, else by its XML."""

from __future__ import annotations

import re

from ...schemas.names import is_safe_name
from ..images import IMAGE_EXTENSIONS, is_image_name

USUAL_EXTENSION = ".jpg"
"""The devkit's: its pictures are JPEGImages/<id>.jpg."""

_WORD = r"[\w-]+(?:\.[\w-]+)*"
_ENDINGS = "|".join(sorted(extension[1:] for extension in IMAGE_EXTENSIONS))
_PLAIN = re.compile(rf"((?:{_WORD}/)*{_WORD})\.(?i:{_ENDINGS})", re.ASCII)


def plain_id(name: str) -> str | None:
    """The id of the XML of an image so called, where every part of the name is a plain word, so that no rule has
    anything to say about it and an XML of that id needs no more than the last part to tell it; None for other names.
    """
    found = _PLAIN.fullmatch(name)
    return None if found is None else found[1]


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
