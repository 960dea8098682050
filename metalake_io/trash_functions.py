"""The documented functions 2.10 and 2.11: into the trash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .arguments import checked
from .errors import ServiceRefused
from .parts import Parts

NOT_GIVEN = type("NotGiven", (str,), {})()
"""The documented default of a query, `""`, but no other empty text: where it means everything, that is a mistake."""


class TrashFunctions:
    """Each gives `{"message", "isSuccess"}`. `client.trash` counts what is meant, and shows the first of it."""

    parts: Parts

    @checked
    def trash_objects_from_collection(
        self,
        collection_id: str,
        query: str = NOT_GIVEN,
        filter: Mapping[str, Any] | None = None,
        *,
        confirmed: bool = False,
    ) -> dict[str, Any]:
        """2.10: `{"message", "isSuccess"}`. With the id alone the collection itself is meant: it goes to the trash
        with `confirmed=True`, and without it a UsageError says how many objects that would be.

        UsageError, before anything is sent, for a filter with unknown keys or types, for a query that is no text, and
        for a query or filter that is given and empty: the official SDK trashes everything then.
        `trash.count_in_collection` tells how many it would be.
        """
        everything = query is NOT_GIVEN and filter is None
        try:
            message = self.parts.trash.from_collection(
                collection_id, query, filter, everything=everything, confirmed=confirmed or not everything
            )
        except ServiceRefused as error:
            return error.as_dict()
        return {"message": message, "isSuccess": True}

    @checked
    def trash_objects_from_datalake(
        self, datalake_query: str = "", datalake_filter: Mapping[str, Any] | None = None, content_type: str = "image"
    ) -> dict[str, Any]:
        """2.11: `{"message", "isSuccess"}`. Images or videos of the whole lake; UsageError as 2.10, and without both
        query and filter.
        """
        try:
            message = self.parts.trash.from_datalake(datalake_query, datalake_filter, content_type, confirmed=True)
        except ServiceRefused as error:
            return error.as_dict()
        return {"message": message, "isSuccess": True}
