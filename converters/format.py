"""What a format is: the plug-in contract.

A format is one module (or one sub-package) with, in this order: a docstring that names its specification and its
coordinate convention; `Options`, whose fields become `--<format>-<field>` flags; `sniff`; `read`; `write`; and one
`FORMAT = Format(...)`. To add one of ours, add its line to `registry.BUILT_IN`; from outside, an entry point in the
group `annolake.formats` that names the `FORMAT` value. `annolake.converters.testing` then has the whole contract as a
test suite. Heavy imports belong inside `read` and `write`: the command line imports every format to know its flags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from ..schemas.errors import AnnolakeError, Place
from ..schemas.model import Catalog, Record
from .blocks import Block
from .fidelity import Fidelity
from .images import Exif, ImageFinder
from .ledger import Decision, Ledger
from .memory import Memory
from .shapeblocks import ShapeBlock
from .spelledblocks import SpelledBlock

Item = Record | Block | ShapeBlock | SpelledBlock
"""What a source streams: an image, or a run of them."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Base of a format's options. A field is `Annotated[type, msgspec.Meta(description=...)]` with a default; types
    are bool, int, str, float, Literal or one of them with None.
    """


class Sniffed(msgspec.Struct, frozen=True):
    """A format's verdict on a path, with the reason."""

    matches: bool
    reason: str


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader or a writer may need beyond its own options: where the pictures are, how their EXIF orientation
    counts, label names in order, for sources that have none, how much memory may be taken, and in
    how many processes a reader may look a set over (None: one a core for large sets). `before`: of how many annotations
    of earlier images the writer of a part may reckon; it need not be true. `boxes`: records are most likely wanted for
    a target that has boxes and no outlines, `shapes`: for one that takes `ShapeBlock`s; both where that depends on what
    the source holds.
    """

    images: ImageFinder | None = None
    exif: Exif = "turned"
    labels: tuple[str, ...] | None = None
    memory: Memory | None = None
    jobs: int | None = 1
    before: int = 0
    boxes: bool = False
    shapes: bool = False


class Records(Protocol):
    def __call__(self, ledger: Ledger, start: int = 0, stop: int | None = None, /) -> Iterator[Record]: ...


class Blocks(Protocol):
    def __call__(self, ledger: Ledger, start: int = 0, stop: int | None = None, /) -> Iterator[Item]: ...


def _as_it_is(place: Place) -> Place:
    return place


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """An opened source of `images` images. `records(ledger)` streams them, each call anew and in the same order;
    `records(ledger, start, stop)` only those with these numbers (from 0), so that several processes can share the
    work.

    `records_for(fidelity)`, where a reader has it, gives records for a target of that fidelity: facts that the target
    has no place for need not be worked out, as long as projected records and the books come out the same.
    `blocks_for(fidelity)`, where a reader has it, gives the same with runs of plain boxes as `Block`s among them,
    `shapes_for(fidelity)` with runs of outlined objects as `ShapeBlock`s, `spelled_for(fidelity)` as `SpelledBlock`s.
    `before(start)`, where a reader has counted, is about how many annotations the images before that number have.
    `locate` adds line and column to a place that has a pointer only.
    """

    catalog: Catalog
    records: Records
    images: int
    records_for: Callable[[Fidelity], Records] | None = None
    blocks_for: Callable[[Fidelity], Blocks] | None = None
    shapes_for: Callable[[Fidelity], Blocks] | None = None
    spelled_for: Callable[[Fidelity], Blocks] | None = None
    before: Callable[[int], int] | None = None
    locate: Callable[[Place], Place] = _as_it_is
    apart: bool = False


Way = Literal["records_for", "blocks_for", "shapes_for", "spelled_for"]
"""What a reading may offer for a target of some fidelity."""


class Written(msgspec.Struct, frozen=True):
    """What a writer counted while writing. An annotation is an object or a tag, however many rings it has.

    `decisions` are what only the writer could settle.
    """

    images: int
    annotations: int
    decisions: tuple[Decision, ...] = ()


class Indivisible(AnnolakeError):
    """What a writer of parts raises where only one process can write what was asked for, or what it has met."""


class Sniff(Protocol):
    def __call__(self, path: Path, /) -> Sniffed: ...


class Read(Protocol):
    def __call__(self, path: Path, options: Any, context: Context, ledger: Ledger, /) -> Reading: ...


class Write(Protocol):
    def __call__(
        self, path: Path, options: Any, context: Context, catalog: Catalog, records: Iterable[Record], /
    ) -> Written: ...


class WritePart(Protocol):
    def __call__(
        self, path: Path, part: int, options: Any, context: Context, catalog: Catalog, records: Iterable[Record], /
    ) -> Any: ...


class Join(Protocol):
    def __call__(
        self, path: Path, options: Any, context: Context, catalog: Catalog, parts: list[Any], /
    ) -> Written: ...


class Settle(Protocol):
    """Fixes options that depend on the data (YOLO's task), before anything is projected."""

    def __call__(
        self, options: Any, catalog: Catalog, records: Callable[[], Iterator[Record]], ledger: Ledger, /
    ) -> Any: ...


class Rearranged(Protocol):
    def __call__(self, facts: Any, relabelled: bool, splits: tuple[str, ...], /) -> Any: ...


class Picture(Protocol):
    def __call__(self, options: Any, catalog: Catalog, record: Record, /) -> str: ...


def _among_images(options: Any, catalog: Catalog, record: Record, /) -> str:
    return f"images/{record.image}"


def _unchanged(facts: Any, relabelled: bool, splits: tuple[str, ...], /) -> Any:
    return facts


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One format. `fidelity` and `output` answer for given options, so that flavours can differ.

    `output` says whether the target is a file or a folder; `owns` says whether a path relative to a target folder is
    one this format writes: only folders that hold nothing else may be overwritten. `readable`: whether what is written
    with given options can be read with them, by itself. `undivided`: why what is written with given options cannot be
    cut into shards, or None where it can. `to_read`: the options for a source of the same format as the
    target, whose options they are; `to_verify`: those to read with what was written with given ones. `rearranged` says
    what still holds of the facts in a catalogue's extras after labels were renamed or left out, or images dealt to new
    splits; `merged` what holds of several sources that become one, of the facts of each; `picture` where an image's
    picture belongs, relative to a target folder. A format whose images are written independently has `write_part` and
    `join` too: parts, each by a process of its own, and what makes one target of them; the result is the same bytes as
    by `write`, unless a part is `Indivisible`. `reads_bounded` and `writes_bounded` say whether reading and writing
    hold no more than the context's `memory` allows, however large the set is. `blocks`: what is written with given
    options may be handed over with `Block`s among the records; `shapes`: with `ShapeBlock`s, or with `RingBlock`s where
    the format has one ring an object, which say nothing that the format cannot hold; `spelled`: with `SpelledBlock`s,
    too, by a format that has outlines in COCO's spelling.
    """

    name: str
    title: str
    output: Callable[[Any], Literal["file", "folder"]]
    options: type[Options]
    fidelity: Callable[[Any], Fidelity]
    sniff: Sniff
    read: Read
    write: Write
    settle: Settle | None = None
    write_part: WritePart | None = None
    join: Join | None = None
    owns: Callable[[str], bool] = lambda _: False
    readable: Callable[[Any], bool] = lambda _: True
    undivided: Callable[[Any], str | None] = lambda _: None
    to_read: Callable[[Any], Any] = lambda options: options
    to_verify: Callable[[Any], Any] = lambda options: options
    rearranged: Rearranged = _unchanged
    merged: Callable[[Sequence[Any]], Any] = lambda facts: facts[0]
    reads_bounded: bool = False
    writes_bounded: Callable[[Any], bool] = lambda _: False
    picture: Picture = _among_images
    blocks: Callable[[Any], bool] = lambda _: False
    shapes: Callable[[Any], bool] = lambda _: False
    spelled: Callable[[Any], bool] = lambda _: False
    suffix: str = ""

    def __reduce__(self) -> tuple[object, ...]:
        """A format travels to another process as the name of the module that has it and its `Options`."""
        return _format_in, (self.options.__module__,)


def _format_in(module: str) -> Format:
    return import_module(module).FORMAT
