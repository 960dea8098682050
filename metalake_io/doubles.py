"""Files that a collection has twice: runs on two computers, which no lock keeps apart, may each bring one.

The service has no rule that forbids it, so its list is looked at, the newest first, when files have been brought.
"""

from __future__ import annotations

from collections.abc import Collection

from .collections import Collections
from .errors import TransferError
from .kinds import OBJECTS
from .listing import LARGEST_PAGE, Listing
from .service import Service

_NEWEST = {"sort_by_field": "date_created", "sort_order": "DESC"}


def doubled(service: Service, names: Collection[str], kind: str, collection: str) -> list[str]:
    """Which of the files that were just brought the collection has more than once; empty where it does not tell."""
    missing, twice = set(names), set[str]()
    try:
        prefix = Collections(service).storage_path(collection) + "_"
        for number, page in enumerate(Listing(service).pages(OBJECTS[kind], "", None, collection, _NEWEST), 1):
            here = (one.uniqueName.removeprefix(prefix) for one in page.objects if one.uniqueName.startswith(prefix))
            for name in here:
                if name in missing:
                    missing.remove(name)
                elif name in names:
                    twice.add(name)
            enough = number * LARGEST_PAGE >= 2 * len(names)
            if enough and (not missing or number * LARGEST_PAGE >= 4 * len(names) + LARGEST_PAGE):
                break
    except TransferError:
        return []
    return sorted(twice)
