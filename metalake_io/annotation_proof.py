"""What the service holds of an annotation run already, so that nothing is sent twice: asked before a run that has a
journal, and whenever it is not known whether a batch has arrived.

Whether the same operation again replaces or adds is the service's affair; what it holds is not sent in either case.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import msgspec

from ..schemas.errors import AnnolakeError
from ..schemas.metalake_decoding import decode_record
from ..schemas.model import Annotation, Record, Rectangle
from .annotation_wire import Address
from .collection_pages import CollectionPages
from .collections import Collections
from .errors import NotAuthorised, ServiceRefused
from .journal import Journal
from .journal_rows import ImageRow
from .service import Service

_UNKNOWN_KEY = 401


class Proof:
    """`record` gives what is to be sent of an image, by its name; None for one that is none of ours. `is_exact`: the
    service gives coordinates back as they were sent, which it does not with fractions.
    """

    def __init__(
        self,
        service: Service,
        address: Address,
        operation: str,
        journal: Journal,
        record: Callable[[str], Record | None],
        *,
        is_exact: bool,
    ) -> None:
        self._service = service
        self._collection = address.collection_id
        self._prefix = address.prefix
        self._operation = operation
        self._journal = journal
        self._record = record
        self._is_exact = is_exact

    @property
    def is_possible(self) -> bool:
        """Whether the service can be asked: by collection only, and no name, path or job tells of which one it is."""
        return self._collection is not None

    def held(self, just_sent: Collection[str] = ()) -> set[str] | None:
        """Names of the images whose annotations the service has; None where it does not tell. Of those `just_sent`
        it is enough, where `is_exact` is not, that the number of shapes of each label is right. NotAuthorised where it
        no longer knows the key, with which nothing else could be done, either.
        """
        if self._collection is None:
            return None
        try:
            found = self._held(self._collection)
            return {image for image, theirs in found if self._is_held(image, theirs, image in just_sent)}
        except (ServiceRefused, NotAuthorised) as error:  # not every key may read, nor does every service let us
            if error.status == _UNKNOWN_KEY:
                raise
            self._collection = None
            return None

    def _held(self, collection: str) -> Iterator[tuple[str, Sequence[Annotation]]]:
        self._prefix = self._prefix or Collections(self._service).storage_path(collection) + "_"
        pages = CollectionPages(self._service, collection, "all", [self._operation], annotated_only=True)
        for page in pages:
            for raw in pages.annotations:
                try:
                    theirs = decode_record(raw, page.file, 0, _unheard)
                except AnnolakeError:
                    continue  # not as we would have sent it
                yield theirs.image.removeprefix(self._prefix), theirs.annotations
            pages.annotations.clear()

    def _is_held(self, image: str, theirs: Sequence[Annotation], is_sent: bool) -> bool:
        ours = self._record(image)
        if ours is None or not ours.annotations:  # none is what an image has, too, of which nothing was sent
            return False
        if len(ours.annotations) != len(theirs) or _labels(ours.annotations) != _labels(theirs):
            return False
        row = self._journal.get(ImageRow, self._operation, image)
        if row is not None and row.digest == digest(ours) and (row.state == "done" or not self._is_exact):
            return True
        if not self._is_exact:
            return is_sent
        return sorted(map(_content, ours.annotations)) == sorted(map(_content, theirs))


def digest(record: Record) -> str:
    """Of all that is sent of an image, whenever it is."""
    return hashlib.blake2b(msgspec.json.encode(record.annotations), digest_size=16).hexdigest()


def _labels(annotations: Sequence[Annotation]) -> Counter[tuple[type[Annotation], str]]:
    return Counter((type(one), one.label) for one in annotations)


def _content(annotation: Annotation) -> str:
    """What the service gives back as it was sent. Confidences of attributes it may have made its own."""
    numbers = annotation.bbox if isinstance(annotation, Rectangle) else annotation.xy
    attributes = {name: [one.value for one in values] for name, values in annotation.attributes.items() if values}
    kept: tuple[Any, ...] = (
        type(annotation).__name__,
        annotation.label,
        [float(number) for number in numbers],
        annotation.confidence,
        sorted(annotation.metadata.items()),
        sorted(attributes.items()),
    )
    return repr(kept)


def _unheard(_: Any) -> None:
    """Older forms are as good."""
