"""Ids of a whole file at once are what they are one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from annolake.converters.coco.numbering import are_unlike, following, owners

_NEAR = st.integers(-5, 60)
_ANY = st.one_of(_NEAR, st.integers(), st.integers(2**63 - 2, 2**63 + 1), st.text(max_size=2))
_IDS = st.one_of(st.lists(_NEAR), st.lists(_ANY))


@given(_IDS, _IDS)
def test_owners(known: list[int | str], wanted: list[int | str]) -> None:
    index = {identity: number for number, identity in enumerate(dict.fromkeys(known))}
    assert owners(index, wanted).tolist() == [index.get(identity, -2) for identity in wanted]


@given(_IDS)
def test_what_follows_and_whether_one_stands_twice(ids: list[int | str]) -> None:
    numbers = [identity for identity in ids if isinstance(identity, int)]
    assert following(ids) == max(numbers, default=0) + 1
    assert are_unlike(ids) == (len(set(ids)) == len(ids))
