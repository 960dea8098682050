"""One COCO file, opened: its parts checked against one another, its images and annotations still undecoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ...schemas import jsontext
from ...schemas.errors import InvalidInput, Place
from ...schemas.jsontext import Pointer, pointer_text
from ...schemas.plain import is_object, ready, texts
from ...schemas.problems import Problem, Severity
from ..files import read_bytes
from ..ledger import Ledger
from ..shapeblocks import PLAIN_QUOTES
from .declared import read_categories
from .layout import Source
from .notes import EXTENSION, Extension, extension_of
from .numbering import are_unlike, following, owners
from .places import Places
from .root import root_of
from .words import without_words

if TYPE_CHECKING:
    from .pictures import PlainImage

Id = int | str
Text = memoryview | msgspec.Raw

_PARTS = ("images", "annotations", "categories")
_ANY = msgspec.json.Decoder(Any)
_OBJECT = msgspec.json.Decoder(dict[str, Any])
RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class ImageHead(msgspec.Struct, gc=False):
    id: Id


class Head(msgspec.Struct, gc=False):
    image_id: Id
    id: Id | None = None


class _Name(msgspec.Struct):
    file_name: str


_NOBODY = ""
_NAME = msgspec.json.Decoder(_Name)


class Document:
    """`order[start[i]:start[i + 1]]` are the numbers of image i's annotations, in the file's order.

    `dropped` annotations belong to no image (problems, reported). `fresh` holds new ids for annotations whose id an
    earlier one has. `plain_images`: its images, where all are known to have COCO's own eight keys.
    """

    plain_images: list[PlainImage] | None = None

    def __init__(self, source: Source, ledger: Ledger) -> None:
        self._elements: dict[str, list[msgspec.Raw]] = {}
        self._open(source, ledger)
        members = self._members()
        self.images = self._list(members, "images")
        self.annotations = self._list(members, "annotations")
        self._places = Places(self.data, members, {"images": self.images, "annotations": self.annotations})
        self._check_kind()
        self.head = {key: self.plain(raw, (key,)) for key, raw in members.items() if key not in _PARTS}
        self.extension = self._extension()
        if self.extension.unsplit:
            self.source = msgspec.structs.replace(source, split=None)
        self.categories = read_categories(self, self._list(members, "categories"), ledger)
        self._index(members, ledger)
        self._check_names(ledger)

    def _open(self, source: Source, ledger: Ledger) -> None:
        self.source = source
        self.file = str(source.path)
        self.data = jsontext.checked(read_bytes(source.path), self.file)
        self._clean(ledger)

    def _clean(self, ledger: Ledger) -> None:
        if ledger.lenient:
            self.data = without_words(self.data, self.file, ledger)
        self._places = Places(self.data, {}, {})

    @property
    def pictures(self) -> Document:
        """The file that has the images."""
        return self

    def numbers(self, index: int) -> list[int]:
        """The numbers of an image's annotations, in the file's order."""
        return self.order[self.start[index] : self.start[index + 1]].tolist()

    def texts(self, numbers: Sequence[int]) -> Sequence[Text]:
        """The annotations with these numbers, undecoded."""
        return [self.annotations[number] for number in numbers]

    def seven_keys(self, numbers: Sequence[int], texts: Sequence[Text]) -> Sequence[bool]:
        """Of annotations with these texts, whether their quotation marks are as many as COCO's own seven keys have."""
        return [bytes(text).count(b'"') == PLAIN_QUOTES for text in texts]

    def at(self, number: int) -> tuple[str | int, ...]:
        """The pointer of an annotation."""
        return "annotations", number

    def form(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Keys of an annotation that are kept as they stand, although what they say is known without them."""
        return {}

    def plain(self, raw: msgspec.Raw, at: Pointer) -> Any:
        """A part as plain objects. InvalidInput for what JSON or we do not allow, with its line."""
        try:
            jsontext.decode(_ANY, raw, self.file, at)
            return jsontext.loads_strict(raw)
        except jsontext.DuplicateKey as error:
            raise self.located(jsontext.duplicate_key(error.key, self.file, at)) from None
        except InvalidInput as error:
            raise self.located(error) from None

    def object(self, raw: msgspec.Raw, at: tuple[str | int, ...]) -> dict[str, Any]:
        """A JSON object as a dict, quickly where a count of quotation marks proves that no key stands twice."""
        try:
            plain = _OBJECT.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
        else:
            if jsontext.quotes(raw) == 2 * texts(plain):
                return plain
        plain = self.plain(raw, at)
        if not is_object(plain):
            raise InvalidInput("wrong-type", "expected an object", place=self.place(*at), hint="mend it")
        return plain

    def place(self, *at: str | int, image: str | None = None, annotation: Id | None = None) -> Place:
        """A place in this file, without its line: that is looked for when the place is going to be shown."""
        return Place(file=self.file, pointer=pointer_text(at), image=image, annotation=annotation)

    def problem(
        self, ledger: Ledger, code: str, message: str, place: Place, fix: str, severity: Severity = "error"
    ) -> None:
        """Tell the ledger, with the line."""
        ledger.problem(Problem(code=code, severity=severity, message=message, place=self.locate(place), fix=fix))

    def locate(self, place: Place) -> Place:
        """The place with its line and column."""
        return self._places.located(place)

    def located(self, error: InvalidInput) -> InvalidInput:
        if error.place.line is None:
            error.place = self.locate(error.place)
        return error

    def names(self) -> Iterator[str]:
        """The images' file names, in their order; empty where an image has none."""
        for raw in self.images:
            try:
                yield _NAME.decode(raw).file_name
            except (msgspec.MsgspecError, UnicodeDecodeError):
                yield ""

    def _check_names(self, ledger: Ledger) -> None:
        seen: dict[str, int] = {}
        for number, name in enumerate(self.names()):
            if name and name in seen:
                self.tell_same_name(ledger, number, name, seen[name])
            seen.setdefault(name, number)

    def tell_same_name(self, ledger: Ledger, number: int, name: str, first: int) -> None:
        message = f"two images have this file_name, the first is images/{first}"
        place = self.place("images", number, "file_name", image=name)
        self.problem(ledger, "duplicate-image", message, place, "merge them, or rename one")

    def _members(self) -> dict[str, msgspec.Raw]:
        members, self._elements = root_of(self.data, self.file)
        return self.checked(members)

    def checked(self, members: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
        """The root's members, if they are those of a file with images."""
        if "images" not in members and "videos" in members:
            message = "COCO video instances: a list of shapes for each track, and no images"
            hint = "convert it to COCO with an image for each frame first (CocoVID)"
            raise InvalidInput("unsupported-variant", message, place=Place(file=self.file), hint=hint)
        if "images" not in members:
            raise InvalidInput(
                "missing-key",
                "there is no key `images`",
                place=Place(file=self.file, line=1, column=1, pointer=""),
                hint="a COCO file is an object with images, annotations and categories",
            )
        return members

    def _list(self, members: dict[str, msgspec.Raw], key: str) -> Sequence[msgspec.Raw]:
        if key not in members:
            return []
        if key in self._elements:
            return self._elements.pop(key)
        try:
            return jsontext.decode(RAW_LIST, members[key], self.file, (key,))
        except InvalidInput as error:
            raise self.located(error) from None

    def _check_kind(self) -> None:
        """Kinds of COCO files that hold no shapes are refused by name."""
        if not self.annotations:
            return
        first = self.plain(self.annotations[0], self.at(0))
        keys: set[str] = set(first) if is_object(first) else set()
        variant = None
        if "segments_info" in keys:
            variant = "panoptic records: the shapes are in PNG files beside it"
        elif "caption" in keys and not keys & {"bbox", "segmentation", "keypoints"}:
            variant = "captions: they have neither shapes nor labels"
        elif "segmentations" in keys or "bboxes" in keys:
            variant = "a video instance file with one list of shapes for each track"
        if variant:
            refused = InvalidInput(
                "unsupported-variant",
                f"COCO {variant}",
                place=self.place(*self.at(0)),
                hint="convert the instances, key points or stuff file of the same set",
            )
            raise self.located(refused)

    def _extension(self) -> Extension:
        try:
            return extension_of(self.head.pop(EXTENSION, {}), self.file)
        except InvalidInput as error:
            raise self.located(error) from None

    def _index(self, members: dict[str, msgspec.Raw], ledger: Ledger) -> None:
        self.index = index = dict[Id, int]()
        heads = self._heads(members.get("images"), self.images, ImageHead, lambda n: ("images", n), ledger)
        for number, head in enumerate(heads):
            if head is None:
                continue
            if head.id in index:
                self.tell_same_id(ledger, number, head.id, index[head.id])
            index.setdefault(head.id, number)
        self.next_image_id = following(index)
        self._sort(self.heads(members.get("annotations"), ledger), ledger)

    def tell_same_id(self, ledger: Ledger, number: int, identity: Id, first: int) -> None:
        message = f"image id {identity!r} stands twice, first in images/{first}: boxes are ambiguous"
        place = self.place("images", number, "id")
        self.problem(ledger, "duplicate-id", message, place, "give each image its own id")

    def heads(self, whole: msgspec.Raw | None, ledger: Ledger) -> list[Any]:
        """What each annotation says first: its image and its id."""
        return self._heads(whole, self.annotations, Head, self.at, ledger)

    def _sort(self, heads: list[Any], ledger: Ledger) -> None:
        """The annotations by their images."""
        owner = owners(self.index, [_NOBODY if head is None else head.image_id for head in heads])
        owner[[number for number, head in enumerate(heads) if head is None]] = -1
        for number in np.flatnonzero(owner == -2).tolist():
            self.tell_dangling(ledger, number, heads[number])
        self.dropped = int(np.count_nonzero(owner < 0))
        order = np.argsort(owner, kind="stable")
        self.start: list[int] = np.searchsorted(owner[order], np.arange(len(self.images) + 1)).tolist()
        self.order = order.astype(np.uint32)
        self._find_doubles(heads, ledger)

    def tell_dangling(self, ledger: Ledger, number: int, head: Head) -> None:
        message = f"image_id {head.image_id!r} is the id of no image"
        place = self.place(*self.at(number), "image_id", annotation=head.id)
        self.problem(ledger, "dangling-image", message, place, "add the image, or remove the annotation")

    def _find_doubles(self, heads: list[Any], ledger: Ledger) -> None:
        """Public sets have annotation ids twice: nothing refers to them, so the later ones get fresh ids."""
        ids: list[Id] = [head.id for head in heads if head is not None and head.id is not None]
        fresh: dict[int, int] = {}
        self.fresh: Mapping[int, int] = fresh
        self.next_id = following(ids)
        if are_unlike(ids):
            return
        seen: set[Id] = set()
        for number, head in enumerate(heads):
            if head is None or head.id is None:
                continue
            if head.id in seen:
                fresh[number] = self.next_id
                self.tell_renumbered(ledger, number, head.id)
                self.next_id += 1
            seen.add(head.id)

    def tell_renumbered(self, ledger: Ledger, number: int, identity: Id | None) -> None:
        message = f"annotation id {identity!r} stands twice; this one is now {self.fresh[number]}"
        place = self.place("annotations", number, "id", annotation=identity)
        self.problem(ledger, "duplicate-annotation-id", message, place, "give each annotation its own id", "warning")

    def _heads(
        self,
        whole: msgspec.Raw | None,
        raws: Sequence[msgspec.Raw],
        kind: Any,
        at: Callable[[int], Pointer],
        ledger: Ledger,
    ) -> list[Any]:
        """The ids of all elements; None for one that has no readable head, which is a problem."""
        if whole is None:
            return []
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            return msgspec.json.decode(whole, type=ready(list[kind]))
        out: list[Any] = []
        decoder = msgspec.json.Decoder(ready(kind))
        for number, raw in enumerate(raws):
            try:
                out.append(jsontext.decode(decoder, raw, self.file, at(number)))
            except InvalidInput as error:
                out.append(None)
                ledger.problem(Problem.of(self.located(error)))
        return out
