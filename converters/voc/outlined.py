"""Files of the ordinary form but for polygons and our own notes, read by a pattern: what annolake and Roboflow write of
outlined objects. As exact as `ordinary`: a file that differs in anything is left to the XML parser, which makes the
same of it.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...schemas.geometry import open_ring
from ...schemas.model import Annotation, Polygon, Rectangle
from .glance import Glance, ImageNote, ObjectNote, glance_at_ordinary, image_note, object_note
from .ordinary import NOTED_END, NUMBER, OUTLINED, Ordinary, framed, numbers
from .rings import CLOSED, note_box, vertex_names

_VERTEX = re.compile(rf"<([xy][0-9]+)>({NUMBER})</\1>")


class Outlined(msgspec.Struct, gc=False):
    """What a file says: `plain` but for the outlines; of each object the vertices of its ring x1, y1, x2, y2, ... as
    they stand, nothing where it has none; what is noted of each object, and of the image.
    """

    plain: Ordinary
    rings: list[list[int | float]]
    notes: list[ObjectNote]
    note: ImageNote

    def glance(self) -> Glance:
        """What a survey wants to know of it."""
        glance = glance_at_ordinary(self.plain)
        glance.labels = {note.label for note in self.notes if note.label.strip()}
        glance.zero = glance.zero or any(min(ring) <= 0 for ring in self.rings if ring)
        glance.image = self.note.image
        return glance

    def annotations(self, shift: int) -> list[Annotation] | None:
        """The objects, `shift` taken off minima of boxes and off all vertices; None where one takes a closer look."""
        out: list[Annotation] = []
        corners = iter(self.plain.corners)
        each = zip(self.rings, self.notes, corners, corners, corners, corners, strict=False)
        for number, (ring, note, left, top, right, bottom) in enumerate(each):
            x, y = left - shift, top - shift
            box = x, y, right - x, bottom - y
            if box[2] <= 0 or box[3] <= 0 or not note.label.strip() or note.homeless:
                return None
            metadata = self.plain.metadata.get(number, {})
            xy = open_ring([value - shift for value in ring] if shift else ring)
            if ring:
                if len(xy) < 6:
                    return None
                if len(xy) < len(ring):
                    metadata["voc_outline"] = CLOSED
                note_box(xy, box, metadata)
            note.state(metadata)
            common: dict[str, Any] = {"label": note.label, "metadata": metadata, "extras": note.extras}
            out.append(Polygon(xy=xy, **common) if ring else Rectangle(bbox=box, **common))
        return out


def outlined(data: bytes) -> Outlined | None:
    """What a file of this form says; None for any other."""
    frame = framed(data, OUTLINED, NOTED_END)
    if frame is None:
        return None
    rings = [_ring(each[-2]) for each in frame.objects]
    if None in rings:
        return None
    return Outlined(
        frame.boxes(),
        [ring for ring in rings if ring is not None],
        [object_note(each[1], each[-1]) for each in frame.objects],
        image_note(frame.end[1]),
    )


def _ring(text: str) -> list[int | float] | None:
    """The vertices in a polygon of three and more; nothing where there is no polygon; None for any other."""
    if not text:
        return []
    pieces = _VERTEX.split(text)
    names, texts = pieces[1::3], pieces[2::3]
    if len(names) < 6 or names != vertex_names(len(names)) or "".join(set(pieces[::3])).strip(" \t\r\n"):
        return None
    return numbers(texts)
