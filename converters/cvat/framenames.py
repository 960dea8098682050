"""The names of a video's pictures: the file has only numbers of frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...schemas.errors import InvalidInput, Place
from ...schemas.names import is_safe_name

Task = tuple[str | None, str | None]
"""Task id and subset, which only the tracks of projects have."""

_FIELD = re.compile(r"\{(?::0?([0-9]{1,2})d)?\}")
_DIGITS = re.compile(r"([0-9]{1,10})[^0-9]*$")


def frame_name(pattern: str, frame: int) -> str:
    """The name of a frame's picture. InvalidInput for a pattern without one place for the number."""
    fields = list(_FIELD.finditer(pattern))
    if len(fields) != 1 or not is_safe_name(pattern):
        message = f"the pattern {pattern!r} does not say where the number of the frame stands"
        hint = "write it as frame_{:06d}.PNG, below the folder of the pictures"
        raise InvalidInput("bad-pattern", message, place=Place(), hint=hint)
    return _FIELD.sub(f"{frame:0{int(fields[0].group(1) or 1)}d}", pattern)


def picture_name(pattern: str, frame: int, task: Task, tasks: Sequence[Task]) -> str:
    """The name of a picture where tracks of several tasks stand in one file: below the task's subset, if it has one of
    its own, else below its id.
    """
    name = frame_name(pattern, frame)
    if len(tasks) < 2:
        return name
    identity, subset = task
    alone = subset is not None and sum(other == subset for _, other in tasks) == 1
    return f"{subset}/{name}" if alone else f"task_{identity}/{name}"


def as_known(frame: int, task: str | None) -> dict[str, Any]:
    """What is noted at a record of where it was."""
    return {"id": frame} if task is None else {"id": frame, "task_id": task}


def frame_in(name: str) -> int | None:
    """The number at the end of a picture's name, as CVAT looks for it."""
    found = _DIGITS.search(name.rpartition("/")[2].rpartition(".")[0] or name)
    return int(found.group(1)) if found else None
