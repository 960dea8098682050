"""A collection into a folder, in any format: annotations converted, pictures where the format wants them.

    DST/images/...  DST/annotations.json        COCO, MetaLake JSON, CVAT: `annotations` with the format's suffix
    DST/images/train/...  DST/data.yaml  ...    formats that are folders: as they are laid out

What `push` has left in metadata (`facts`) comes home; images of others keep their names without the collection's.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from ..converters import Choice, Report, convert, registry
from ..converters.choosing import chosen
from ..converters.files import local_failure, write_pieces
from ..converters.format import Context, Format, Options
from ..converters.images import Exif
from ..converters.ledger import Ledger
from ..converters.opening import Progress
from ..converters.projection import Carry
from ..schemas.errors import InvalidInput, UsageError
from ..schemas.model import Coordinates
from ..schemas.names import is_safe_name
from .collection_pages import Entry
from .downloads import OnItem
from .errors import ProtocolError, ServiceRefused
from .facts import parsed, restored
from .partfiles import write_whole
from .parts import Parts
from .results import DownloadReport
from .rows import attached
from .transfer.bodies import Moved

_OURS = ".annolake"
_MARK, _WORK = f"{_OURS}-export.json", f"{_OURS}-work"
_OF_FILES = (".json", ".txt", ".xml", ".yaml", ".yml", ".zip")


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: `files` are the pictures, `conversion` the annotations, which stand at `target`."""

    files: DownloadReport
    conversion: Report
    target: str


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What of a collection is wanted, and how it is to be written; the words are those of `convert` and of `download`.

    `images`: pictures come along.
    """

    annotation_type: str = "all"
    operation_ids: Sequence[str] = ()
    images: bool = True
    coordinates: Coordinates | None = None
    carry: Carry = "full"
    exif: Exif = "turned"
    allow_loss: bool = False
    verify: bool | None = None
    choice: Choice | None = None
    labels: tuple[str, ...] | None = None
    options: Mapping[str, Options] = {}
    complete_report: bool = True


def export(
    parts: Parts,
    collection_id: str,
    target: Path,
    to: str,
    wishes: Wishes,
    *,
    progress: Progress | None = None,
    on_total: Callable[[int], None] | None = None,
    on_item: OnItem | None = None,
    moved: Moved | None = None,
) -> Exported:
    """Fetch and convert. Where sizes are not known, they come from the pictures. The same call again fetches only what
    is missing, and writes the annotations anew. `on_total` hears how many pictures will be fetched.

    LossRefused, InvalidInput, UsageError, LocalFailure as of `convert`: then no annotations have been written.
    PartlyDone, with the report of the pictures, where sizes cannot be known because pictures are missing.
    """
    writer = registry.get(to)
    options = wishes.options.get(to) or writer.options()
    _check(target, collection_id, to)
    source = _Source(parts, collection_id, wishes)
    if not source.entries:
        raise InvalidInput("empty-collection", "the service has no files in this collection", hint="check its id")
    with _workplace(target) as work:
        lake = work / "annotations.json"
        write_pieces(lake, source.document())
        entries = _placed(source, lake, writer, options, wishes)
        pictures = target if wishes.images else work / "pictures"

        def fetch() -> DownloadReport:
            if wishes.images:
                _mark(target, collection_id, to)
            if on_total is not None:
                on_total(len(entries))
            return parts.downloads.fetch(entries, pictures, on_item=on_item, moved=moved)

        files = DownloadReport() if source.sized else fetch()
        files.raise_for_failures("pictures, whose sizes are wanted")
        out = work / f"out{writer.suffix}"
        with attached(files):
            conversion = convert(
                lake,
                out,
                to=to,
                from_="metalake",
                images=None if source.sized else pictures,
                coordinates=wishes.coordinates,
                allow_loss=wishes.allow_loss,
                carry=wishes.carry,
                exif=wishes.exif,
                verify=wishes.verify,
                choice=wishes.choice,
                labels=wishes.labels,
                complete_report=wishes.complete_report,
                options=wishes.options,
                progress=progress,
            )
        if source.sized and wishes.images:
            files = fetch()
        elif not wishes.images:
            files = DownloadReport()
        with attached(files):
            _mark(target, collection_id, to)
            place = _install(out, target, writer, options)
    files.notes = [*source.notes, *files.notes]
    files.items += source.short
    files.images, files.annotations_file = conversion.written.get("images", 0), str(place)
    named = msgspec.structs.replace(conversion, source=f"collection {collection_id}", target=str(place))
    return Exported(files=files, conversion=named, target=str(place))


class _Source:
    """A collection as the service has it, with what is known of it from `push`."""

    def __init__(self, parts: Parts, collection_id: str, wishes: Wishes) -> None:
        self.notes: list[str] = []
        wanted = {"storagePath": True, "metadata": True}
        details = parts.collections.details(collection_id, wanted)
        self._front = f"{details['storagePath']}_" if details.get("storagePath") else ""
        self._root = {key: value for key, value in parsed(details.get("metadata")).items() if key != "images"}
        self.entries, self._images, self.short = parts.downloads.gathered(
            collection_id, annotation_type=wishes.annotation_type, operation_ids=wishes.operation_ids
        )
        self._facts = self._listed(parts, collection_id)
        self._names = self._named()

    def document(self) -> list[bytes]:
        """MetaLake JSON of all of it."""
        self.sized = True
        images: list[dict[str, Any]] = []
        for raw in self._images:
            plain: dict[str, Any] = msgspec.json.decode(raw)
            unique = str(plain.get("image"))
            image = restored(plain, self._facts.get(unique, {}), self.name(unique))
            self.sized = self.sized and bool(image.get("width") and image.get("height"))
            images.append(image)
        return [msgspec.json.encode({"images": images, **self._root})]

    def name(self, unique: str) -> str:
        return self._names.get(unique, unique)

    def _named(self) -> dict[str, str]:
        """The names that images had; each once, and none that leads elsewhere: the service is not trusted."""
        names: dict[str, str] = {}
        taken: set[str] = set()
        for entry in self.entries:
            known = self._facts.get(entry.name, {}).get("image")
            for name in (known, entry.name.removeprefix(self._front), entry.name):
                if isinstance(name, str) and is_safe_name(name.removeprefix("/")) and name not in taken:
                    taken.add(name)
                    names[entry.name] = name
                    break
        return names

    def _listed(self, parts: Parts, collection_id: str) -> dict[str, dict[str, Any]]:
        """Facts by unique name. A service that lists nothing has none."""
        try:
            kind = parts.listing.content_type_of(collection_id)
            pages = parts.listing.pages(kind, "", None, collection_id)
            return {one.uniqueName: parsed(one.metadata) for page in pages for one in page.objects}
        except (ServiceRefused, ProtocolError) as error:
            self.notes.append(f"names, sizes and splits as they were pushed are not known: {error.message}")
            return {}


def _placed(source: _Source, lake: Path, writer: Format, options: Options, wishes: Wishes) -> list[Entry]:
    """Each file with the place where the format wants it; files of images that are not wanted are left out."""
    ledger = Ledger(lenient=True)
    metalake = registry.get("metalake")
    reading = metalake.read(lake, metalake.options(), Context(labels=wishes.labels), ledger)
    if wishes.choice is not None:
        reading = chosen(reading, wishes.choice, ledger)
    places = {
        record.image: writer.picture(options, reading.catalog, record)
        for record in reading.records(Ledger(lenient=True))
    }
    return [
        msgspec.structs.replace(entry, where=places[name])
        for entry in source.entries
        if (name := source.name(entry.name)) in places
    ]


def _check(target: Path, collection_id: str, to: str) -> None:
    """UsageError where the folder is not one that this may be written to."""
    if not target.parent.is_dir():
        raise UsageError("no-folder", f"there is no folder {target.parent}", hint="make it first")
    if not os.path.lexists(target):
        if target.suffix.lower() in _OF_FILES:
            message = f"{target} would be a folder: pictures and annotations go into one, whatever the format"
            hint = f"name a folder, such as {target.with_suffix('')}"
            raise UsageError("target-is-folder", message, hint=hint)
        return
    if not target.is_dir():
        raise UsageError("target-no-folder", f"{target} is no folder", hint="choose another name")
    mark = target / _MARK
    try:
        if all(path.name.startswith(_OURS) for path in target.iterdir()) or (
            mark.is_file() and mark.read_bytes() == _mark_of(collection_id, to)
        ):
            return
    except OSError as error:
        raise local_failure(error, target) from None
    message = f"{target} holds something else than an export of this collection as {to}"
    raise UsageError("target-exists", message, hint="choose another folder")


@contextmanager
def _workplace(target: Path) -> Generator[Path]:
    """A folder for what is in the making, within the target, so that all of it can be renamed to its place. What a run
    that was killed has left there is removed; so is the target in the end, if it is empty and was not there before.
    """
    work, new = target / _WORK, not target.exists()
    try:
        target.mkdir(exist_ok=True)
        if work.is_symlink():
            work.unlink()
        elif work.exists():
            shutil.rmtree(work)
        work.mkdir()
    except OSError as error:
        raise local_failure(error, work) from None
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if new:
            with suppress(OSError):
                target.rmdir()


def _mark(target: Path, collection_id: str, to: str) -> None:
    """Say whose the folder is, so that the same command may come back to it."""
    write_whole(target / _MARK, [_mark_of(collection_id, to)])


def _mark_of(collection_id: str, to: str) -> bytes:
    return msgspec.json.encode({"collection": collection_id, "format": to}) + b"\n"


def _install(out: Path, target: Path, writer: Format, options: Options) -> Path:
    """Bring what was written into the folder; what stands there already and is the same is left."""
    if writer.output(options) == "file":
        place = target / f"annotations{writer.suffix}"
        _put(out, place, lambda _: True)
        return place
    for entry in sorted(out.iterdir()):
        _put(entry, target / entry.name, writer.owns)
    return target


def _put(new: Path, place: Path, owns: Callable[[str], bool]) -> None:
    for folder, _, names in os.walk(place):
        for name in names:
            path = Path(folder, name)
            if not owns(path.relative_to(place.parent).as_posix()):
                raise UsageError("target-holds-other-files", f"{path} is not ours to replace", hint="move it elsewhere")
    try:
        if place.is_file() and new.is_file() and filecmp.cmp(new, place, shallow=False):
            return
        if place.is_dir():
            os.replace(place, new.with_name(f"{new.name}.old"))
        os.replace(new, place)
    except OSError as error:
        raise local_failure(error, place) from None
