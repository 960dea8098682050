"""Whether a conversion is held to a limit of memory, and which conversions can be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..schemas.errors import UsageError
from .choosing import Choice
from .format import Format, Options
from .ledger import Ledger
from .memory import MIB, Memory, free_memory, memory_for, memory_of


def limited(
    wanted: int | None,
    sources: Sequence[Path],
    readers: Sequence[Format],
    writer: Format,
    options: Options,
    choice: Choice | None,
    ledger: Ledger,
) -> Memory | None:
    """The limit that was asked for, or the one that a source larger than memory makes necessary; None where there is
    neither. UsageError (`not-bounded`) where one was asked for that cannot be kept.
    """
    unbounded = _unbounded(readers, writer, options, choice)
    if unbounded is not None:
        if wanted is not None:
            raise UsageError("not-bounded", unbounded, hint="leave --memory out")
        return None
    memory = memory_for(sources, free_memory()) if wanted is None else memory_of(wanted)
    if memory is None:
        return None
    if wanted is None:
        ledger.decide("memory", f"too large for what is free: converted in {memory.limit // MIB} MiB of memory")
    ledger.bounded()
    return memory


def _unbounded(readers: Sequence[Format], writer: Format, options: Options, choice: Choice | None) -> str | None:
    """Why memory cannot be limited, if it cannot."""
    if len(readers) > 1:
        return "several sources are compared by the names of all their images, which takes memory"
    if choice is not None and (choice.split or choice.only_images is not None):
        return "images are chosen and dealt out by the names of all, which takes memory"
    for reader in readers:
        if not reader.reads_bounded:
            return f"reading {reader.name} takes memory by the size of the set"
    if not writer.writes_bounded(options):
        return f"writing {writer.name} takes memory by the size of the set"
    return None
