"""The sources of a conversion as one data set: opened, merged, and chosen from."""

from __future__ import annotations

from collections.abc import Sequence

from .choosing import Choice, chosen
from .engines import Engine
from .format import Context, Format, Options, Reading
from .lazily import surveyed
from .ledger import Ledger
from .merging import merged
from .nearby import Address, near, told


def gathered(
    sources: Sequence[tuple[Address, Format, Options]],
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
        readings = [reader.read(near(address), options, context, ledger) for address, reader, options in sources]
    else:
        many = len(sources) > 1 or (choice is not None and choice.by_name)
        readings, glances = surveyed(sources, context, survey_by, ledger, names=many)
        names = None if glances is None else dict.fromkeys(name for seen in glances for name in seen.names)
    reading = readings[0]
    if len(readings) > 1:
        names_of = [told(address) for address, _, _ in sources]
        reading = merged(list(zip(names_of, readings, strict=True)), context, ledger, join=join, glances=glances)
    return reading if choice is None else chosen(reading, choice, ledger, names)
