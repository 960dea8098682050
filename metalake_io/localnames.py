"""Names from the server become files only here: below one folder, through no link, as one that every system takes."""

from __future__ import annotations

import re
from pathlib import Path

from ..converters.files import local_failure
from ..schemas.errors import printable
from ..schemas.names import is_safe_name
from .errors import ServiceRefused

_LONGEST = 255
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)")
_FORBIDDEN = frozenset('\\:*?"<>|')


def checked_name(name: str, *, single: bool = False) -> str:
    """`name`, known to be a harmless relative path of visible characters; `single`: without any folder.

    ServiceRefused (`unsafe-name`) otherwise.
    """
    parts = name.split("/")
    if not is_safe_name(name) or (single and len(parts) > 1) or not all(map(_is_harmless, parts)):
        raise ServiceRefused(
            "unsafe-name",
            f"the server names a file {printable(name)[:100]!r}, which is not safe to write",
            hint="look at it in the service; it was left out",
        )
    return name


def place_below(root: Path, name: str) -> Path:
    """The path of `name` below the real folder `root`, its folders made. ServiceRefused where a link lies on the way:
    what is behind it is not ours to write.
    """
    path = root / checked_name(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        real = path.parent.resolve(strict=True)
    except (FileExistsError, NotADirectoryError):
        raise _on_the_way(name) from None
    except OSError as error:
        raise local_failure(error, path) from None
    if real != root / path.relative_to(root).parent or (path.is_dir() and not path.is_symlink()):
        raise _on_the_way(name)
    return path


def real_folder(path: Path) -> Path:
    """`path`, made if it is not there, without links in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return path.resolve(strict=True)
    except OSError as error:
        raise local_failure(error, path) from None


def _is_harmless(part: str) -> bool:
    try:
        size = len(part.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    return (
        0 < size <= _LONGEST
        and part not in (".", "..")
        and part.isprintable()
        and part[-1] not in " ."
        and not _FORBIDDEN & set(part)
        and _RESERVED.match(part) is None
    )


def _on_the_way(name: str) -> ServiceRefused:
    message = f"a link, or something that is no folder, lies where {name!r} would be written"
    return ServiceRefused("unsafe-place", message, hint="choose another folder")
