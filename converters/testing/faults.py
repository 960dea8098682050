"""Whatever breaks, only an error of ours comes out, it says where, and nothing half-written remains."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ...schemas.errors import AnnolakeError, InvalidInput, LocalFailure
from ..format import Format, Options
from ..ledger import Ledger
from .cases import Case, files_of, read_all
from .disk import failing_disk
from .passing import Lowered, contents, lowered, target_in, write_in_parts, write_out
from .samples import sample

HOSTILE = b'\x00\xff\xc3"{[}],:9-. \n#\\/e'
"""Bytes that mean something to a parser, and bytes that mean nothing to anybody."""

_HOSTILE_BYTE = st.sampled_from(HOSTILE).map(lambda value: bytes((value,)))

SMALL = 400
"""Files of up to so many bytes are damaged at every one of them."""


class Faults:
    format: ClassVar[Format]

    def test_a_source_cut_short_anywhere(self, case: Case) -> None:
        with _copied(case) as copy:
            for file, data in _small(copy):
                for length in range(len(data)):
                    file.write_bytes(data[:length])
                    survive(self.format, copy, case.options(self.format))
                file.write_bytes(data)

    def test_any_byte_replaced(self, case: Case) -> None:
        with _copied(case) as copy:
            for file, data in _small(copy):
                for at in range(len(data)):
                    hostile = HOSTILE[at % len(HOSTILE)]
                    file.write_bytes(data[:at] + bytes((hostile,)) + data[at + 1 :])
                    survive(self.format, copy, case.options(self.format))
                file.write_bytes(data)

    @settings(max_examples=15, suppress_health_check=[HealthCheck.differing_executors])
    @given(data=st.data())
    def test_several_wounds(self, case: Case, data: st.DataObject) -> None:
        with _copied(case) as copy:
            file = data.draw(st.sampled_from(files_of(copy)))
            content = bytearray(file.read_bytes())
            for _ in range(data.draw(st.integers(1, 4))):
                at = data.draw(st.integers(0, len(content)))
                until = data.draw(st.integers(at, min(at + 8, len(content))))
                content[at:until] = data.draw(st.binary(max_size=4) | _HOSTILE_BYTE)
            file.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
            survive(self.format, copy, case.options(self.format))

    def test_a_disk_that_fails_at_any_step(self, flavour: Options) -> None:
        ways = [write_out] if self.format.write_part is None else [write_out, _in_two_parts]
        for way in ways:
            given_ = lowered(self.format, flavour, sample())
            with TemporaryDirectory() as folder:
                target = target_in(Path(folder), self.format, given_.options)
                with failing_disk(Path(folder), None) as disk:
                    way(self.format, given_, target)
                first = contents(Path(folder))
                for step in range(1, disk.steps + 1):
                    for standing in (True, False):
                        if not standing:
                            _remove(target)
                        before = contents(Path(folder))
                        again = lowered(self.format, flavour, sample())
                        with failing_disk(Path(folder), step), pytest.raises(LocalFailure) as caught:
                            way(self.format, again, target)
                        assert caught.value.place.file is not None
                        assert contents(Path(folder)) == before, f"step {step} of {disk.steps}"
                    way(self.format, lowered(self.format, flavour, sample()), target)
                    assert contents(Path(folder)) == first

    def test_a_source_that_fails_in_the_middle(self, flavour: Options) -> None:
        """The record after the first is an error: the writer is left as it stands, and nothing remains."""
        given_ = lowered(self.format, flavour, sample())

        def failing() -> Any:
            yield given_.data.records[0]
            raise InvalidInput("not-json", "cut short")

        with TemporaryDirectory() as folder:
            target = target_in(Path(folder), self.format, given_.options)
            broken = replace(given_, data=replace(given_.data, records=failing()))
            with pytest.raises(InvalidInput, match="cut short"):
                write_out(self.format, broken, target)
            assert contents(Path(folder)) == {}


def survive(format_: Format, source: Path, options: Options) -> None:
    """Read a damaged source: it means something else now, or is refused properly, with the place. Whoever collects
    problems hears of the same ones that stop a conversion.
    """
    ledger = Ledger(lenient=True)
    try:
        read_all(format_, source, options, ledger)
        if any(problem.severity == "error" for problem in ledger.problems):
            with pytest.raises(InvalidInput) as caught:
                read_all(format_, source, options, Ledger())
            raise caught.value
    except InvalidInput as error:
        assert error.place.file is not None, error
        assert Path(error.place.file).is_relative_to(source if source.is_dir() else source.parent), error
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    except AnnolakeError as error:
        raise AssertionError(f"not the kind of error that a broken file is: {error!r}") from error


def _in_two_parts(format_: Format, given_: Lowered, target: Path) -> None:
    write_in_parts(format_, given_, target, 2)


@contextmanager
def _copied(case: Case) -> Generator[Path]:
    source = case.source
    with TemporaryDirectory() as folder:
        copy = Path(folder) / source.name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
        yield copy


def _small(copy: Path) -> list[tuple[Path, bytes]]:
    return [(file, data) for file in files_of(copy) if len(data := file.read_bytes()) <= SMALL]


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
