"""A <track> as the shapes of its frames: those that the file has, and those between its key frames.

A shape that is outside is no annotation, and its coordinates are stale: it is carried as it is with the visible shape
before it (or after it, at the beginning). The object is visible up to the frame before. A track that leaves frames out
holds its last key frame up to the last frame of the task, where <meta> knows that; one that writes its frames out has
written its end, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
from msgspec.structs import replace

from .forms import SHAPES, Form
from .interpolation import between
from .meta import Frames
from .nested import elements_at, is_nested
from .notes import EXTENSION, Extra, Mark, TrackNote, mark_of
from .numbers import Unreadable, whole
from .shapes import Shape, as_xml, read_shape
from .stream import Element, line_of

SizeOf = Callable[[int], tuple[Any, Any]]
"""Width and height of a frame's picture, as far as they are known."""

OF_TRACK = ("label", "source", "group_id")
"""What a track says for all of its shapes."""
MOST_FRAMES = 10_000_000
"""Frames that a gap may have: more is a slip of the pen."""


class Moment(msgspec.Struct):
    """A visible shape on a frame; `computed` ones are in no file. `lost` frames after it cannot be computed."""

    frame: int
    shape: Shape
    keyframe: bool
    computed: bool = False
    line: int | None = None
    outside: int = 0
    lost: int = 0


class Track(msgspec.Struct):
    id: int | str | None
    moments: list[Moment]
    note: TrackNote
    label: str
    warnings: tuple[tuple[str, str, str], ...] = ()
    frames: frozenset[int] = frozenset()


class _Seen(msgspec.Struct):
    """A shape of the file, in the order of frames; without `shape` it is outside."""

    frame: int
    shape: Shape | None
    keyframe: bool
    xml: str
    line: int | None


def read_track(element: Element, frames: Frames, size_of: SizeOf, *, fill: bool) -> Track:
    """A track's element. Unreadable where it makes no sense; the message names the frame."""
    given = {str(name): str(text) for name, text in element.attrib.items()}
    if "label" not in given:
        raise Unreadable("missing-attribute", "this <track> has no label", "give it one, or remove it")
    nested = is_nested(element)
    inherited = {name: given[name] for name in OF_TRACK if name in given}
    seen: list[_Seen] = []
    odd: list[str] = []
    for child in element:
        if child.tag in SHAPES:
            seen.append(_seen(child, inherited, size_of, element if nested else None))
        elif not nested or child.tag != "track":
            odd.append(as_xml(child))
    seen.sort(key=lambda one: one.frame)
    for one, other in pairwise(seen):
        if one.frame == other.frame:
            message = f"the track has two shapes on frame {one.frame} (the other on line {one.line})"
            raise Unreadable("two-shapes-on-a-frame", message, "remove one of them")
    named = frozenset(one.frame for one in seen if one.shape is not None or one.xml)
    moments = _moments(seen, frames, fill=fill)
    if nested and moments:
        xml = tuple(as_xml(child) for child in element.iterchildren("track"))
        first = moments[0].shape.said
        first.extra = replace(first.extra, nested=xml)
    warnings: list[tuple[str, str, str]] = []
    if seen and not any(one.keyframe for one in seen):
        warnings.append(("no-keyframe", "no shape of the track is a key frame: CVAT would not import it", _MARK_ONE))
    kept = {name: text for name, text in given.items() if name not in (*OF_TRACK, "id")}
    note = TrackNote(
        attributes=kept, whole=None if moments else as_xml(element), elements=tuple(odd) if moments else ()
    )
    return Track(track_id(given.get("id")), moments, note, given["label"], tuple(warnings), named)


_MARK_ONE = 'set keyframe="1" on the shapes that a person drew'


def track_id(text: str | None) -> int | str | None:
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 and str(int(text)) == text else text


def _seen(child: Element, inherited: Mapping[str, str], size_of: SizeOf, nest: Element | None) -> _Seen:
    frame = whole(child.get("frame"), "the frame")
    try:
        outside = child.get("outside", "0").lower() in ("1", "true")
        shape = None if outside else read_shape(child, size_of(frame), inherited)
        if shape is not None and nest is not None:
            shape.form = replace(shape.form, elements=elements_at(nest, frame))
    except Unreadable as error:
        raise Unreadable(error.code, f"frame {frame} (line {line_of(child)}): {error.message}", error.hint) from None
    keyframe = child.get("keyframe", "1").lower() in ("1", "true")
    made = outside and (mark_of(child.get(EXTENSION)) or Mark()).made
    return _Seen(frame, shape, keyframe, as_xml(child) if outside and not made else "", line_of(child))


def _moments(seen: Sequence[_Seen], frames: Frames, *, fill: bool) -> list[Moment]:
    out: list[Moment] = []
    before: list[str] = []
    writes_out = True
    for number, one in enumerate(seen):
        if one.shape is None:
            if not out and one.xml:
                before.append(one.xml)
            continue
        moment = Moment(one.frame, one.shape, one.keyframe, line=one.line)
        known = one.shape.said.extra
        changes: dict[str, Any] = {"before": (*before, *known.before)} if before and not out else {}
        moment.outside += len(changes.get("before", ()))
        if out:
            _inherit(moment.shape, out[-1].shape)
        out.append(moment)
        after = _outside_after(seen, number)
        moment.outside += len(after)
        if after:
            changes["after"] = (*after, *known.after)
        following = seen[number + 1] if number + 1 < len(seen) else None
        missing = _missing(one.frame, following.frame if following else None, frames)
        if following is not None and missing:
            writes_out = False
            computed = _computed(moment, following, missing) if fill else []
            if len(computed) < len(missing):
                changes["gap"] = True
                moment.lost = len(missing) if fill else 0
            out += computed
        elif following is None:
            changes["open"] = True
            lone = len(seen) == 1
            if fill and missing and (not writes_out or lone) and one.keyframe:
                out += [_copy(moment, frame) for frame in missing]
        if changes:
            said = one.shape.said
            said.extra = replace(said.extra, **changes)
    return out


def _outside_after(seen: Sequence[_Seen], number: int) -> tuple[str, ...]:
    out: list[str] = []
    for one in seen[number + 1 :]:
        if one.shape is not None:
            break
        if one.xml:
            out.append(one.xml)
    return tuple(out)


def _missing(frame: int, following: int | None, frames: Frames) -> range:
    """The frames after one and before the next of the file, else up to the last of the task."""
    stop = following if following is not None else (frames.last if frames.last is not None else frame) + 1
    missing = range(frame + frames.step, stop, frames.step)
    if len(missing) > MOST_FRAMES:
        message = f"{len(missing):,} frames lie between frame {frame} and the next"
        raise Unreadable("too-many-frames", message, "is this frame number meant?")
    return missing


def _computed(a: Moment, b: _Seen, missing: range) -> list[Moment]:
    """What stands on the missing frames; nothing where nobody defines it. Before an outside shape all is as it was."""
    if b.shape is None:
        return [_copy(a, frame) for frame in missing]
    out: list[Moment] = []
    for frame in missing:
        form = between(a.shape.form, b.shape.form, (frame - a.frame) / (b.frame - a.frame))
        if form is None:
            return []
        out.append(_copy(a, frame, form))
    return out


def _copy(a: Moment, frame: int, form: Form | None = None) -> Moment:
    said = a.shape.said
    mark = None if said.mark is None else replace(said.mark, stated={})
    plain = replace(said, metadata=dict(said.metadata), extra=Extra(unlabelled=said.extra.unlabelled), mark=mark)
    return Moment(frame, Shape(plain, form or a.shape.form), keyframe=False, computed=True, line=a.line)


def _inherit(shape: Shape, before: Shape) -> None:
    """Attributes that a shape does not state are as at the shape before."""
    said = shape.said
    without = () if said.mark is None else said.mark.without
    missing = [name for name in before.said.attributes if name not in said.attributes and name not in without]
    if missing:
        said.attributes = {**said.attributes, **{name: before.said.attributes[name] for name in missing}}
        said.extra = replace(said.extra, inherited=tuple(missing))
