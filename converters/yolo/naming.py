"""What images of a YOLO data set are called: by their picture, or by their label file, and their split where names are
the same.
"""

from __future__ import annotations

import os
from collections import Counter

from ...schemas.errors import InvalidInput, Place
from ..files import names_below
from ..images import ImageFinder, is_image_name, stem
from ..ledger import Ledger
from .pairs import Pair


def named(
    pairs: list[Pair], extension: str, images: ImageFinder | None, noted: bool | tuple[str, ...], ledger: Ledger
) -> list[Pair]:
    """Pairs with their final names: a label file without picture gets an extension, equal names their split, and so do
    all or those that are `noted`, where some are.
    """
    nameless = [pair for pair in pairs if pair.nameless]
    if nameless and images is not None:
        finder = _Stems(images)
        for pair in nameless:
            if found := finder.extension(pair):
                pair.image += found
                pair.nameless = False
        nameless = [pair for pair in nameless if pair.nameless]
    if nameless:
        for pair in nameless:
            pair.image += extension
        how = f"named by the stem and {extension}" if extension else "named by the stem; give --yolo-extension .jpg"
        ledger.decide("no-pictures", f"{len(nameless)} label files have no picture: their images are {how}")
    clashing = _noted(pairs, noted) if noted else _sharing_names(pairs)
    for pair in clashing:
        if front := pair.split or pair.group:
            pair.image = f"{front}/{pair.image}"
            pair.fronted = pair.split is not None
    if clashing:
        why = "are noted as such" if noted else "share their name"
        ledger.decide("split-in-name", f"{len(clashing)} images {why}: their split stands in front of it")
        _check_unique(pairs)
    return pairs


def _sharing_names(pairs: list[Pair]) -> list[Pair]:
    """The pairs that share their name with another, and, where there are such, those whose name begins with their split
    by itself: they get it once more, so that taking it off is no guess.
    """
    if len({pair.image for pair in pairs}) == len(pairs):
        return []
    counts = Counter(pair.image for pair in pairs)
    sharing = [pair for pair in pairs if counts[pair.image] > 1]
    if sharing:
        sharing += (
            pair for pair in pairs if pair.split and counts[pair.image] == 1 and pair.image.startswith(f"{pair.split}/")
        )
    return sharing


def _noted(pairs: list[Pair], noted: bool | tuple[str, ...]) -> list[Pair]:
    names = None if isinstance(noted, bool) else frozenset(noted)
    return [pair for pair in pairs if pair.split and (names is None or f"{pair.split}/{pair.image}" in names)]


class _Stems:
    """Pictures elsewhere, by name without extension."""

    def __init__(self, images: ImageFinder) -> None:
        self.root = str(images.root)
        self.exact: dict[str, list[str]] = {}
        self.base: dict[str, list[str]] = {}
        for name in names_below(self.root, is_image_name):
            self.exact.setdefault(stem(name), []).append(name)
            self.base.setdefault(stem(name).rpartition("/")[2], []).append(name)

    def extension(self, pair: Pair) -> str:
        found = self.exact.get(pair.image) or self.exact.get(f"{pair.split or pair.group}/{pair.image}")
        found = found or self.base.get(pair.image.rpartition("/")[2], [])
        if len(found) > 1:
            raise InvalidInput(
                "image-ambiguous",
                f"the pictures {found[0]} and {found[1]} both fit",
                place=Place(file=pair.labels, image=pair.image),
                hint="give the folder of one of them with --images",
            )
        return os.path.splitext(found[0])[1] if found else ""


def _check_unique(pairs: list[Pair]) -> None:
    seen: dict[str, Pair] = {}
    for pair in pairs:
        other = seen.setdefault(pair.image, pair)
        if other is not pair:
            message = f"{other.picture or other.labels} and {pair.picture or pair.labels} would have the same name"
            hint = "describe the data set with a data.yaml, or convert its folders one by one"
            raise InvalidInput("same-name", message, place=Place(image=pair.image), hint=hint)
