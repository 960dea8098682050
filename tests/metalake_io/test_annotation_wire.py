"""Shapes as they go over the wire."""

from __future__ import annotations

import json
import uuid

import pytest

from annolake.metalake_io.annotation_wire import Address, Reference, Run, element
from annolake.metalake_io.batches import batches
from annolake.schemas.errors import InvalidInput
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


def test_a_name_of_half_a_surrogate_pair_and_one_beyond_ascii_are_gathered_with_their_lengths() -> None:
    """Lengths in the body, where an element is a JSON text in a JSON text."""
    elements = [{"image": "a\ud800.png"}, {"image": 'ä"\\.png'}, {"image": "a.png"}]
    [batch] = batches((f"{number}", one) for number, one in enumerate(elements))
    assert [json.loads(text) for text in batch.elements] == elements
    body = json.dumps({"metaUpdatesArray": batch.array()})
    assert json.loads(json.loads(body)["metaUpdatesArray"]) == elements
    whole = sum(len(json.dumps(text)) for text in batch.elements)
    for most, gathered in ((whole, [3]), (whole - 7, [2, 1])):
        assert [len(one.names) for one in batches(((str(n), e) for n, e in enumerate(elements)), 9, most)] == gathered


def test_a_box_that_ends_beyond_all_numbers_is_not_sent_as_null() -> None:
    box = Rectangle(label="Car", bbox=(1e308, 0.0, 1e308, 1.0))
    with pytest.raises(InvalidInput, match="ends beyond all numbers") as caught:
        element(
            Record(image="a.png", annotations=[box]),
            Address(target="job"),
            Run("op", True, 0.0),
            {"Car": Reference("L")},
        )
    assert caught.value.place is not None
    assert (caught.value.place.image, caught.value.place.annotation) == ("a.png", 1)
