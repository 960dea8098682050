"""How a format behaves in the house: known by its files, loaded late, portable, described."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ...schemas.errors import AnnolakeError, InvalidInput, Place
from .. import described, registry
from ..format import Context, Format, Options
from ..ledger import Ledger
from ..memory import LEAST, memory_of
from .cases import Case, DataSet, read_all
from .passing import lowered, target_in, write_out
from .samples import sample

T = TypeVar("T")

HEAVY = ("numpy", "lxml", "PIL", "yaml", "pycocotools")


class House:
    format: ClassVar[Format]

    def test_its_sources_name_it_and_nobody_else(self, case: Case) -> None:
        others = {name: registry.get(name) for name in registry.formats()}
        verdicts = {name: other.sniff(case.source) for name, other in {**others, self.format.name: self.format}.items()}
        assert [name for name, verdict in verdicts.items() if verdict.matches] == [self.format.name], verdicts

    def test_what_it_writes_names_it_and_nobody_else(self, flavour: Options, tmp_path: Path) -> None:
        given_ = lowered(self.format, flavour, sample())
        target = target_in(tmp_path, self.format, given_.options)
        write_out(self.format, given_, target)
        self.test_its_sources_name_it_and_nobody_else(Case(_as_case(target)))

    def test_nothing_names_it(self, tmp_path: Path) -> None:
        (tmp_path / "empty folder").mkdir()
        names = ["empty folder", "empty", f"empty{self.format.suffix}", "empty.txt", "empty.json", "empty.xml"]
        for name in names[1:]:
            (tmp_path / name).touch()
        for path in [*(tmp_path / name for name in names), tmp_path / "absent"]:
            assert not self.format.sniff(path).matches, path

    @settings(max_examples=30, suppress_health_check=[HealthCheck.differing_executors])
    @given(noise=st.binary(min_size=1, max_size=200), suffix=st.sampled_from(["", ".txt", ".json", ".xml"]))
    def test_noise_does_not_name_it(self, tmp_path_factory: pytest.TempPathFactory, noise: bytes, suffix: str) -> None:
        """Hypothesis knows the constants of the code: bytes with a word in them are no noise."""
        assume(re.search(rb"[a-z]{5}", noise) is None)
        path = tmp_path_factory.mktemp("noise") / f"noise{suffix}"
        path.write_bytes(noise)
        assert not self.format.sniff(path).matches

    def test_it_loads_late(self) -> None:
        """The command line imports every format to know its flags: heavy imports belong inside `read` and `write`."""
        assert _loaded_by(f"import {self.format.options.__module__}", HEAVY) == []

    def test_it_reads_image_by_image(self, flavour: Options, tmp_path: Path) -> None:
        """The first record is there before the files of the others are opened: all are held by no one, where memory is
        limited. Elsewhere a reader may keep what it has looked at, up to a limit of its own.
        """
        if self.format.write_part is None or self.format.suffix:
            pytest.skip("not a format with files for each image")
        given_ = lowered(self.format, flavour, sample([f"{number:03}.jpg" for number in range(40)]))
        target = target_in(tmp_path, self.format, given_.options)
        write_out(self.format, given_, target)
        context = Context(memory=memory_of(LEAST))
        records = self.format.read(target, self.format.options(), context, Ledger()).records(Ledger())
        assert next(records).image == "000.jpg"
        for file in target.rglob("*"):
            if file.is_file():
                file.write_bytes(b"\0 something else by now")
        with pytest.raises(InvalidInput):
            list(records)

    def test_its_parts_are_portable(self, flavour: Options) -> None:
        assert _copied(self.format).name == self.format.name
        assert _copied(flavour) == flavour
        assert _copied(self.format.fidelity(flavour)) == self.format.fidelity(flavour)
        assert msgspec.convert(msgspec.to_builtins(flavour), type(flavour)) == flavour

    def test_every_error_is_portable(self) -> None:
        for kind in _family(AnnolakeError):
            error = kind("some-code", "a sentence", place=Place(file="a.json", line=3), hint="do this")
            copy = _copied(error)
            assert (type(copy), str(copy), copy.place, copy.hint) == (kind, str(error), error.place, "do this")

    def test_an_empty_data_set(self, flavour: Options, tmp_path: Path) -> None:
        assert self._home(sample([]), flavour, tmp_path).records == []

    def test_images_without_annotations(self, flavour: Options, tmp_path: Path) -> None:
        """They come home, or each is booked."""
        data = sample(["a.jpg", "b c.jpg"])
        data = DataSet(data.catalog, [msgspec.structs.replace(record, annotations=()) for record in data.records])
        given_ = lowered(self.format, flavour, data)
        if given_.fidelity.empty_images:
            back = self._home(data, flavour, tmp_path)
            assert [(r.image, len(r.annotations)) for r in back.records] == [("a.jpg", 0), ("b c.jpg", 0)]
        else:
            assert sum(loss.count for loss in given_.ledger.losses.values() if loss.what == "image") == 2

    def test_it_is_described(self, flavour: Options) -> None:
        """Every field of its options says what it is for, and what it holds can be said in words."""
        fields = msgspec.json.schema(type(flavour))["$defs"][type(flavour).__name__]["properties"]
        assert [name for name, field in fields.items() if not field.get("description")] == []
        for name, held in described.capacities(self.format).items():
            assert name.split()[0] == self.format.name
            assert held.keys() == described.FACTS.keys()

    def _home(self, data: DataSet, flavour: Options, folder: Path) -> DataSet:
        given_ = lowered(self.format, flavour, data)
        target = target_in(folder, self.format, given_.options)
        write_out(self.format, given_, target)
        return read_all(self.format, target, self.format.options(), Ledger())


def _as_case(target: Path) -> Path:
    """A folder that holds the target as a case's source."""
    folder = target.parent / "case"
    folder.mkdir()
    target.rename(folder / f"in{target.suffix}")
    return folder


def _copied(value: T) -> T:
    return pickle.loads(pickle.dumps(value))


def _family(kind: type[AnnolakeError]) -> list[type[AnnolakeError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _family(child))]


def _loaded_by(statement: str, heavy: tuple[str, ...]) -> list[str]:
    """Which of the heavy modules a fresh Python has after a statement."""
    code = f"import sys; {statement}; print(*(m for m in {heavy!r} if m in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.split()
