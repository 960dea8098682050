"""The form for videos: tracks to one record a frame, the frames in their order.

The file does not show which pictures there are. Records are made of every frame that it names, of one where objects
are only outside, too, and of every frame between that a track was computed for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ...schemas.errors import Place
from ...schemas.model import Annotation, Record, count_objects
from ...schemas.problems import Problem
from ..ledger import Ledger
from .framenames import Task, as_known, picture_name
from .meta import Frames, Meta
from .notes import FrameNote, Mark, Notes, TrackNote
from .shapes import to_hub
from .tracks import Moment, Track

Key = tuple[int, int]
"""A picture: the number of its task, and its frame."""


class Video:
    def __init__(
        self,
        file: str,
        tracks: Sequence[tuple[Track, int | None, str | None, str | None]],
        meta: Meta,
        notes: Notes,
        names: Mapping[str, Sequence[str]],
        ledger: Ledger,
        *,
        fill: bool,
    ) -> None:
        self.file, self.meta, self.names = file, meta, names
        self.tasks: list[Task] = list(dict.fromkeys([(task, subset) for _, _, task, subset in tracks]))
        with_tracks = {task for task, _ in self.tasks}
        noted: dict[str | None, set[str | None]] = {}
        for note in meta.extension.pictures:
            noted.setdefault(note.task, set()).add(note.split)
        self.tasks += [
            (task, next(iter(splits)) if len(splits) == 1 else None)
            for task, splits in noted.items()
            if task not in with_tracks
        ]
        self.split_in_name = False
        self.known = {(note.task, note.frame): note for note in meta.extension.pictures}
        self.at: dict[Key, list[tuple[int | str, Moment]]] = {}
        kept: dict[str, TrackNote] = {}
        ids: set[int | str] = set()
        for number, (track, line, task, subset) in enumerate(tracks):
            identity = self._identity(track, number, ids, line, ledger)
            note = track.note
            if identity != track.id and track.id is not None:
                note = replace(note, attributes={**note.attributes, "id": str(track.id)})
            if note != TrackNote() and not _is_lone(track):
                kept[str(identity)] = note
            where = self.tasks.index((task, subset))
            for frame in track.frames:
                self.at.setdefault((where, frame), [])
            for moment in track.moments:
                self.at.setdefault((where, moment.frame), []).append((identity, moment))
        ids_of_tasks = [task for task, _ in self.tasks]
        for task, frame in self.known:
            self.at.setdefault((ids_of_tasks.index(task) if task in ids_of_tasks else 0, frame), [])
        self._close(tracks, notes)
        self.order = sorted(self.at)
        self.images = len(self.order)
        self.notes = replace(notes, tracks=kept)
        self._names = {key: self._name(key) for key in self.order}
        self._decide(ledger, fill=fill)

    def splits(self) -> list[str]:
        noted = [note.split for note in self.meta.extension.pictures if note.split is not None]
        return list(dict.fromkeys([*noted, *(subset for _, subset in self.tasks if subset is not None)]))

    def records(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        ledger.file = self.file
        for key in self.order[start:stop]:
            record = self._record(key, ledger)
            ledger.seen["images"] += 1
            ledger.seen["annotations"] += count_objects(record)
            yield record

    def _close(self, tracks: Sequence[tuple[Track, Any, str | None, str | None]], notes: Notes) -> None:
        """A track that goes on to the last frame is open at its end as a matter of course; so is one that was made for
        a shape.
        """
        for track, _, task, subset in tracks:
            where, frames = self.tasks.index((task, subset)), self.meta.frames.get(task, self.meta.frames[None])
            end = frames.last
            if end is None:
                end = max((frame for other, frame in self.at if other == where), default=0)
            for moment in track.moments:
                said = moment.shape.said
                if said.extra.open and (moment.frame + notes.step > end or _is_lone(track)):
                    said.extra = replace(said.extra, open=False)

    def _identity(self, track: Track, number: int, ids: set[int | str], line: int | None, ledger: Ledger) -> int | str:
        """The track's own id; where it has none, or another has it, the first free number."""
        identity = track.id
        if identity is None or identity in ids:
            if identity is not None:
                place = Place(file=self.file, line=line, annotation=identity)
                message = f"another track has the id {identity} already: this one gets a new one"
                ledger.problem(
                    Problem(code="duplicate-track", severity="warning", message=message, place=place, fix="renumber it")
                )
            identity = number
            while identity in ids:
                identity += 1
        ids.add(identity)
        return identity

    def _name(self, key: Key) -> str:
        where, frame = key
        task = self.tasks[where] if self.tasks else (None, None)
        note = self.known.get((task[0], frame))
        if note is not None and note.name is not None:
            return note.name
        name = picture_name(self.notes.frames, frame, task, self.tasks)
        self.split_in_name |= task[1] is not None and name.startswith(f"{task[1]}/")
        return name

    def _decide(self, ledger: Ledger, *, fill: bool) -> None:
        moments = [moment for shapes in self.at.values() for _, moment in shapes]
        if count := sum(moment.computed for moment in moments):
            ledger.decide("interpolation", f"{count:,} shapes were computed between key frames")
        elif not fill:
            ledger.decide("interpolation", "nothing was computed between key frames")
        if count := self._unnamed():
            text = f"{count:,} frames of the video have no shape in the file, and become no images"
            ledger.decide("frames-without-shapes", text)

    def _unnamed(self) -> int:
        """Frames that <meta> counts and no track names."""
        count = 0
        for task in [task for task in self.meta.frames if task is not None] or [None]:
            frames = self.meta.frames[task]
            every = range(frames.start, frames.start if frames.last is None else frames.last + 1, frames.step)
            count += len(every) - sum(
                frame in every for where, frame in self.at if task is None or self.tasks[where][0] == task
            )
        return count

    def _record(self, key: Key, ledger: Ledger) -> Record:
        where, frame = key
        task, subset = self.tasks[where] if self.tasks else (None, None)
        frames = self.meta.frames.get(task, self.meta.frames[None])
        record = self._plain(self._names[key], frame, task, subset, frames)
        annotations: list[Annotation] = []
        for number, (identity, moment) in enumerate(self.at[key], 1):
            found = self._moment(identity, moment, number, record, ledger)
            if ledger.places is not None:
                place = Place(file=self.file, line=moment.line, image=record.image, annotation=str(identity))
                ledger.places.extend([place] * len(found))
            annotations += found
        return replace(record, annotations=annotations)

    def _plain(self, name: str, frame: int, task: str | None, subset: str | None, frames: Frames) -> Record:
        note = self.known.get((task, frame), FrameNote(frame=frame))
        width = None if "width" in note.unsized else frames.width
        height = None if "height" in note.unsized else frames.height
        return Record(
            image=name,
            width=width if note.width is None else note.width,
            height=height if note.height is None else note.height,
            split=subset if note.split is None else note.split,
            storage_name=note.storage_name,
            extras=dict(note.extras) if note.made else {"cvat": as_known(frame, task), **note.extras},
        )

    def _moment(
        self, identity: int | str, moment: Moment, number: int, record: Record, ledger: Ledger
    ) -> list[Annotation]:
        mark = moment.shape.said.mark or Mark()
        identity, lone = identity if mark.track is None else mark.track, mark.lone
        found, codes = to_hub(moment.shape, number, self.names.get(moment.shape.said.label))
        facts: dict[str, Any] = {"track_id": identity, "frame": moment.frame, "keyframe": moment.keyframe}
        for key in mark.unsaid:
            facts.pop(key, None)
        if moment.computed:
            facts["computed"] = True
        if not lone:
            found = [replace(one, metadata={**one.metadata, **facts}) for one in found]
        for code in codes:
            ledger.book(code, image=record.image, annotation=identity)
        if moment.outside and not lone:
            ledger.book("outside-skipped", image=record.image, annotation=identity, count=moment.outside)
        if moment.lost:
            detail = f"{moment.lost} frames after frame {moment.frame}"
            ledger.book("track-gap", image=record.image, annotation=identity, detail=detail, count=moment.lost)
            ledger.seen["annotations"] += moment.lost
            ledger.seen["annotations dropped"] += moment.lost
        return found


def _is_lone(track: Track) -> bool:
    return any((moment.shape.said.mark or Mark()).lone for moment in track.moments)
