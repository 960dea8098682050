"""Names out of annotation files: never trusted before they are looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DRIVE = re.compile(r"^[A-Za-z]:")
_SUSPECT = re.compile(r"\.\.|[\\:\0]")
"""A name without any of these, and without a slash in front, is safe: most are, and many are asked about."""


def are_plain(names: Sequence[str]) -> bool:
    """Whether all of many names are such as most are, and safe; a look at all of them together."""
    together = "\n".join(["", *names])
    return all(names) and "\n/" not in together and _SUSPECT.search(together) is None


def is_safe_name(name: str) -> bool:
    """Whether a name stays below a folder: relative, no `..`, no drive, no NUL, under either system's rules."""
    if name and name[0] != "/" and _SUSPECT.search(name) is None:
        return True
    if not name or "\0" in name or _DRIVE.match(name) or name[0] in "/\\":
        return False
    return ".." not in name.replace("\\", "/").split("/")
