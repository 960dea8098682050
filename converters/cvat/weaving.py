"""Annotations of single frames woven into <track> elements with the key frames they had.

An annotation without a track is a track of its own; so is the second on a frame that has the same track id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree
from msgspec.structs import replace

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Record, objects
from ...schemas.plain import is_object
from .declaring import Facts, Used
from .elements import Restored, from_xml, source_of
from .framenames import Task, as_known, frame_in, picture_name
from .meta import Frames
from .notes import EXTENSION, SIDES, FrameNote, Mark, Notes, mark_of
from .restoring import restored, tied
from .stream import Element
from .threads import Thread, Weaver
from .tracks import track_id

Key = tuple[Any, int, Any]
"""A track: its id (None for one made for a shape), the number among shapes of a frame that have it, its task."""


class Loom:
    def __init__(self, notes: Notes, used: Used, pattern: str, frames: Mapping[str | None, Frames] | None) -> None:
        self.notes, self.used, self.pattern = notes, used, pattern
        self.tasks: list[Task] = []
        self.sizes = frames
        self.woven: dict[Key, list[Thread]] = {}
        self.frames: dict[tuple[str | None, int], Record] = {}
        self.named: set[tuple[str | None, int]] = set()
        self.waiting: list[Record] = []
        self.tracked: set[str | None] = set()
        self.names: set[str] = set()
        self.following = 1
        self.lone = 0

    def add(self, record: Record) -> None:
        """One frame. Those whose number is not known wait for the end."""
        if record.image in self.names:
            place, hint = Place(image=record.image), "merge the two entries"
            raise InvalidInput("duplicate-image", "the image stands twice", place=place, hint=hint)
        self.names.add(record.image)
        task, frame = _task_of(record), _frame_of(record)
        if frame is None or (task, frame) in self.frames:
            self.waiting.append(record)
        else:
            self.frames[task, frame] = record

    def tracks(self) -> list[Element]:
        for record in self.waiting:
            task = _task_of(record)
            self.frames[task, max((f for t, f in self.frames if t == task), default=-1) + 1] = record
        self.waiting = []
        splits: dict[str, set[str | None]] = {}
        for (task, _), record in self._in_order():
            if task is not None:
                splits.setdefault(task, set()).add(record.split)
        for note in self.notes.tracks.values() if splits else ():
            if (task := note.attributes.get("task_id")) is not None and task not in splits:
                splits[task] = {note.attributes.get("subset")}
        self.tasks = [(task, next(iter(known)) if len(known) == 1 else None) for task, known in splits.items()]
        for (task, frame), record in self._in_order():
            self._add(record, task, frame)
        whole = {key: note.whole for key, note in self.notes.tracks.items() if note.whole is not None}
        taken = {str(identity) for identity, slot, _ in self.woven if identity is not None and not slot} | {*whole}
        out: list[tuple[str, Element]] = []
        for (identity, slot, task), threads in self.woven.items():
            own = identity is not None and not slot
            name = str(identity) if own else _free(taken)
            subset = next((split for other, split in self.tasks if other == task), None)
            weaver = Weaver(self.notes, self.used, self._last(task))
            track = weaver.track(name, threads, (task, subset))
            self.named.update((task, frame) for frame in _frames_in(track))
            out.append((name, track))
        for name, xml in whole.items():
            track = from_xml(xml)
            if not self.tasks:
                etree.strip_attributes(track, "task_id", "subset")
            self.named.update((track.get("task_id"), frame) for frame in _frames_in(track))
            out.append((name, track))
        self.tracked = {track.get("task_id") for _, track in out}
        return [track for _, track in sorted(out, key=lambda item: _order(item[0]))]

    def facts(self) -> Facts:
        """Of a task that comes from elsewhere: all frames, and their size where they have one size."""
        numbers = [frame for _, frame in self.frames]
        sizes = {(record.width, record.height) for record in self.frames.values()}
        width, height = next(iter(sizes)) if len(sizes) == 1 else (None, None)
        if type(width) is not int or type(height) is not int or not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
            width = height = None
        return Facts(len(numbers), True, min(numbers, default=0), max(numbers, default=0), width, height)

    def splits(self) -> list[str | None]:
        """In the order in which a reader comes to them: as pictures note them, then as tasks do."""
        noted = [note.split for note in self.pictures()]
        return [*noted, *(subset for _, subset in self.tasks)]

    def pictures(self) -> tuple[FrameNote, ...]:
        """What the tracks cannot say of the pictures."""
        out: list[FrameNote] = []
        facts = self.facts()
        known_sizes = self.sizes or {None: Frames(width=facts.width, height=facts.height)}
        for (task, frame), record in self._in_order():
            known = next((one for one in self.tasks if one[0] == task), (task, None))
            sizes = known_sizes.get(task, known_sizes[None])
            plain = FrameNote(frame=frame, task=task)
            extras = {key: value for key, value in record.extras.items() if key != "cvat"}
            cvat = record.extras.get("cvat")
            if cvat is not None and cvat != as_known(frame, task):
                extras["cvat"] = cvat
            note = replace(
                plain,
                name=record.image if record.image != picture_name(self.pattern, frame, known, self.tasks) else None,
                width=record.width if record.width != sizes.width else None,
                height=record.height if record.height != sizes.height else None,
                split=record.split if record.split != known[1] or task not in self.tracked else None,
                storage_name=record.storage_name,
                made=cvat is None,
                unsized=tuple(side for side in SIDES if getattr(record, side) is None and getattr(sizes, side)),
                extras=extras,
            )
            if note != plain or (task, frame) not in self.named:
                out.append(note)
        return tuple(out)

    def _last(self, task: str | None) -> int:
        """The last frame of a task, as its <meta> knows it, else of its pictures."""
        frames = (self.sizes or {}).get(task)
        if frames is not None and frames.last is not None:
            return frames.last
        return max((frame for other, frame in self.frames if other == task), default=0)

    def _in_order(self) -> list[tuple[tuple[str | None, int], Record]]:
        return sorted(self.frames.items(), key=lambda item: (item[0][0] or "", item[0][1]))

    def _add(self, record: Record, task: str | None, frame: int) -> None:
        for group in objects(record.annotations):
            shapes = restored(group, record, self.used.point_names)
            if len(shapes) > 1:
                self.following = tied(shapes, self.following)
            for shape in shapes:
                self._thread(shape, task, frame)

    def _thread(self, shape: Restored, task: str | None, frame: int) -> None:
        metadata = shape.annotation.metadata
        identity = metadata.get("track_id")
        source = source_of(metadata, shape.metadata)
        thread = Thread(frame, shape, source)
        if not isinstance(identity, int | str) or isinstance(identity, bool):
            shape.mark = replace(shape.mark, lone=True)
            self.lone += 1
            self.woven[None, self.lone, task] = [thread]
            return
        del shape.metadata["track_id"]
        known = {key: shape.metadata.get(key) for key in ("frame", "keyframe", "computed")}
        told = [key for key, value in known.items() if (value == frame if key == "frame" else isinstance(value, bool))]
        for key in told:
            del shape.metadata[key]
        if unsaid := tuple(key for key in ("frame", "keyframe") if key not in told):
            shape.mark = replace(shape.mark, unsaid=unsaid)
        self.named.add((task, frame))
        slot = 0
        while any(one.frame == frame for one in self.woven.get((identity, slot, task), [])[-1:]):
            slot += 1
        if slot or track_id(str(identity)) != identity:
            shape.mark = replace(shape.mark, track=identity)
        self.woven.setdefault((identity, slot, task), []).append(thread)


def _cvat(record: Record) -> Mapping[str, Any]:
    facts = record.extras.get("cvat")
    return facts if is_object(facts) else {}


def _task_of(record: Record) -> str | None:
    task = _cvat(record).get("task_id")
    return None if task is None else str(task)


def _frame_of(record: Record) -> int | None:
    """The number of a frame: as the source has it, else as its annotations say, else as its name does."""
    said = [annotation.metadata.get("frame") for annotation in record.annotations]
    return next(filter(_is_number, (_cvat(record).get("id"), *said, frame_in(record.image))), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31


def _frames_in(track: Element) -> list[int]:
    """The frames that a track names, without endings that were made."""
    shapes = [child for child in track if not (mark_of(child.get(EXTENSION)) or Mark()).made]
    return [int(child.get("frame", "")) for child in shapes if child.get("frame", "").isdecimal()]


def _free(taken: set[str]) -> str:
    number = len(taken)
    while str(number) in taken:
        number += 1
    taken.add(str(number))
    return str(number)


def _order(name: str) -> tuple[int, int, str]:
    return (0, int(name), "") if name.isdecimal() and len(name) < 16 else (1, 0, name)
