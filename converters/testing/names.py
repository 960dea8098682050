"""Names out of files are not trusted: one that leads out of the data set is refused, and nothing outside is touched."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from ...schemas.errors import AnnolakeError, InvalidInput
from ..format import Format, Options
from ..ledger import Ledger
from .cases import DataSet, read_all
from .passing import contents, lowered, target_in, write_out
from .samples import sample

LEADING_OUT = (
    "../x.jpg",
    "a/../../x.jpg",
    "..",
    "/x.jpg",
    "C:\\x.jpg",
    "c:x.jpg",
    "..\\x.jpg",
    "\\\\host\\share\\x.jpg",
    "x\0y.jpg",
    "",
)


class Names:
    format: ClassVar[Format]
    allowed_names: ClassVar[frozenset[str]]

    @pytest.mark.parametrize("name", LEADING_OUT)
    def test_a_name_that_leads_out(self, name: str, flavour: Options, tmp_path: Path) -> None:
        """Refused when written, or when read again. A file that only mentions the name has done no harm yet."""
        data = sample(("fine.jpg", name, "fine too.jpg"))
        try:
            back = self._there_and_back(data, flavour, tmp_path)
        except InvalidInput as error:
            assert error.place.image is not None or error.place.file is not None
        else:
            assert name in self.allowed_names
            assert [record.image for record in back.records] == [record.image for record in data.records]

    @pytest.mark.parametrize("split", ["../x", "/x", "a/../../../x", "..", "C:\\x", "x\0y", "", "train.txt", "labels"])
    def test_a_split_that_leads_out(self, split: str, flavour: Options, tmp_path: Path) -> None:
        """A split may become a folder: it stays inside, and comes home, or is refused."""
        data = sample(splits=("train", split))
        try:
            back = self._there_and_back(data, flavour, tmp_path)
        except AnnolakeError as error:
            assert isinstance(error, InvalidInput), error
            return
        if self.format.fidelity(flavour).splits:
            assert {r.image: r.split for r in back.records} == {r.image: r.split for r in data.records}

    def test_names_that_differ_in_their_suffix(self, flavour: Options, tmp_path: Path) -> None:
        data = sample(("a.jpg", "a.png"), splits=("train",))
        if self.format.fidelity(flavour).unique_stems:
            with pytest.raises(InvalidInput):
                self._there_and_back(data, flavour, tmp_path)
        else:
            back = self._there_and_back(data, flavour, tmp_path)
            assert {record.image for record in back.records} == {"a.jpg", "a.png"}

    def test_a_name_that_stands_twice(self, flavour: Options, tmp_path: Path) -> None:
        """Two entries of one name are refused, never silently one."""
        with pytest.raises(InvalidInput):
            self._there_and_back(sample(("a.jpg", "b.jpg", "a.jpg"), splits=("train",)), flavour, tmp_path)

    def _there_and_back(self, data: DataSet, flavour: Options, folder: Path) -> DataSet:
        """Written and read again, deep down in a folder where nothing else may change."""
        deep = folder / "deep" / "down"
        deep.mkdir(parents=True)
        (folder / "deep" / "x.jpg").write_bytes(b"not yours")
        given = lowered(self.format, flavour, data)
        target = target_in(deep, self.format, given.options)
        before = _outside(folder, target)
        try:
            write_out(self.format, given, target)
            return read_all(self.format, target, self.format.options(), Ledger())
        finally:
            assert _outside(folder, target) == before


def _outside(folder: Path, target: Path) -> dict[str, bytes | None]:
    below = target.relative_to(folder).as_posix()
    return {name: data for name, data in contents(folder).items() if not name.startswith(below)}
