"""Names out of annotation files: never trusted before they are looked at."""

from __future__ import annotations

import re

_DRIVE = re.compile(r"^[A-Za-z]:")


def is_safe_name(name: str) -> bool:
    """Whether a name stays below a folder: relative, no `..`, no drive, no NUL, under either system's rules."""
    if not name or "\0" in name or _DRIVE.match(name) or name[0] in "/\\":
        return False
    return ".." not in name.replace("\\", "/").split("/")
