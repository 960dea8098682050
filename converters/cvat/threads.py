"""The shapes of one track as a <track>, with the key frames it had.

A computed annotation is left out while it is what its neighbours compute; one that was changed, or has lost a
neighbour, becomes a key frame. Where an object is gone on the next frame and nothing is known of it, the track gets a
key frame that is outside, as CVAT ends its tracks, unless it is the last frame of all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from lxml import etree
from msgspec.structs import replace

from ...schemas.figures import NEAR
from .declaring import Used
from .elements import Restored, element_for, from_xml, label_of, set_text
from .forms import Form
from .framenames import Task
from .interpolation import between
from .nested import elements_at
from .notes import EXTENSION, Extra, Mark, Notes, TrackNote, as_text, mark_of
from .stream import Element


class Thread(msgspec.Struct):
    """One shape on its way into a track."""

    frame: int
    shape: Restored
    source: str

    @property
    def computed(self) -> bool:
        return self.shape.annotation.metadata.get("computed") is True

    @property
    def keyframe(self) -> bool:
        return self.computed or self.shape.annotation.metadata.get("keyframe") is not False


class Weaver:
    """`last` is the last frame of all."""

    def __init__(self, notes: Notes, used: Used, last: int) -> None:
        self.notes, self.used, self.last = notes, used, last

    def track(self, name: str, threads: Sequence[Thread], task: Task) -> Element:
        """The <track> of threads in the order of their frames, of that task and subset of a project."""
        first = next((one for one in threads if not one.computed), threads[0])
        annotation = first.shape.annotation
        note = self.notes.tracks.get(name, TrackNote())
        given = {"id": name, "label": label_of(annotation, first.shape.extra), "source": first.source}
        if first.shape.group is not None:
            given["group_id"] = str(first.shape.group)
        track = etree.Element("track")
        told = {key: text for key, text in zip(("task_id", "subset"), task, strict=True) if text is not None}
        noted = {key: text for key, text in note.attributes.items() if key in told or key not in ("task_id", "subset")}
        for key, text in {**given, **told, **noted, **told}.items():
            set_text(track, key, text)
        nested = self._nested(threads, first)
        before: Thread | None = None
        for xml in first.shape.extra.before:
            self._append_outside(track, xml, -1, first.frame)
        numbers = self._kept(threads)
        kept = frozenset(numbers)
        for number in numbers:
            element = self._element(threads[number], first, before, _homeless(threads, number, first), bool(nested))
            track.append(element)
            before = threads[number]
            self._end(track, threads, number, kept)
        for xml in (*nested, *note.elements):
            track.append(from_xml(xml))
        return track

    def _element(self, thread: Thread, first: Thread, before: Thread | None, homeless: Extra, nested: bool) -> Element:
        shape, annotation = thread.shape, thread.shape.annotation
        given = {"frame": str(thread.frame), "keyframe": "1" if thread.keyframe else "0", "outside": "0"}
        given["occluded"] = "1" if annotation.metadata.get("occluded") is True else "0"
        if annotation.label != first.shape.annotation.label:
            given["label"] = annotation.label
        if thread.source != first.source:
            given["source"] = thread.source
        if shape.group != first.shape.group:
            given["group_id"] = str(shape.group or 0)
        if nested:
            shape = msgspec.structs.replace(shape, form=replace(shape.form, elements=()))
        held = () if before is None else before.shape.annotation.attributes
        if without := tuple(name for name in held if name not in annotation.attributes):
            shape = msgspec.structs.replace(shape, mark=replace(shape.mark, without=without))
        if homeless != Extra():
            shape = msgspec.structs.replace(shape, mark=replace(shape.mark, carried=as_text(homeless)))
        element = element_for(shape, given)
        self.used.element(annotation.label, element)
        if before is not None and shape.extra.inherited:
            _leave_out(element, shape, before.shape)
        return element

    def _kept(self, threads: Sequence[Thread]) -> list[int]:
        """The numbers of the threads that are written: what a reader computes between them is what the others are."""
        kept: list[int] = []
        number = 0
        while number < len(threads):
            stop = number
            while stop < len(threads) and threads[stop].computed:
                stop += 1
            kept += self._edited(threads, number, stop)
            if stop < len(threads):
                kept.append(stop)
            number = stop + 1
        out: list[int] = []
        for start, stop in zip(kept, [*kept[1:], len(threads)], strict=True):
            out.append(start)
            a, b = threads[start], threads[stop] if stop < len(threads) else None
            skipped = range(start + 1, stop)
            if (a.computed or (b is not None and b.computed)) and not all(_between(a, b, threads[n]) for n in skipped):
                out += skipped
        return out

    def _edited(self, threads: Sequence[Thread], start: int, stop: int) -> Sequence[int]:
        """Of a run of computed threads those that are no longer what their neighbours compute: all, where one of the
        run or its beginning is missing, or it goes on beyond the last frame of all.
        """
        run = range(start, stop)
        if not run or start == 0:
            return run
        a, b = threads[start - 1], threads[stop] if stop < len(threads) else None
        after = _frames(a)
        end = after[0] if after else (b.frame if b is not None else threads[stop - 1].frame + self.notes.step)
        if b is None and not after and threads[stop - 1].frame > self.last:
            return run
        if [threads[n].frame for n in run] != list(range(a.frame + self.notes.step, end, self.notes.step)):
            return run
        return [n for n in run if not _between(a, None if after else b, threads[n])]

    def _end(self, track: Element, threads: Sequence[Thread], number: int, kept: Collection[int]) -> None:
        """What follows on a shape that is written: shapes that are outside."""
        thread = threads[number]
        beyond = _beyond(threads, number)
        step, extra = self.notes.step, thread.shape.extra
        if any(_lies(xml, thread.frame, beyond) for xml in extra.after) and not thread.computed:
            for xml in extra.after:
                self._append_outside(track, xml, thread.frame, beyond)
            return
        if extra.gap and beyond is not None:
            return
        end = number
        while end + 1 < len(threads) and end + 1 not in kept:
            end += 1
        last, following = threads[end], threads[end + 1] if end + 1 < len(threads) else None
        if following is not None and following.frame <= last.frame + step:
            return
        if following is None and (extra.open or last.frame + step > self.last):
            return
        ending = self._copy(track[-1], last.frame + step)
        track.append(ending)

    def _append_outside(self, track: Element, xml: str, low: int, high: int | None) -> None:
        """A carried shape where the object is not visible, if there still is room for it."""
        if _lies(xml, low, high):
            element = from_xml(xml)
            self.used.element(track.get("label", ""), element)
            track.append(element)

    def _copy(self, element: Element, frame: int) -> Element:
        """The key frame that says that the object is gone."""
        ending: Element = etree.fromstring(etree.tostring(element))
        ending.tail = None
        ending.set("frame", str(frame))
        ending.set("keyframe", "1")
        ending.set("outside", "1")
        lone = (mark_of(ending.get(EXTENSION)) or Mark()).lone
        ending.set(EXTENSION, as_text(Mark(lone=lone, made=True)))
        return ending

    def _nested(self, threads: Sequence[Thread], first: Thread) -> tuple[str, ...]:
        """The tracks of a skeleton's elements as they were, while they still say what the shapes do."""
        xml = first.shape.extra.nested
        if not xml:
            return ()
        track = etree.Element("track")
        track.extend(from_xml(one) for one in xml)
        same = all(elements_at(track, one.frame) == one.shape.form.elements for one in threads if not one.computed)
        return xml if same else ()


def _between(a: Thread, b: Thread | None, here: Thread) -> bool:
    """Whether a thread is what is computed for its frame from its neighbours; without the second, as the first is."""
    form = a.shape.form
    if b is not None:
        there = between(form, b.shape.form, (here.frame - a.frame) / (b.frame - a.frame))
        if there is None:
            return False
        form = there
    return _same_form(here.shape.form, form) and _same_words(here, a)


def _beyond(threads: Sequence[Thread], number: int) -> int | None:
    """The frame of the next thread that is not computed."""
    return next((one.frame for one in threads[number + 1 :] if not one.computed), None)


def _lies(xml: str, low: int, high: int | None) -> bool:
    """Whether the frame of a carried shape lies between two others."""
    text = from_xml(xml).get("frame", "")
    frame = int(text) if text.isdecimal() and len(text) < 16 else -1
    return frame > low and (high is None or frame < high)


def _homeless(threads: Sequence[Thread], number: int, first: Thread) -> Extra:
    """Carried shapes where the object is not visible that have no place in the track: frames are visible there now."""
    thread, beyond = threads[number], _beyond(threads, number)
    before, after = thread.shape.extra.before, thread.shape.extra.after
    return Extra(
        before=tuple(xml for xml in before if thread is not first or not _lies(xml, -1, first.frame)),
        after=tuple(xml for xml in after if thread.computed or not _lies(xml, thread.frame, beyond)),
    )


def _frames(thread: Thread) -> list[int]:
    found = [from_xml(xml).get("frame", "") for xml in thread.shape.extra.after]
    return [int(text) for text in found if text.isdecimal() and len(text) < 16 and int(text) > thread.frame]


def _leave_out(element: Element, shape: Restored, before: Restored) -> None:
    """Attributes that the source left to the shape before, while they are the same."""
    for name in shape.extra.inherited:
        if shape.annotation.attributes.get(name) == before.annotation.attributes.get(name):
            for child in element.findall("attribute"):
                if child.get("name") == name:
                    element.remove(child)


def _same_form(a: Form, b: Form) -> bool:
    if a.kind != b.kind or abs((a.rotation - b.rotation + 180) % 360 - 180) > NEAR or a.mask != b.mask:
        return False
    if [(e.label, e.outside) for e in a.elements] != [(e.label, e.outside) for e in b.elements]:
        return False
    one = [*a.numbers, *(value for e in a.elements for value in e.points)]
    other = [*b.numbers, *(value for e in b.elements for value in e.points)]
    return len(one) == len(other) and all(abs(x - y) <= NEAR for x, y in zip(one, other, strict=True))


def _same_words(a: Thread, b: Thread) -> bool:
    return _words(a) == _words(b)


def _words(thread: Thread) -> tuple[Any, ...]:
    annotation = thread.shape.annotation
    return annotation.label, annotation.confidence, annotation.attributes, thread.shape.metadata, thread.shape.group
