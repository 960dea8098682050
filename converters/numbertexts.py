"""Texts of numbers, each made once: coordinates of few decimals come again and again in a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_MOST = 1 << 16
_SHORT = len("(1234.56, 1234.56)") + 1


class NumberTexts(dict[float, str]):
    """A number's text by `spell`, which is asked once for each. Bounded: where numbers hardly repeat, it forgets."""

    def __init__(self, spell: Callable[[float], str]) -> None:
        super().__init__()
        self.spell = spell

    def __missing__(self, value: float) -> str:
        text = self.spell(value)
        if value:  # 0.0 and -0.0 are one key, and may have two texts
            if len(self) >= _MOST:
                self.clear()
            self[value] = text
        return text


def repeats(flat: Sequence[float]) -> bool:
    """Whether coordinates are of the kind that comes again: those with many digits do not, and are better spelled each
    by itself.
    """
    return len(repr(flat[:2])) < _SHORT
