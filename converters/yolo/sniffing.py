"""Whether a path looks like a YOLO data set. Cheap, and quiet about whatever is broken."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from ...schemas.errors import AnnolakeError
from ..format import Sniffed
from .layout import declared_in, names_classes
from .pairs import label_names, starts_with_row

_LOOKED_AT = 200


def sniffed(path: Path) -> Sniffed:
    try:
        return _sniffed(path)
    except AnnolakeError as error:
        return Sniffed(True, error.message)  # several descriptions: still this format
    except OSError as error:
        return Sniffed(False, error.strerror or "cannot be read")


def _sniffed(path: Path) -> Sniffed:
    declared = declared_in(path)
    if declared is not None:
        if declared.suffix.lower() in (".yaml", ".yml") and not names_classes(declared):
            return Sniffed(False, f"{declared.name} has neither names nor nc")
        return Sniffed(True, f"{declared.name} describes it")
    if not path.is_dir():
        return Sniffed(False, "not a folder, nor a data.yaml or obj.data")
    names = list(islice(label_names(path.as_posix()), _LOOKED_AT))
    for name in names:
        if starts_with_row(str(path / name)):
            return Sniffed(True, f"{name} holds rows of numbers")
    folders = [part.lower() for name in names for part in os.path.join(path.name, name).split(os.sep)[:-1]]
    if "labels" in folders and not any((path / name).stat().st_size for name in names):
        return Sniffed(True, "a folder of empty label files")
    return Sniffed(False, "no data.yaml, no obj.data, and no text file with rows of numbers")
