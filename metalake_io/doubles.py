"""Files that a collection has twice: runs on two computers, which no lock keeps apart, may each bring one.

The service has no rule that forbids it, so its list is looked at, the newest first, when files have been brought.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from .collections import Collections
from .errors import TransferError
from .kinds import OBJECTS
from .listing import LARGEST_PAGE, Listing
from .service import Service

_NEWEST = {"sort_by_field": "date_created", "sort_order": "DESC"}


def doubled(service: Service, names: Sequence[str], kind: str, collection: str) -> list[str]:
    """Which of the files that were just brought (`names`, in order) the collection has more than once; empty where it
    does not tell.
    """
    seen, missing, twice = bytearray(len(names)), len(names), set[str]()  # sets of so many names would be large
    try:
        prefix = Collections(service).storage_path(collection) + "_"
        for number, page in enumerate(Listing(service).pages(OBJECTS[kind], "", None, collection, _NEWEST), 1):
            here = (one.uniqueName.removeprefix(prefix) for one in page.objects if one.uniqueName.startswith(prefix))
            for name in here:
                place = bisect_left(names, name)
                if place == len(names) or names[place] != name:
                    continue
                if seen[place]:
                    twice.add(name)
                else:
                    seen[place], missing = 1, missing - 1
            enough = number * LARGEST_PAGE >= 2 * len(names)
            if enough and (not missing or number * LARGEST_PAGE >= 4 * len(names) + LARGEST_PAGE):
                break
    except TransferError:
        return []
    return sorted(twice)
