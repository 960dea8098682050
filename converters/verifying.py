"""What was written, read again and compared with what was to be written: the check that a conversion ends with.

Two comparisons for each image. What was read again is what the writer was handed, to the declared decimals; and what
the writer was handed is what the source says, except where the books say why not. Anything else is a defect of ours.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from ..schemas.errors import AnnolakeError, InvalidInput, Place
from ..schemas.figures import KINDS, NEAR
from ..schemas.keys import BOOKKEEPING, BY_NAME, IMAGE_BOOKKEEPING
from ..schemas.losses import BY_CODE
from ..schemas.model import Coordinates, Record, Tag
from ..schemas.plain import is_object
from .coordinates import in_space
from .fidelity import Fidelity
from .format import Reading
from .ledger import Ledger
from .matching import match
from .meaning import Thing, alike, differences, other_metadata, things
from .opening import streamed

IMAGES = 5_000
ANNOTATIONS = 50_000
"""Up to so many, a conversion verifies itself without being asked."""

_NOISE: dict[Coordinates, float] = {"pixels": 1e-6, "normalized": 1e-9}
"""What going from pixels to fractions and back may change."""
_REACH: dict[Coordinates, float] = {"pixels": 16.0, "normalized": 0.02}

_EXPLAINS = {
    "confidence-dropped": {"confidence"},
    "attribute-dropped": {"attributes"},
    "metadata-dropped": {"metadata", "extras"},
    "keypoints-dropped": {"keypoints"},
    "visibility-dropped": {"keypoints"},
    "crowd-as-object": {"metadata"},
    "label-merged": {"label"},
    "mask-reduced": {"metadata"},
    "shape-reduced": {"metadata"},
    "parts-disagree": {"label", "confidence", "attributes", "metadata", "extras"},
}
"""In which fields an object may differ for a loss of that code; any other loss of an annotation is one of its shape."""
_OF_SHAPE = frozenset(("type", "geometry", "keypoints", "bbox", "metadata"))

Project = Callable[[Record], Record]


def verify(
    source: Reading,
    back: Callable[[], Reading],
    project_with: Callable[[Ledger], Project],
    fidelity: Fidelity,
    space: Coordinates,
) -> None:
    """AnnolakeError (`verification-failed`) names the first image in which what was written, opened by `back`, is not
    what `source` and the projection make. `project_with` gives the projection that keeps the books handed to it.
    """
    again = _read_again(back)
    written: dict[str, bytes] = {}
    """What was read again and is not compared yet: little, where source and target have one order."""
    project = project_with(Ledger())
    one_by_one = _OneByOne(project_with, source.catalog.coordinates, space)
    for record in streamed(source, Ledger()):
        lowered = project(record)
        while lowered.image not in written:
            following = next(again, None)
            if following is None:
                raise _defect("it is not among the images that were written", lowered)
            written[following.image] = pickle.dumps(following, pickle.HIGHEST_PROTOCOL)
        _check_written(lowered, pickle.loads(written.pop(lowered.image)), fidelity, space)
        one_by_one.check(record, lowered)
    for name in (*written, *(record.image for record in again)):
        raise _defect("it was written, but the source does not have it", Record(image=name))


def _read_again(back: Callable[[], Reading]) -> Iterator[Record]:
    try:
        yield from streamed(back(), Ledger())
    except InvalidInput as error:
        record = Record(image=error.place.image or "")
        raise _defect(f"it cannot be read: {error.message} [{error.code}]", record) from error


def kept_facts(record: Record, fidelity: Fidelity) -> dict[str, object]:
    """What a target of that fidelity keeps of the image itself, but for the words of formats for where it is."""
    facts: dict[str, object] = {}
    if fidelity.image_size:
        facts.update(width=record.width, height=record.height)
    if fidelity.splits:
        facts["split"] = record.split
    if fidelity.image_facts:
        extras = {name: _meant(name, value) for name, value in record.extras.items()}
        facts.update(storage_name=record.storage_name, extras={k: v for k, v in extras.items() if v != {}})
    return facts


def _meant(name: str, facts: Any) -> Any:
    if name not in IMAGE_BOOKKEEPING or not is_object(facts):
        return facts
    return {key: value for key, value in facts.items() if key not in IMAGE_BOOKKEEPING[name]}


def _counts(books: Ledger) -> Counter[str]:
    return Counter({code: loss.count for code, loss in books.losses.items()})


def _check_written(lowered: Record, back: Record, fidelity: Fidelity, space: Coordinates) -> None:
    """The writer wrote what it was handed."""
    wanted, found = kept_facts(lowered, fidelity), kept_facts(back, fidelity)
    for fact, value in wanted.items():
        if value != found[fact]:
            raise _defect(f"its {fact.replace('_', ' ')} was to be {value!r}, and is {found[fact]!r}", lowered)
    tolerance = _NOISE[space] if fidelity.decimals is None else 10.0**-fidelity.decimals
    changed, missing, extra = _unlike(lowered, back, tolerance, space)
    for one, other in changed:
        if space == "pixels" and one.group[0].metadata.get("shape") in KINDS and alike(one, other, NEAR):
            continue  # written by the numbers of the figure, whose outline it is but for what somebody rounded
        fields, keys = differences(one, other, tolerance)
        if fields != ["metadata"] or not set(keys) <= _may_follow(one):
            raise _defect(f"written otherwise than meant: {_listed(fields, keys)}", lowered, one)
    for thing in missing:
        raise _defect("it is missing in what was written", lowered, thing)
    for thing in extra:
        raise _defect(f"a {thing.kind} {thing.label!r} was written that nobody asked for", lowered)


class _OneByOne:
    """What is handed to the writer is what the source has, but for what was booked. Each object is projected by itself,
    so that its own losses, and no others, explain in what it differs.
    """

    def __init__(self, project_with: Callable[[Ledger], Project], source: Coordinates, space: Coordinates) -> None:
        self.books = Ledger()
        self.project = project_with(self.books)
        self.source: Coordinates = source
        self.space: Coordinates = space

    def check(self, record: Record, lowered: Record) -> None:
        if record.annotations == lowered.annotations and record.tags == lowered.tags:
            return
        count = 0
        for thing in things(record):
            if isinstance(thing.group[0], Tag):
                alone = replace(record, annotations=(), tags=tuple(thing.group))
            else:
                alone = replace(record, annotations=thing.group, tags=())
            before = _counts(self.books)
            made = things(self.project(alone))
            count += len(made)
            [given] = things(in_space(alone, self.source, self.space))
            self._check_object(record, thing, given, made, _counts(self.books) - before)
        if count != len(things(lowered)):
            found = len(things(lowered))
            raise _defect(f"of {count} objects to be written {found} were left without a word about it", record)

    def _check_object(
        self, record: Record, thing: Thing, given: Thing, made: list[Thing], booked: Counter[str]
    ) -> None:
        reshaped = any(BY_CODE[code].what == "annotation" and code not in _EXPLAINS for code in booked)
        explained = {field for code in booked for field in _EXPLAINS.get(code, ())}
        if reshaped:
            explained |= _OF_SHAPE
        if not made and not reshaped:
            raise _defect("lost without a word about it", record, thing)
        if len(made) > 1 and not reshaped:
            raise _defect(f"became {len(made)} without a word about it", record, thing)
        for one in made:
            fields, keys = differences(given, one, _NOISE[self.space])
            odd = [field for field in fields if field not in explained]
            if odd == ["metadata"] and all(map(_is_form, other_metadata(given.group, one.group))):
                continue
            if odd:
                raise _defect(f"changed without a word about it: {_listed(odd, keys)}", record, thing)


def _may_follow(thing: Thing) -> set[str]:
    """What a shape is called may follow from what it has, and a computed one that was edited becomes a key frame."""
    return {"shape", "keyframe"} if thing.group[0].metadata.get("computed") is True else {"shape"}


def _is_form(key: str) -> bool:
    """`shape` follows from what the target is; that `geometry` went is booked by itself."""
    return key == "shape" or key in BOOKKEEPING or (key in BY_NAME and BY_NAME[key].purpose == "form")


def _unlike(
    a: Record, b: Record, tolerance: float, space: Coordinates
) -> tuple[list[tuple[Thing, Thing]], list[Thing], list[Thing]]:
    if a.annotations == b.annotations and a.tags == b.tags:
        return [], [], []

    def same(one: Thing, other: Thing) -> bool:
        return alike(one, other, tolerance)

    found = match(things(a), things(b), same, tolerance=tolerance, reach=_REACH[space])
    return found.changed, found.only_a, found.only_b


def _listed(fields: list[str], keys: list[str]) -> str:
    return ", ".join(fields) + (f" ({', '.join(keys)})" if keys else "")


def _defect(message: str, record: Record, thing: Thing | None = None) -> AnnolakeError:
    return AnnolakeError(
        "verification-failed",
        f"what was written is not what was meant, so it was withdrawn; {message}",
        place=Place(image=record.image or None, annotation=None if thing is None else thing.name),
        hint="this is a defect of annolake: please report it with the file; --no-verify leaves this check out",
    )
