"""Segmentation pictures of the devkit: recognised and reported, their pixels are not converted."""

from __future__ import annotations

from ...schemas.errors import Place
from ...schemas.problems import Problem
from ..files import names_in
from ..ledger import Ledger
from .layout import Root

_FOLDERS = {"SegmentationClass": "class", "SegmentationObject": "object"}
_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = 25
_PALETTE = 3


def report_masks(root: Root, ledger: Ledger) -> None:
    """A notice for each folder of such pictures, and the decision to leave them where they are."""
    for folder, what in _FOLDERS.items():
        path = f"{root.path}/{folder}"
        names = [name for name in sorted(names_in(path)) if name.lower().endswith(".png")]
        if not names:
            continue
        indexed = sum(_has_palette(f"{path}/{name}") for name in names)
        message = f"{len(names)} pictures give each pixel its {what}, {indexed} of them by a palette"
        place = Place(file=path)
        ledger.problem(
            Problem(
                code="segmentation-pictures",
                severity="notice",
                message=f"{message}; pixels are not converted",
                place=place,
                fix="keep the folder beside what is written",
            )
        )
        ledger.decide("segmentation-pictures", f"{folder}: {message}; left where they are, pixels are not converted")


def _has_palette(path: str) -> bool:
    """Whether a PNG is of colour type 3, by its header."""
    try:
        with open(path, "rb") as file:
            head = file.read(_COLOUR_TYPE + 1)
    except OSError:
        return False
    return head[:8] == _PNG and len(head) > _COLOUR_TYPE and head[_COLOUR_TYPE] == _PALETTE
