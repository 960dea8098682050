"""Shapes as they go over the wire."""

from __future__ import annotations

import uuid

import pytest

from annolake.metalake_io.annotation_wire import Address, Reference, Run, element
from annolake.schemas.model import Record, Rectangle


@pytest.mark.parametrize("image", ["a.png", "b ü.png", "x" * 300, "dir/1.png"])
def test_ids_of_shapes_are_uuids_of_version_5(image: str) -> None:
    run = Run("op", human=True, stamp=1.5)
    record = Record(image=image, annotations=(Rectangle(label="Car", bbox=(1, 2, 3, 4)),) * 40)
    sent = element(record, Address(target="object_key"), run, {"Car": Reference("L")})
    for number, one in enumerate(sent["data"]["annotationObjects"], 1):
        name = repr(("op", image, number))
        assert one["id"] == f"shape_{uuid.uuid5(uuid.UUID('6f1f3c0e-6a68-5d0b-9f5e-3a1f0a5a7d11'), name)}"
        assert list(one)[:5] == ["boxBoundariesAndDimensions", "points", "id", "shapeId", "createdAt"]
