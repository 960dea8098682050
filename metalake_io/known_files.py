"""Files that an earlier run has brought into a collection, proven by the collection's own list instead of one by one.

The journal says what was sent, the list that it is still there. A file that is not in both is asked for like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .collections import Collections
from .errors import NotAuthorised, ServiceRefused
from .journal import Journal
from .journal_rows import FileRow, PartRow
from .kinds import OBJECTS
from .listing import LARGEST_PAGE, Listed, Listing
from .results import Item, weakest
from .scanning import Entry
from .sent_files import done, is_as_sent, outdated, sent_before
from .service import Service

_ASKING = 10
"""A page of the list is dear; asking for so many files one by one is not cheaper."""

_TOGETHER = 500
"""Files that the journal is asked for at once."""


class KnownFiles:
    """`doubled`: files that the collection has more than once, after `split`."""

    def __init__(self, service: Service, journal: Journal) -> None:
        self._service = service
        self._journal = journal
        self.doubled: list[str] = []

    def split(self, entries: Sequence[Entry], kind: str) -> tuple[Sequence[Entry], list[Item]]:
        """What is left to be sent or asked for; and the items of the files that are known to be there."""
        held = self._held(kind)
        if not held:
            return entries, []
        names = {entry.name for entry in entries}
        self.doubled = sorted(names.intersection(self.doubled))
        left: list[Entry] = []
        there: list[Item] = []
        for begin in range(0, len(entries), _TOGETHER):
            some = entries[begin : begin + _TOGETHER]
            rows = self._sent([entry.name for entry in some if entry.name in held])
            for entry in some:
                known = rows.get(entry.name)
                item = None if known is None else self._item(entry, held[entry.name], *known)
                if item is None:
                    left.append(entry)
                else:
                    there.append(item)
        return left, there

    def _sent(self, names: list[str]) -> dict[str, tuple[FileRow, list[PartRow]]]:
        """The files of these names that were acknowledged, each with its parts."""
        rows = self._journal.rows(FileRow, name=names, state="done")
        parts: dict[str, list[PartRow]] = {row.file_id: [] for row in rows}
        for part in self._journal.rows(PartRow, file_id=list(parts)):
            parts[part.file_id].append(part)
        return {row.name: (row, parts[row.file_id]) for row in rows if parts[row.file_id]}

    def _item(self, entry: Entry, size: int | None, row: FileRow, parts: list[PartRow]) -> Item | None:
        if size is not None and size != row.size:
            return None  # somebody else's: to be asked for
        source = entry.look()
        if isinstance(source, Item):
            return source
        if not is_as_sent(source, row, parts):
            return outdated(source)
        if source.modified != row.modified:
            self._journal.put(done(source, row))
        return sent_before(source, weakest(part.verified for part in parts))

    def _held(self, kind: str) -> dict[str, int | None]:
        """Names of the collection's files that the journal may know, with their sizes where the service tells them."""
        uploads = self._journal.uploads()
        count = self._journal.count(FileRow, state="done")
        if not uploads or not count:
            return {}
        collection = uploads[-1].collection
        try:
            prefix = Collections(self._service).storage_path(collection) + "_"
            pages = Listing(self._service).pages(OBJECTS[kind], "", None, collection)
            held: dict[str, int | None] = {}
            for number, page in enumerate(pages, 1):
                for name, size in _named(page.objects, prefix):
                    if name in held:
                        self.doubled.append(name)
                    held[name] = size
                if number * LARGEST_PAGE > count * _ASKING + LARGEST_PAGE:
                    break
        except (ServiceRefused, NotAuthorised):  # not every key may list
            return {}
        return held


def _named(objects: Iterable[Listed], prefix: str) -> Iterator[tuple[str, int | None]]:
    for one in objects:
        if one.uniqueName.startswith(prefix):
            yield one.uniqueName.removeprefix(prefix), one.size if one.size is not None else one.fileSize
