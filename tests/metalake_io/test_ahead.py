"""One ahead: the next is made while this one is used, and never more than one."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Event

import pytest

from annolake.metalake_io.transfer.workers import ahead


def test_all_come_in_their_order() -> None:
    with ahead(iter(range(5))) as made:
        assert list(made) == [0, 1, 2, 3, 4]


def test_the_next_is_made_while_this_one_is_used() -> None:
    meeting = Barrier(2, timeout=10)

    def items() -> Iterator[str]:
        yield "used"
        meeting.wait()
        yield "made meanwhile"

    with ahead(items()) as made:
        assert next(made) == "used"
        meeting.wait()
        assert list(made) == ["made meanwhile"]


def test_no_more_than_one_is_made() -> None:
    begun: list[int] = []
    begun_two = Event()

    def items() -> Iterator[int]:
        for number in range(5):
            begun.append(number)
            if number == 1:
                begun_two.set()
            yield number

    with ahead(items()) as made:
        assert next(made) == 0
        assert begun_two.wait(10)
    assert begun == [0, 1]


def test_nothing_is_being_made_any_more_when_it_is_left() -> None:
    going, left = Event(), Event()
    whole: list[bool] = []

    def items() -> Iterator[int]:
        yield 0
        going.set()
        left.wait(0.1)
        whole.append(True)
        yield 1

    with pytest.raises(KeyError, match="an error of who uses it"), ahead(items()) as made:
        next(made)
        assert going.wait(10)
        raise KeyError("an error of who uses it")
    assert whole == [True]


def test_an_error_in_making_comes_after_what_was_made_before() -> None:
    def items() -> Iterator[int]:
        yield 0
        raise ValueError("cannot be made")

    with ahead(items()) as made:
        assert next(made) == 0
        with pytest.raises(ValueError, match="cannot be made"):
            next(made)
