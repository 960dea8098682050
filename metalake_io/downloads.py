"""Downloads: a collection with its annotations, and pages of listed files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..schemas.errors import AnnolakeError, LocalFailure, UsageError
from .annotation_file import write_annotations
from .collection_pages import CollectionPages, Entry
from .errors import NotAuthorised, ServiceRefused, TransferError
from .fetching import Fetcher
from .jobs import Jobs
from .kinds import OBJECTS
from .landing import Wanted
from .listing import Listed, Listing, Page
from .localnames import checked_name, folder_below, one_key, place_below, real_folder, takes_for_one
from .results import DownloadReport, Item
from .rows import attached, in_rows, not_begun
from .service import Service
from .transfer.bodies import Moved

OnItem = Callable[[Item], None]
"""Told of each item as it is done, from the thread that called."""

_TYPES = ("all", "human", "machine")


class Downloads:
    """Runs at the same time into one folder are kept apart by the commands; without that, a file that two of them fetch
    is refused to both rather than mixed.
    """

    def __init__(self, service: Service, *, idle: float) -> None:
        self._service = service
        self._idle = idle

    def collection(
        self,
        collection_id: str,
        folder: Path,
        *,
        annotation_type: str = "all",
        operation_ids: Sequence[str] = (),
        media: bool = True,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
    ) -> DownloadReport:
        """A collection's annotation JSON, and its files under `data`, in a folder below `folder` that it names.

        The JSON holds all images in the service's order, as soon as all pages are there, whatever becomes of the
        files. Items are the files; a name that is not safe is one that failed. NotAuthorised, LocalFailure and
        what stops a page are raised, with the report so far.
        """
        if not collection_id:
            raise UsageError("collection-id", "the collection id is empty")
        if annotation_type not in _TYPES:
            raise UsageError("annotation-type", f"the annotation type is one of {', '.join(_TYPES)}")
        pages = CollectionPages(self._service, collection_id, annotation_type, operation_ids)
        report = DownloadReport()
        fetcher = Fetcher(self._service, idle=self._idle, moved=moved)
        root: Path | None = None
        names: _Names | None = None
        try:
            with attached(report), fetcher:
                for page in pages:
                    if root is None or names is None:
                        root = folder_below(real_folder(folder), page.folder)
                        report.folder, names = str(root), _Names(root)
                        checked_name(page.file, single=True)
                    if media:
                        self._fetch(fetcher, _wanted(root, page.entries, names, report), report, on_item)
                if root is not None and pages.file is not None:
                    target = place_below(root, pages.file)
                    write_annotations(target, pages.annotations)
                    report.annotations_file, report.images = str(target), len(pages.annotations)
                else:
                    report.notes.append("the service has no data for this collection")
                report.items += pages.short()
        except TransferError as error:
            Jobs(self._service).tell_download(pages.session_id, error.message)
            raise
        if not Jobs(self._service).tell_download(pages.session_id, "" if report.complete else "some files failed"):
            report.notes.append("the service did not take note of the download; nothing is missing")
        return report

    def gathered(
        self, collection_id: str, *, annotation_type: str = "all", operation_ids: Sequence[str] = ()
    ) -> tuple[list[Entry], list[msgspec.Raw], list[Item]]:
        """All files of a collection, none fetched yet; its images with their annotations, as JSON; a row for what the
        service did not list, although it says it is there.
        """
        pages = CollectionPages(self._service, collection_id, annotation_type, operation_ids)
        entries = [entry for page in pages for entry in page.entries]
        return entries, pages.annotations, pages.short()

    def fetch(
        self,
        entries: Iterable[Entry],
        folder: Path,
        *,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
    ) -> DownloadReport:
        """Files that were gathered, below `folder`. Errors as of `collection`."""
        return self._fetch_all(entries, real_folder(folder), DownloadReport(folder=str(folder)), on_item, moved)

    def from_datalake(
        self,
        item_type: str,
        folder: Path,
        *,
        page_index: int = 0,
        page_size: int = 20,
        query: str = "",
        filter: Mapping[str, Any] | None = None,
        sort_order: Mapping[str, Any] | None = None,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
    ) -> DownloadReport:
        """One page of files of the whole lake, each at `folder/<unique name>`."""
        if item_type not in OBJECTS:
            raise UsageError("item-type", f"the item type is one of {', '.join(OBJECTS)}")
        page = Listing(self._service).page(OBJECTS[item_type], page_index, page_size, query, filter, sort_order)
        return self._listed(page, folder, on_item, moved)

    def from_collection(
        self,
        collection_id: str,
        folder: Path,
        *,
        page_index: int = 0,
        page_size: int = 20,
        query: str = "",
        filter: Mapping[str, Any] | None = None,
        sort_order: Mapping[str, Any] | None = None,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
    ) -> DownloadReport:
        """One page of files of a collection, each at `folder/<unique name>`."""
        if not collection_id:
            raise UsageError("collection-id", "collection_id should not empty")
        listing = Listing(self._service)
        kind = listing.content_type_of(collection_id)
        page = listing.page(kind, page_index, page_size, query, filter, sort_order, collection_id)
        return self._listed(page, folder, on_item, moved)

    def all_listed(
        self,
        folder: Path,
        *,
        item_type: str = "image",
        collection_id: str | None = None,
        query: str = "",
        filter: Mapping[str, Any] | None = None,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
    ) -> DownloadReport:
        """All files of a list, of the whole lake or of a collection, each at `folder/<unique name>`.

        One report of all pages; whatever stops them is raised with the report so far. ServiceRefused where the list
        does not come to its end.
        """
        if collection_id is None and item_type not in OBJECTS:
            raise UsageError("item-type", f"the item type is one of {', '.join(OBJECTS)}")
        listing = Listing(self._service)
        kind = OBJECTS[item_type] if collection_id is None else listing.content_type_of(collection_id)
        whole = DownloadReport()
        root = real_folder(folder)
        whole.folder = str(root)
        names = _Names(root)
        fetcher = Fetcher(self._service, idle=self._idle, moved=moved)
        with attached(whole), fetcher:
            for page in listing.pages(kind, query, filter, collection_id):
                self._fetch(fetcher, _wanted(root, map(_entry, page.objects), names, whole), whole, on_item)
        return whole

    def _listed(self, page: Page, folder: Path, on_item: OnItem | None, moved: Moved | None) -> DownloadReport:
        report = DownloadReport(message=page.message, last_page=page.last)
        if not page.objects:
            return report
        root = real_folder(folder)
        report.folder = str(root)
        return self._fetch_all(map(_entry, page.objects), root, report, on_item, moved)

    def _fetch_all(
        self,
        entries: Iterable[Entry],
        root: Path,
        report: DownloadReport,
        on_item: OnItem | None,
        moved: Moved | None,
    ) -> DownloadReport:
        fetcher = Fetcher(self._service, idle=self._idle, moved=moved)
        with attached(report), fetcher:
            self._fetch(fetcher, _wanted(root, entries, _Names(root), report), report, on_item)
        return report

    def _fetch(
        self, fetcher: Fetcher, wanted: Iterable[Wanted], report: DownloadReport, on_item: OnItem | None
    ) -> None:
        """All of them, many at once; in the report they stand in the order of the list."""

        def fetch(one: Wanted) -> Item:
            try:
                return fetcher.fetch(one)
            except (NotAuthorised, LocalFailure):
                raise
            except AnnolakeError as error:
                return Item.failed(one.name, error)

        in_rows(
            list(wanted), fetch, self._service.at_once, report, waiting=_waiting, under_way=_called_off, on_item=on_item
        )


def _entry(listed: Listed) -> Entry:
    return Entry(name=listed.uniqueName, url=listed.url, size=listed.size or listed.fileSize)


def _waiting(wanted: Wanted) -> Item:
    return not_begun([wanted.name], "not fetched", size=wanted.size)[0]


def _called_off(wanted: Wanted) -> Item:
    return Item(name=wanted.name, state="failed", reason="called off on its way", retry_helps=True)


class _Names:
    """The places that are given away already; each to one file only, as the disk counts them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._taken: dict[str, set[str]] = {}
        self._one: bool | None = None

    def take(self, where: str) -> None:
        """ServiceRefused where another file has that place."""
        taken = self._taken.setdefault(one_key(where), set())
        if where in taken:
            raise ServiceRefused("name-twice", "the service lists two files of this name; the first is kept")
        if taken:
            if self._one is None:
                self._one = takes_for_one(self._root)
            if self._one:
                message = f"this disk takes the name for {min(taken)!r}, which is there already"
                raise ServiceRefused("name-twice", message, hint="choose a folder on a disk that tells them apart")
        taken.add(where)


def _wanted(root: Path, entries: Iterable[Entry], names: _Names, report: DownloadReport) -> Iterator[Wanted]:
    """What can be fetched; what cannot is in the report at once."""
    for entry in entries:
        if not entry.url:
            continue
        where = entry.where or (f"{entry.folder}/{entry.name}" if entry.folder else entry.name)
        try:
            path = place_below(root, where)
            names.take(where)
        except ServiceRefused as error:
            report.items.append(Item.failed(entry.name, error))
            continue
        yield Wanted(entry.name, entry.url, path, entry.size)
