"""The short walk through a COCO file finds what the long one finds, and refuses what it refuses."""

from __future__ import annotations

import json

import pytest

from annolake.converters.coco.root import root_of
from annolake.schemas import jsontext
from annolake.schemas.errors import InvalidInput

IMAGES = '[{"id": 1, "a": "]"},\n {"id": 2} ]'
ANNOTATIONS = '[ {"id": 3, "images": [4, {"annotations": [5]}]} ,[6]]'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"images": {IMAGES}, "annotations": {ANNOTATIONS}, "categories": [7]}}',
        f' {{"info": {{"images": [8]}},\n"annotations": {ANNOTATIONS} , "images":{IMAGES}}}\n',
        f'{{"im\\u0061ges": {IMAGES}, "annotations": {ANNOTATIONS}}}',
        f'{{"images": [], "annotations": {ANNOTATIONS}}}',
        f'{{"images": {IMAGES}}}',
        f'{{"images": {IMAGES}, "annotations": null}}',
    ],
)
def test_members_and_elements_are_those_of_the_long_walk(text):
    data = text.encode()
    members, lists = root_of(data, "coco.json")
    wanted = jsontext.members(data, "coco.json")
    assert [(key, bytes(raw)) for key, raw in members.items()] == [(key, bytes(raw)) for key, raw in wanted.items()]
    for key, raws in lists.items():
        assert [json.loads(bytes(raw)) for raw in raws] == json.loads(text)[key]


def test_long_lists_are_found_in_one_walk():
    _, lists = root_of(f'{{"images": {IMAGES}, "annotations": {ANNOTATIONS}}}'.encode(), "coco.json")
    assert {key: len(raws) for key, raws in lists.items()} == {"images": 2, "annotations": 2}


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        (f'{{"images": {IMAGES}, "annotations": {ANNOTATIONS}, "images": [1]}}', "duplicate-key", None),
        (f'{{"annotations": [1], "images": {IMAGES}, "annotations": {ANNOTATIONS}}}', "duplicate-key", None),
        ('{"images": [1], "annotations": [2],}', "not-json", 36),
        ('{"images": [1], "annotations": [2] "a": 3}', "not-json", 36),
        ('{"images": [1], "annotations": [2]} 4', "not-json", 37),
        ('{"images": [1], "annotations": [2]', "not-json", 35),
    ],
)
def test_what_is_no_root_is_refused_where_it_is_wrong(text, code, column):
    with pytest.raises(InvalidInput) as refused:
        root_of(text.encode(), "coco.json")
    assert refused.value.code == code
    assert column in (None, refused.value.place.column)
