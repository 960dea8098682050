"""One COCO file, opened for a target of boxes: its annotations are read into columns at once, and then not again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .columns import ODD, Columns, columns, joined
from .piecewise import Elements, PieceDocument
from .root import Span


class BoxDocument(PieceDocument[Columns]):
    """`columns` say all of each annotation that a target of boxes wants to know."""

    def read(self, spans: Sequence[Span]) -> Columns | None:
        return columns(self.data, spans)

    def joined(self, parts: Sequence[Columns]) -> Columns:
        return joined(parts)

    def elements(self, found: Columns, whole: msgspec.Raw) -> Sequence[msgspec.Raw]:
        return Elements(self.data, whole, len(found.ids), found.odd)

    def _check_kind(self) -> None:
        if self.columns is None or self.columns.kinds[0] == ODD:
            super()._check_kind()
