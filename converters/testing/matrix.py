"""The round-trip matrix in Markdown: a row for each feature, a column for each target.

All sources that have a feature usually fare alike; a source that does not is named below the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from .features import Feature, features
from .roundtrips import Column, Fate, Outcome, columns, measure, rows_of

SYMBOLS: dict[Fate, str] = {"exact": "●", "carried": "○", "approximated": "◐", "dropped": "✕", "renewed": "·"}

Cells = Mapping[tuple[str, str], Mapping[str, Outcome]]
"""By source and target: what became of each feature."""


def measured(folder: Path) -> Cells:
    """Every pair. From one flavour to another of the same format leads no direct way: options are for both sides."""
    known, everything = features(), columns()
    return {
        (source.name, target.name): measure(source, target, known, folder)
        for source in everything
        for target in everything
        if source.name == target.name or source.format.name != target.format.name
    }


def faults(cells: Cells) -> list[str]:
    """What no published table may hide: lost and not booked, booked and not lost, or an error."""
    return [
        f"{source} -> {target}, {feature}: {outcome.fault}"
        for (source, target), outcomes in cells.items()
        for feature, outcome in outcomes.items()
        if outcome.fault
    ]


def table(cells: Cells) -> str:
    """The table and its notes."""
    everything = columns()
    head = ["", "from", *(column.name for column in everything)]
    rows = [head, ["---", "---", *([":---:"] * len(everything))]]
    notes: list[str] = []
    for feature in features():
        sources = [column for column in everything if feature in rows_of(column, [feature])]
        row = [feature.name, _named(sources)]
        for target in everything:
            fates = _fates(cells, feature, sources, target)
            row.append(_cell(fates, f"{feature.name} → {target.name}", notes))
        rows.append(row)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, *(["", *notes] if notes else []), ""])


def _fates(cells: Cells, feature: Feature, sources: Sequence[Column], target: Column) -> dict[str, Fate]:
    out: dict[str, Fate] = {}
    for source in sources:
        outcome = cells.get((source.name, target.name), {}).get(feature.name)
        if outcome is not None and outcome.fate is not None:
            out[source.name] = outcome.fate
    return out


def _cell(fates: Mapping[str, Fate], where: str, notes: list[str]) -> str:
    """The usual symbol; with a number where a source fares otherwise."""
    if not fates:
        return ""
    usual = Counter(fates.values()).most_common(1)[0][0]
    others = [f"{SYMBOLS[fate]} from {source}" for source, fate in fates.items() if fate != usual]
    if not others:
        return SYMBOLS[usual]
    notes.append(f"{len(notes) + 1}. {where}: {', '.join(others)}.")
    return f"{SYMBOLS[usual]} ({len(notes)})"


def _named(sources: Sequence[Column]) -> str:
    """Flavours that all hold it go by the name of their format."""
    by_format: dict[str, list[str]] = {}
    for column in sources:
        by_format.setdefault(column.format.name, []).append(column.name)
    every = Counter(column.format.name for column in columns())
    return ", ".join(name if len(held) == every[name] else ", ".join(held) for name, held in by_format.items())
