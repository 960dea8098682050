"""What annolake notes about CVAT files: in a catalogue, at a shape, and in a CVAT file of its own.

It comes from outside like the rest of a file, and is checked like the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from ...schemas.errors import InvalidInput, Place
from ...schemas.jsontext import code_of, explain, pointer_text
from ...schemas.model import Catalog
from ...schemas.plain import ready

EXTENSION = "annolake"
"""Our own element in <meta> and our own attribute of other elements. CVAT and datumaro do not look at it."""

Form = Literal["images", "video"]
Side = Literal["width", "height"]
SIDES: tuple[Side, ...] = get_args(Side)
NO_SPLIT = "default"
"""What stands in front of a name that several subsets share, for an image of none."""
DEFAULT_FRAMES = "frame_{:06d}"


class TrackNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a <track> says that no shape of it does: XML attributes that no rule knows, or of another form; the whole
    element, where it has no visible shape; whatever else stands in it, as XML.
    """

    attributes: dict[str, str] = {}
    whole: str | None = None
    elements: tuple[str, ...] = ()


class Notes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a catalogue, under `cvat`.

    `head` and `tail` are the children of the root before and after images and tracks, as XML, the list of labels in
    <meta> empty; `frames` the pattern of names; `tracks` by track id; `step` the frames from one to the next; `last`
    the last frame of the task; `fronted`: names that several subsets share got the subset in front; `several`: this
    was more than one source, a video among them or images alone.
    """

    form: Form = "images"
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    frames: str = DEFAULT_FRAMES
    step: Annotated[int, Meta(ge=1, le=1 << 31)] = 1
    last: Annotated[int, Meta(ge=0, le=1 << 31)] | None = None
    tracks: dict[str, TrackNote] = {}
    fronted: bool = False
    several: Form | None = None


class LabelNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a category, under `cvat`: its <label> and those of its sub-labels, as XML; their places in the list, where
    they do not simply follow. `declared` is False for a label that shapes use and <meta> does not know.
    """

    label: str | None = None
    points: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    declared: bool = True


class FrameNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the video form cannot say of a picture: its name, size, split, and what other formats know of it; that its
    number was `made` for it; which sides of its task's size are not known of it (`unsized`).
    """

    frame: int
    task: str | None = None
    name: str | None = None
    width: int | float | None = None
    height: int | float | None = None
    split: str | None = None
    extras: dict[str, Any] = {}
    storage_name: str | None = None
    made: bool = False
    unsized: tuple[Side, ...] = ()


class Extension(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a CVAT file, in <meta>: facts of the data set that only other formats know; labels with what other formats say
    of them; the pattern of frame names; `numbered`: ids of images are ours and mean nothing.
    """

    extras: dict[str, Any] = {}
    labels: dict[str, dict[str, Any]] = {}
    splits: tuple[str, ...] = ()
    frames: str | None = None
    numbered: bool = False
    pictures: tuple[FrameNote, ...] = ()


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At a shape: what ties it to others of one object (`own_group`: its group_id is only for that), and what is true
    of an object whose key points, `count` of them, are written as a skeleton; `shape` is `obb` for an upright box that
    may be turned. `lone`: its track was made for it; `track`: the id that it should have, and another shape of the
    frame has, or no file can say; `unsaid`: what its track tells of each shape (`frame`, `keyframe`) and was not said
    of it; `without`: attributes of the track's shape before that it does not have; `made`: an outside shape that only
    ends what was visible; `carried`: what a track says, where the shape is in none; `stated`: metadata of STATED,
    numbers that another format's file states beside the shape.
    """

    instance: str | int | None = None
    part: int | None = None
    parts: int | None = None
    hole_of: int | None = None
    own_group: bool = False
    bbox: tuple[float, float, float, float] | None = None
    keypoints: str | None = None
    count: int | None = None
    shape: str | None = None
    geometry: str | None = None
    extras: dict[str, Any] | None = None
    lone: bool = False
    track: int | str | None = None
    unsaid: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    made: bool = False
    carried: str | None = None
    stated: dict[str, str | int | float | bool] = {}


class Extra(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a shape's metadata, as JSON in `cvat_extra`: XML attributes and elements that no rule knows; attributes that
    hold while the shape is as it was (`form`); an empty label; which XML attribute is its confidence.

    Of a track: shapes where the object is not visible, `before` and `after` this one; that a `gap` without shapes
    follows, that it is `open` at its end; attributes `inherited` from the shape before; tracks of a skeleton's elements
    as datumaro writes them, at the first shape (`nested`).
    """

    attributes: dict[str, str] = {}
    form: dict[str, str] = {}
    elements: tuple[str, ...] = ()
    unlabelled: bool = False
    score: str | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    gap: bool = False
    open: bool = False
    inherited: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


STATED = frozenset(("area", "bbox", "outline", "voc_outline"))
EXTRA_OF_TRACKS = ("before", "after", "gap", "open", "inherited", "nested")
"""Fields of an Extra that only a track has a place for."""

_MARK = msgspec.json.Decoder(Mark)
_EXTRA = msgspec.json.Decoder(Extra)


def notes_of(catalog: Catalog) -> Notes:
    """The notes in a catalogue. InvalidInput where they are not as annolake writes them."""
    return _checked(catalog.extras.get("cvat", {}), Notes, Place(pointer="/annolake/extras/cvat"))


def merged(facts: Sequence[Any]) -> Any:
    """The notes of several sources as one. With a video among them nothing is said of frames and tracks any more, whose
    numbers were those of one source, nor in <meta>, which says how many there are.
    """
    sources = [_checked(one, Notes, Place(pointer="/annolake/extras/cvat")) for one in facts]
    notes = sources[0]
    if any(one.form == "video" for one in sources):
        head = tuple(xml for xml in notes.head if not xml.lstrip().startswith("<meta"))
        notes = Notes(head=head, tail=notes.tail, fronted=notes.fronted, several="video")
    elif len(sources) > 1:
        notes = msgspec.structs.replace(notes, several="images")
    return msgspec.to_builtins(notes)


def label_note(extras: dict[str, Any], name: str) -> LabelNote:
    """The note at a category. InvalidInput where it is not as annolake writes it."""
    return _checked(extras.get("cvat", {}), LabelNote, Place(pointer=f"/annolake/labels ({name})/extras/cvat"))


def extension_of(text: str, place: Place) -> Extension:
    """Our element in <meta>. InvalidInput where it is not as annolake writes it."""
    try:
        return msgspec.json.decode(text, type=ready(Extension))
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidInput(
            "broken-notes",
            f"what annolake noted here cannot be read: {error}",
            place=place,
            hint=f"take the element <{EXTENSION}> out: its facts are then made up anew",
        ) from None


def mark_of(text: str | None) -> Mark | None:
    """Our attribute of a shape; None for what is somebody else's."""
    return _decoded(_MARK, text)


def extra_of(metadata: dict[str, Any]) -> Extra | None:
    """`cvat_extra` of a shape; None where there is none, or it is somebody else's."""
    return extra_in(metadata["cvat_extra"]) if "cvat_extra" in metadata else None


def without_extra(metadata: Mapping[str, Any], *others: str) -> dict[str, Any]:
    """Metadata without our own `cvat_extra`, and without some others."""
    own = ("cvat_extra", *others) if extra_in(metadata.get("cvat_extra")) is not None else others
    return {key: value for key, value in metadata.items() if key not in own}


def extra_in(text: Any) -> Extra | None:
    return _decoded(_EXTRA, text)


def of_track(extra: Extra) -> Extra:
    """What a track says, of all that is carried."""
    return Extra(**{name: getattr(extra, name) for name in EXTRA_OF_TRACKS})


def as_text(struct: msgspec.Struct) -> str:
    return msgspec.json.encode(struct).decode()


def _decoded(decoder: msgspec.json.Decoder[Any], text: Any) -> Any:
    try:
        return decoder.decode(text)
    except (TypeError, UnicodeError, RecursionError, msgspec.MsgspecError):
        return None


def _checked(plain: Any, kind: type[Any], place: Place) -> Any:
    try:
        return msgspec.convert(plain, ready(kind))
    except msgspec.ValidationError as error:
        message, steps = explain(error)
        at = msgspec.structs.replace(place, pointer=f"{place.pointer}{pointer_text(steps)}")
        text = f"what annolake noted here about CVAT files cannot be read: {message}"
        hint = "take the key out: its facts are then made up anew"
        raise InvalidInput(code_of(message), text, place=at, hint=hint) from None
