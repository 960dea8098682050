"""What the survey wants to know of one file, and what annolake noted in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from ...schemas.errors import AnnolakeError
from ...schemas.plain import is_number, is_object
from ..xmltext import parsed
from .elements import Element, children, without_namespaces
from .ordinary import Ordinary


class Glance(msgspec.Struct):
    """`labels`: of objects and their parts; `objects`: how many. `zero`: a coordinate is 0 or below. `unknown`: the
    source's annotation and image are both unknown. `image`: the name that annolake noted.
    """

    labels: set[str] = msgspec.field(default_factory=set[str])
    objects: int = 0
    zero: bool = False
    filename: str | None = None
    path: str | None = None
    database: str = ""
    unknown: bool = False
    verified: bool = False
    image: str | None = None

    def tell_source(self, held: Any) -> None:
        """By what the element `<source>` holds."""
        source = held if is_object(held) else {}
        self.database = source.get("database", "")
        self.unknown = source.get("annotation") == source.get("image") == "Unknown"


class ImageNote(msgspec.Struct, frozen=True, omit_defaults=True, rename={"storage_name": "storageName"}):
    """The element `<annolake>` of an image: facts of other formats, and its name where no rule gives it."""

    image: str | None = None
    storage_name: str | None = None
    extras: dict[str, object] = {}


class ObjectNote(msgspec.Struct, frozen=True):
    """`label`: of the object, also where XML's rules would change it. `extras`: keys of an annotation that nobody
    knows. `homeless`: XML attributes of elements that are not written, by their path.
    `stated`: the `area` and the fingerprint (`outline`) of the shape it was stated of.
    """

    label: str
    extras: dict[str, Any] | None = None
    homeless: dict[str, str] = {}
    stated: dict[str, Any] = {}

    def state(self, metadata: dict[str, Any]) -> None:
        """Add the area to what is said of the shape, if it is still the one that it was stated of."""
        if self.stated and metadata.get("outline", self.stated["outline"]) == self.stated["outline"]:
            metadata.update(self.stated)


def glance_at(path: str, data: bytes) -> Glance:
    """What a file says; nothing where it is broken."""
    try:
        root = tree_of(data, path)
    except AnnolakeError:
        return Glance()
    found = [note_in(element).label for element in root.iter("object", "part")]
    return Glance(
        labels={label for label in found if label.strip()},
        objects=len(found),
        zero=any(map(_is_low, root.iter("xmin", "ymin"))) or any(_has_low(ring) for ring in root.iter("polygon")),
        filename=root.findtext("filename"),
        path=root.findtext("path"),
        database=root.findtext("source/database") or "",
        unknown=root.findtext("source/annotation") == root.findtext("source/image") == "Unknown",
        verified=root.get("verified") is not None,
        image=note_of(root).image,
    )


def glance_at_ordinary(plain: Ordinary) -> Glance:
    """What a file of the ordinary form says."""
    notes = plain.notes
    glance = Glance(
        labels={name for name in set(plain.labels) if name.strip()},
        objects=len(plain.labels),
        zero=has_low(plain.corners),
        filename=notes.get("filename"),
        path=notes.get("path"),
        verified="verified" in notes,
    )
    glance.tell_source(notes.get("source"))
    return glance


def has_low(corners: Sequence[int | float]) -> bool:
    """Whether a minimum of a box is 0 or below."""
    return min(corners, default=1) <= 0 and (min(corners[::4]) <= 0 or min(corners[1::4]) <= 0)


def tree_of(data: bytes, path: str) -> Element:
    """The root of an XML file, without namespaces. InvalidInput where it is broken."""
    root = parsed(data, path)
    if b"xmlns" in data:
        without_namespaces(root)
    return root


def note_of(root: Element) -> ImageNote:
    """What annolake noted in an image's file."""
    return image_note(root.findtext("annolake"))


def image_note(text: str | None) -> ImageNote:
    """What a note of an image says; nothing where it is broken."""
    if not text:
        return ImageNote()
    try:
        return _NOTE.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return ImageNote()


def note_in(element: Element) -> ObjectNote:
    """What an object says."""
    return object_note(element.findtext("name") or "", element.findtext("annolake"))


def object_note(name: str, text: str | None) -> ObjectNote:
    """The label of an object, and what annolake noted of it; what of that makes no sense is passed over."""
    label = label_text(name)
    if not text:
        return ObjectNote(label)
    try:
        note: Any = json.loads(text)
    except (ValueError, RecursionError):
        return ObjectNote(label)
    if not is_object(note):
        return ObjectNote(label)
    noted, extras, homeless = note.get("label"), note.get("extras"), note.get("attributes")
    return ObjectNote(
        noted if isinstance(noted, str) and noted else label,
        extras if is_object(extras) else None,
        {key: value for key, value in homeless.items() if isinstance(value, str)} if is_object(homeless) else {},
        {key: note[key] for key in ("area", "outline")} if is_number(note.get("area")) and "outline" in note else {},
    )


def label_text(text: str) -> str:
    """A label as it stands; line breaks around it are layout."""
    return text.strip() if text[:1] in "\r\n" or text[-1:] in "\r\n" else text


_NOTE = msgspec.json.Decoder(ImageNote)


def _has_low(ring: Element) -> bool:
    return any(_is_low(child) for _, child in children(ring))


def _is_low(element: Element) -> bool:
    """Whether a coordinate is 0 or below."""
    text = element.text
    if not text or text.strip()[:1] not in "-0.":
        return False
    try:
        return float(text) <= 0
    except ValueError:
        return False
