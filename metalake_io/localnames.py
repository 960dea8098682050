"""Names from the server become files only here: below one folder, through no link, as names that this system takes.

What a name may be depends on the system: `CON.png`, `a:b.png` and `a.` are plain files on Linux and macOS; on
Windows they are devices, streams or other files, and refused. Nowhere is a name taken that leads elsewhere (on Windows
too: archives travel), has control characters, or is one of our own (`.annolake...`). Uploads ask here (`why_not`)
before anything is sent, so that what was sent from a computer can come back to it.
"""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from pathlib import Path

from ..converters.files import local_failure
from ..schemas.errors import AnnolakeError, printable
from .errors import ServiceRefused

WINDOWS = os.name == "nt"

_LONGEST = 255
_OURS = ".annolake"
_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)")
_LEADS_AWAY = re.compile(r"^([A-Za-z]:)?\\|(^|\\)\.\.(\\|$)")
_NOT_ON_WINDOWS = frozenset('\\:*?"<>|')
_CONTROLS = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of what is no part of a name: control characters, halves of pairs, ends of lines. Joiners within
emoji, marks of direction and spaces of all widths are.
"""

_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""What disks say of a name that they do not take, such as one with `:` on a stick for Windows."""


def checked_name(name: str, *, single: bool = False) -> str:
    """`name`, known to be a relative path that can be written here and does no harm; `single`: without any folder.

    ServiceRefused (`unsafe-name`) otherwise.
    """
    parts = [name] if single else name.split("/")
    wrong = next((why for part in parts if (why := why_not(part)) is not None), None)
    if wrong is not None:
        raise ServiceRefused(
            "unsafe-name",
            f"the server names a file {printable(name)[:100]!r}, which is not safe to write: that name {wrong}",
            hint="look at it in the service; it was left out",
        )
    return name


def why_not(part: str) -> str | None:
    """Why a file or folder cannot be called `part` on this system, as what that name is or does; None where it can."""
    try:
        size = len(part.encode("utf-8"))
    except UnicodeEncodeError:
        return "is not UTF-8"
    if part in ("", ".") or "/" in part:
        return "is none"
    if _LEADS_AWAY.search(part):
        return "would lead elsewhere, here or on Windows"
    if size > _LONGEST:
        return f"is longer than {_LONGEST} bytes"
    if not part.isprintable() and any(unicodedata.category(character) in _CONTROLS for character in part):
        return "has control characters"
    if part.casefold().startswith(_OURS):
        return f"begins as annolake's own, {_OURS}"
    if WINDOWS and (_NOT_ON_WINDOWS & set(part) or part[-1] in " ." or _DEVICES.match(part)):
        return "is none on Windows"
    return None


def not_written(error: OSError, name: str, path: Path) -> AnnolakeError:
    """The error of a file that could not be written: ServiceRefused where its name is the reason, or what has taken its
    place meanwhile; else LocalFailure.
    """
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return _on_the_way(name)
    if error.errno in _OF_THE_NAME:
        said = f"this disk takes no file {printable(name)[:100]!r}: {error.strerror}"
        return ServiceRefused("unsafe-name", said, hint="choose another folder, or another disk")
    return local_failure(error, path)


def place_below(root: Path, name: str) -> Path:
    """The path of `name` below the real folder `root`, its folders made. ServiceRefused where a link lies on the way:
    what is behind it is not ours to write.
    """
    path = root / checked_name(name)
    try:
        _stop_at_links(root, path)
        path.parent.mkdir(parents=True, exist_ok=True)
        real = path.parent.resolve(strict=True)
        in_the_way = path.is_dir() and not path.is_symlink()
    except (FileExistsError, NotADirectoryError):
        raise _on_the_way(name) from None
    except OSError as error:
        raise not_written(error, name, path) from None
    if real != path.parent or in_the_way:
        raise _on_the_way(name)
    return path


def folder_below(root: Path, name: str) -> Path:
    """The folder `name` in the real folder `root`, made if it is not there. ServiceRefused where it is a link."""
    path = root / checked_name(name, single=True)
    if path.is_symlink():
        raise _on_the_way(name)
    return real_folder(path)


def real_folder(path: Path) -> Path:
    """`path`, made if it is not there, without links in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return path.resolve(strict=True)
    except OSError as error:
        raise local_failure(error, path) from None


def _stop_at_links(root: Path, path: Path) -> None:
    """NotADirectoryError before anything is made behind a link."""
    for folder in path.relative_to(root).parents:
        if (root / folder).is_symlink() and folder != Path():
            raise NotADirectoryError


def _on_the_way(name: str) -> ServiceRefused:
    message = f"a link, or something that is no folder, lies where {name!r} would be written"
    return ServiceRefused("unsafe-place", message, hint="choose another folder")


def one_key(name: str) -> str:
    """What two names have in common that differ in case, or in the form of letters with marks, only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def takes_for_one(root: Path) -> bool:
    """Whether the disk takes such names for one, as those of macOS and Windows do. LocalFailure."""
    probe, others = root / f"{_OURS}-ä.probe", (f"{_OURS}-Ä.probe", f"{_OURS}-a\N{COMBINING DIAERESIS}.probe")
    try:
        probe.touch()
        try:
            return any((root / other).exists() for other in others)
        finally:
            probe.unlink()
    except OSError as error:
        raise local_failure(error, probe) from None
