"""How much memory a run may take, and when that has to be thought of."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..schemas.errors import UsageError

MIB = 1 << 20
LEAST = 128 * MIB
"""Below this there is no room beside Python and its libraries."""
_FOR_TWO = 224 * MIB
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_GROUP_FILES = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
_HELD_TIMES = 2
"""A file that is held whole takes so many times its size, at most."""


class Memory(msgspec.Struct, frozen=True):
    """`limit`: resident bytes of all processes together, with the libraries. Of it, `window` bytes of a file are looked
    at in one go, `room` bytes are for sorting, and a single value that has to be held may have `largest` bytes.
    """

    limit: int
    window: int
    room: int
    largest: int

    @property
    def processes(self) -> int:
        """How many processes there is room for."""
        return 2 if self.limit >= _FOR_TWO else 1


def parse_size(text: str) -> int:
    """Bytes of `256M`, `1G`, `1GiB`, `1.5 g` or a plain number; units are powers of 1024. UsageError otherwise."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError("memory", f"{text!r} is no size", hint="such as 256M or 1G")
    return int(float(found.group(1)) * _UNITS[found.group(2).lower()])


def memory_of(limit: int) -> Memory:
    """The shares of a limit in bytes. UsageError where nothing could run in it."""
    if limit < LEAST:
        message = f"{limit:,} bytes ({limit / MIB:.3g} MiB) are too few: Python and its libraries take about half of"
        raise UsageError("memory-too-small", f"{message} {LEAST // MIB} MiB", hint=f"give {LEAST // MIB}M or more")
    spare = limit - LEAST // 2
    return Memory(limit, window=min(max(spare // 64, MIB), 4 * MIB), room=spare // 8, largest=spare // 8)


def free_memory() -> int | None:
    """Bytes that this process can have without driving others out; None where nobody says."""
    known = [size for size in (_available(), _left_in_group()) if size is not None]
    return min(known) if known else None


def memory_for(sources: Sequence[Path], free: int | None) -> Memory | None:
    """A limit for sources that take more than is `free` if they are held: a quarter of it. None for others."""
    files = [
        file
        for path in sources
        for file in ([path] if path.is_file() else [*path.glob("*.json"), *path.glob("*/*.json")])
    ]
    size = sum(file.stat().st_size for file in files)
    if free is None or size * _HELD_TIMES <= free:
        return None
    return memory_of(max(free // 4, 2 * LEAST))


def _available() -> int | None:
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", _MEMINFO.read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found is not None:
        return int(found.group(1)) * 1024
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _left_in_group() -> int | None:
    """What a container's limit leaves."""
    for most, now in _GROUP_FILES:
        try:
            return max(int((_CGROUP / most).read_text()) - int((_CGROUP / now).read_text()), 0)
        except (OSError, ValueError):
            continue
    return None
