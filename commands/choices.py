"""The flags of `convert` that say what of a source is wanted, under which labels, in which splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ..converters import Choice
from ..converters.lists import read_image_names
from ..schemas.errors import UsageError
from .optionflags import FILE

_Function = TypeVar("_Function", bound=Callable[..., Any])

NAMES = ("map_label", "keep_label", "only_images", "split", "seed")

_FLAGS = (
    click.option("--map-label", multiple=True, metavar="OLD=NEW", help="Rename a label; two of one name become one."),
    click.option("--keep-label", multiple=True, metavar="NAME", help="Keep only objects of these labels (as renamed)."),
    click.option(
        "--only-images", type=FILE, metavar="FILE", help="Keep only the images listed there, one name a line."
    ),
    click.option("--split", metavar="NAME=SHARE,...", help="Deal the images out to splits: train=0.8,val=0.2."),
    click.option("--seed", type=int, default=0, metavar="N", help="Another number deals them out another way."),
)


def choice_flags(function: _Function) -> _Function:
    """All of them, for a command."""
    for flag in reversed(_FLAGS):
        function = flag(function)
    return function


def choice_of(
    map_label: Sequence[str], keep_label: Sequence[str], only_images: Path | None, split: str | None, seed: int
) -> Choice | None:
    """What the flags say; None where none was given. UsageError, InvalidInput where one cannot be read."""
    images = None if only_images is None else read_image_names(only_images)
    if not (map_label or keep_label or split or images):
        return None
    return Choice(
        keep_labels=tuple(keep_label),
        map_labels=dict(_pair(text, "--map-label OLD=NEW") for text in map_label),
        only_images=images,
        split=_shares(split or ""),
        seed=seed,
    )


def _shares(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(",") if text else ():
        name, share = _pair(part.strip(), "--split train=0.8,val=0.2")
        try:
            number = float(share)
        except ValueError:
            raise UsageError("split", f"{share!r} is no share", hint="a number between 0 and 1, such as 0.8") from None
        if name in shares:
            raise UsageError("split", f"the split {name!r} stands twice", hint="name each once")
        shares[name] = number
    return shares


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UsageError("bad-option", f"{text!r} is not of the form {form}", hint="see --help")
    return name, value
