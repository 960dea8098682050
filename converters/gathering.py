"""The sources of a conversion as one data set: opened, merged, and chosen from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .choosing import Choice, chosen
from .engines import Engine
from .format import Context, Format, Options, Reading
from .lazily import surveyed
from .ledger import Ledger
from .merging import merged


def gathered(
    sources: Sequence[tuple[Path, Format, Options]],
    context: Context,
    ledger: Ledger,
    *,
    join: bool = False,
    choice: Choice | None = None,
    survey_by: Engine | None = None,
) -> Reading:
    """The sources, each with its format and options, as one reading. With `survey_by` that engine looks them over, and
    they are opened where and when their records are needed; else they are opened here and now.
    """
    names = None
    glances = None
    if survey_by is None:
        readings = [reader.read(path, options, context, ledger) for path, reader, options in sources]
    else:
        many = len(sources) > 1 or (choice is not None and choice.by_name)
        readings, glances = surveyed(sources, context, survey_by, ledger, names=many)
        names = None if glances is None else dict.fromkeys(name for seen in glances for name in seen.names)
    reading = readings[0]
    if len(readings) > 1:
        paths = [path for path, _, _ in sources]
        reading = merged(list(zip(paths, readings, strict=True)), context, ledger, join=join, glances=glances)
    return reading if choice is None else chosen(reading, choice, ledger, names)
