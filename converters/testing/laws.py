"""The laws of a format, for data sets that hypothesis makes up and for the sources of its fixtures.

What a target holds comes home; writing it again gives the same bytes; projecting twice changes nothing; nothing is lost
unbooked; and parts joined are the whole.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings

from ...schemas.errors import LossRefused, UsageError
from ...schemas.model import Catalog, Record
from .. import registry
from ..format import Context, Format, Options
from ..ledger import Ledger
from ..meaning import alike, things
from ..opening import streamed
from ..verifying import kept_facts
from .cases import Case, DataSet, read_all
from .passing import Lowered, contents, lowered, target_in, write_in_parts, write_out
from .strategies import EVERYTHING, datasets

_SUPPRESSED = [HealthCheck.differing_executors, HealthCheck.too_slow]
_HARD = msgspec.structs.replace(EVERYTHING, unique_stems=True)
"""All that the hub holds, under names that every format can write."""


class Laws:
    format: ClassVar[Format]

    @settings(max_examples=20, suppress_health_check=_SUPPRESSED)
    @given(made=datasets(_HARD))
    def test_what_it_holds_comes_home(self, flavour: Options, made: tuple[Catalog, list[Record]]) -> None:
        """And the books balance, and what was given is as it was."""
        data = DataSet(*made)
        before = deepcopy(data)
        given_ = lowered(self.format, flavour, data)
        with TemporaryDirectory() as folder:
            target = target_in(Path(folder), self.format, given_.options)
            write_out(self.format, given_, target)
            back = read_all(self.format, target, self.format.options(), Ledger())
        assert data == before
        assert_same(given_, back)

    @settings(max_examples=15, suppress_health_check=_SUPPRESSED)
    @given(made=datasets(_HARD))
    def test_written_again_it_is_the_same_bytes(self, flavour: Options, made: tuple[Catalog, list[Record]]) -> None:
        assume(made[1])
        with TemporaryDirectory() as folder:
            given_ = lowered(self.format, flavour, DataSet(*made))
            first, twice, second = (target_in(Path(folder), self.format, given_.options, f"out{n}") for n in range(3))
            write_out(self.format, given_, first)
            write_out(self.format, given_, twice)
            assert contents(first) == contents(twice)
            back = read_all(self.format, first, self.format.options(), Ledger())
            write_out(self.format, lowered(self.format, flavour, back), second)
            assert contents(first) == contents(second)

    @settings(max_examples=20, suppress_health_check=_SUPPRESSED)
    @given(made=datasets(_HARD))
    def test_a_second_projection_changes_nothing(self, flavour: Options, made: tuple[Catalog, list[Record]]) -> None:
        given_ = lowered(self.format, flavour, DataSet(*made))
        again, ledger = given_.again()
        assert again == given_.data.records
        assert (ledger.losses, ledger.added, ledger.dropped) == ({}, 0, 0)

    @settings(max_examples=15, suppress_health_check=_SUPPRESSED)
    @given(made=datasets(_HARD))
    def test_nothing_is_lost_that_it_declares(self, flavour: Options, made: tuple[Catalog, list[Record]]) -> None:
        """Projected once, a data set is one that the target holds: read back and projected anew, nothing is lost."""
        given_ = lowered(self.format, flavour, DataSet(*made))
        with TemporaryDirectory() as folder:
            target = target_in(Path(folder), self.format, given_.options)
            write_out(self.format, given_, target)
            back = read_all(self.format, target, self.format.options(), Ledger())
        assert lowered(self.format, flavour, back).ledger.refused() == []

    @settings(max_examples=8, suppress_health_check=_SUPPRESSED)
    @given(made=datasets(_HARD))
    def test_parts_joined_are_the_whole(self, flavour: Options, made: tuple[Catalog, list[Record]]) -> None:
        if self.format.write_part is None:
            pytest.skip("written in one piece")
        data = DataSet(*made)
        assume(data.records)
        with TemporaryDirectory() as folder:
            whole = target_in(Path(folder), self.format, flavour, "out0")
            write_out(self.format, lowered(self.format, flavour, data), whole)
            for count in (2, 3):
                parted = target_in(Path(folder), self.format, flavour, f"out{count}")
                write_in_parts(self.format, lowered(self.format, flavour, data), parted, count)
                assert contents(parted) == contents(whole)

    def test_a_source_comes_home(self, case: Case, flavour: Options, tmp_path: Path) -> None:
        """What a reader yields of a fixture, the writer of the same format writes so that it is read alike."""
        data = read_all(self.format, case.source, case.options(self.format), Ledger())
        first, second = (target_in(tmp_path, self.format, flavour, name) for name in ("out1", "out2"))
        try:
            given_ = lowered(self.format, flavour, data)
        except UsageError as error:
            pytest.skip(f"not a source for these options: {error}")
        try:
            write_out(self.format, given_, first)
        except UsageError as error:
            pytest.skip(f"not a source for these options: {error}")
        back = read_all(self.format, first, self.format.options(), Ledger())
        assert_same(given_, back)
        write_out(self.format, lowered(self.format, flavour, back), second)
        assert contents(first) == contents(second)

    def test_records_for_a_target_project_alike(self, case: Case) -> None:
        """A reader that leaves out what a target has no place for leaves out nothing else, and books alike."""
        reading = self.format.read(case.source, case.options(self.format), Context(), Ledger())
        if reading.records_for is None:
            pytest.skip("reads the same for every target")
        data = read_all(self.format, case.source, case.options(self.format), Ledger())
        for target in map(registry.get, registry.formats()):
            whole, some = Ledger(complete=True), Ledger(complete=True)
            records = list(streamed(reading, whole))
            with suppress(UsageError, LossRefused):
                settled = lowered(target, target.options(), DataSet(data.catalog, records))
                fitted = msgspec.structs.replace(reading, records=reading.records_for(settled.fidelity))
                less = lowered(target, target.options(), DataSet(data.catalog, list(streamed(fitted, some))))
                assert less.data.records == settled.data.records
                assert _both(less.ledger, some) == _both(settled.ledger, whole)


def assert_same(given: Lowered, back: DataSet) -> None:
    """What was written and what was read back mean the same, to the declared decimals. Ids may be others."""
    fidelity, wanted = given.fidelity, given.data
    tolerance = 0.0 if fidelity.decimals is None else 10.0**-fidelity.decimals
    assert back.catalog.coordinates == wanted.catalog.coordinates
    assert back.catalog.names()[: len(wanted.catalog.names())] == wanted.catalog.names()
    written = {record.image: record for record in wanted.records}
    read = {record.image: record for record in back.records}
    assert sorted(written) == sorted(read)
    for image, record in written.items():
        other = read[image]
        assert kept_facts(record, fidelity) == kept_facts(other, fidelity)
        mine, theirs = things(record), things(other)
        assert len(mine) == len(theirs), image
        for one, two in zip(mine, theirs, strict=True):
            assert alike(one, two, tolerance), f"{image}:\n{one.group}\n{two.group}"


def _both(projected: Ledger, read: Ledger) -> dict[str, int]:
    """What reader and projection together lose: a reader for a target may book what the projection would, and need not
    book as carried what the target has no place for.
    """
    together = Ledger(complete=True)
    together.add(projected)
    together.add(read)
    return {loss.code: loss.count for loss in together.refused()}
