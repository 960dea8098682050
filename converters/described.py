"""What the formats can hold, in words, from what they declare: for `annolake formats` and the table of the README."""

from __future__ import annotations

from collections.abc import Callable

from ..schemas.keys import BOOKKEEPING
from . import registry
from .fidelity import Fidelity
from .flavours import flavours
from .format import Format

_HOLES = {"rings": "as rings", "masks": "in masks", "none": "-"}


def _yes(value: bool) -> str:
    return "yes" if value else "-"


def _metadata(held: bool | frozenset[str]) -> str:
    if isinstance(held, bool):
        return "any" if held else "-"
    return ", ".join(sorted(held)) or "-"


def _any_metadata(fidelity: Fidelity) -> str:
    """Formats that hold any metadata but book-keeping hold no ids either, which is said in a row of its own."""
    own = sorted(fidelity.without - BOOKKEEPING)
    return _metadata(fidelity.metadata) + (f" but {', '.join(own)}" if own else "")


FACTS: dict[str, Callable[[Fidelity], str]] = {
    "shapes": lambda f: ", ".join(sorted(f.shapes)) + (", outlines as masks" if f.masks_only else ""),
    "parts of one object": lambda f: "joined" if f.joined else _yes(f.multi_part),
    "holes": lambda f: _HOLES[f.holes],
    "crowd regions": lambda f: "as objects" if f.crowd == "objects" else _yes(f.crowd),
    "key points": lambda f: _yes(f.keypoints) + ("" if f.visibility else ", none hidden"),
    "tags of images": lambda f: _yes(f.tags),
    "confidence": lambda f: "on each" if "confidence" in f.required else _yes(f.confidence),
    "attributes": lambda f: _yes(f.attributes),
    "metadata": _any_metadata,
    "sizes of images": lambda f: _yes(f.image_size) + (", above zero" if f.real_sizes else ""),
    "facts of images": lambda f: _yes(f.image_facts),
    "empty images": lambda f: _yes(f.empty_images),
    "ids": lambda f: _yes(f.ids),
    "splits": lambda f: _yes(f.splits),
    "coordinates": lambda f: ", ".join(f.coordinates),
    "decimals kept": lambda f: "all" if f.decimals is None else str(f.decimals),
    "whole pixels only": lambda f: _yes(f.whole),
    "shapes with an area only": lambda f: _yes(f.solid or f.inside),
    "inside the image only": lambda f: _yes(f.inside),
    "oriented boxes only": lambda f: _yes(f.oriented),
    "one picture a stem": lambda f: _yes(f.unique_stems),
}


def capacities(format_: Format) -> dict[str, dict[str, str]]:
    """What a format holds, or each flavour of it under its own name: fact by fact, in words."""
    out: dict[str, dict[str, str]] = {}
    for flavour, options in flavours(format_).items():
        fidelity = format_.fidelity(options)
        out[f"{format_.name} {flavour}".strip()] = {fact: words(fidelity) for fact, words in FACTS.items()}
    return out


def fidelity_table() -> str:
    """A Markdown table of all formats: a row for each fact, a column for each format or flavour."""
    columns = {name: held for known in registry.formats() for name, held in capacities(registry.get(known)).items()}
    rows = [["", *columns], ["---"] * (1 + len(columns))]
    rows += [[fact, *(held[fact] for held in columns.values())] for fact in FACTS]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
