"""The books of one run: what was seen, what became of it, what was decided, what looked wrong.

A loss is booked where it happens, by the reader or by `project`; whether it stops the run is decided later.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from ..schemas.errors import AnnolakeError, Place
from ..schemas.losses import BY_CODE, Fate, What
from ..schemas.problems import Problem

SHOWN = 5
"""Examples of each loss that the screen shows, and that are kept when no complete report was asked for."""

PROBLEMS_KEPT = 100_000
MOST_EXAMPLES = 10_000


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    file: str
    image: str | None = None
    annotation: int | str | None = None
    detail: str | None = None


class Loss(msgspec.Struct, kw_only=True):
    code: str
    fate: Fate
    what: What
    count: int = 0
    examples: list[Example] = []


def is_refused(code: str) -> bool:
    """Whether a loss of that code wants to be allowed."""
    loss = BY_CODE[code]
    return loss.fate != "carried" and not loss.by_wish


class Decision(msgspec.Struct, frozen=True):
    """A choice that was made where files or tools disagree, and what follows from it."""

    code: str
    text: str


class Withdrawn(Exception):
    """A loss was booked that is refused: leaves the target as it was."""


class Ledger:
    """`complete` keeps every example for `--report`; `lenient` collects problems instead of stopping at the first.

    Where memory is limited, no more than `MOST_EXAMPLES` of a loss are kept all the same, and as many problems.

    `turned` names pictures with an EXIF turning tag. Readers append to `places`, where it is not None, one place for
    each annotation of the record they yield next.
    """

    def __init__(self, *, complete: bool = False, lenient: bool = False, places: bool = True) -> None:
        self.file = ""
        self.seen: Counter[str] = Counter()
        self.yielded: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        self.turned: set[str] = set()
        self.dropped = 0
        self.added = 0
        self.losses: dict[str, Loss] = {}
        self.decisions: list[Decision] = []
        self.problems: list[Problem] = []
        self.lenient = lenient
        self.places: list[Place] | None = [] if lenient and places else None
        self._kept = None if complete else SHOWN
        self._problems_kept = PROBLEMS_KEPT

    def another(self) -> Ledger:
        """Empty books of the same kind, for a part of the run."""
        books = Ledger(lenient=self.lenient)
        books._kept, books._problems_kept = self._kept, self._problems_kept
        return books

    def bounded(self) -> None:
        """Keep no more than fits a limit of memory."""
        self._kept = MOST_EXAMPLES if self._kept is None else self._kept
        self._problems_kept = MOST_EXAMPLES

    def add(self, other: Ledger) -> None:
        """Take over the books of a part of the run. Parts are added in the order of their images."""
        self.seen.update(other.seen)
        self.yielded.update(other.yielded)
        self.turned |= other.turned
        self.dropped += other.dropped
        self.added += other.added
        for code, loss in other.losses.items():
            mine = self.losses.setdefault(code, Loss(code=loss.code, fate=loss.fate, what=loss.what))
            mine.count += loss.count
            room = None if self._kept is None else self._kept - len(mine.examples)
            mine.examples.extend(loss.examples[:room])
        for decision in other.decisions:
            self.decide(decision.code, decision.text)
        self.problems.extend(other.problems[: self._problems_kept - len(self.problems)])

    def book(
        self,
        code: str,
        *,
        image: str | None = None,
        annotation: int | str | None = None,
        detail: str | None = None,
        count: int = 1,
    ) -> None:
        """Write down what became of an annotation, an image, or a property of one. `code` is of `schemas.losses`."""
        loss = self.losses.get(code)
        if loss is None:
            entry = BY_CODE[code]
            loss = self.losses[code] = Loss(code=code, fate=entry.fate, what=entry.what)
        loss.count += count
        if self._kept is None or len(loss.examples) < self._kept:
            loss.examples.append(Example(self.file, image, annotation, detail))
        if loss.fate == "dropped" and loss.what == "annotation":
            self.dropped += count

    def rename(self, old: str, new: str) -> None:
        """As `Place.renamed`, in all that is booked."""
        for loss in self.losses.values():
            loss.examples = [msgspec.structs.replace(one, file=one.file.replace(old, new)) for one in loss.examples]
        self.decisions = [Decision(one.code, one.text.replace(old, new)) for one in self.decisions]
        self.problems = [problem.renamed(old, new) for problem in self.problems]

    def full(self, code: str) -> Loss | None:
        """The loss of that code once no more examples of it are kept: who books one very often may then just count."""
        loss = self.losses.get(code)
        return None if loss is None or self._kept is None or len(loss.examples) < self._kept else loss

    def decide(self, code: str, text: str) -> None:
        """Record a choice once."""
        decision = Decision(code, text)
        if decision not in self.decisions:
            self.decisions.append(decision)

    def problem(self, problem: Problem) -> None:
        """Collect a problem. In a conversion an error stops the run here, by raising InvalidInput."""
        if problem.severity == "error" and not self.lenient:
            raise problem.error()
        if len(self.problems) < self._problems_kept:
            self.problems.append(problem)

    def tell_left_out(self) -> None:
        """Say so where examples were left out although a complete report was asked for."""
        if self._kept == MOST_EXAMPLES and any(loss.count > MOST_EXAMPLES for loss in self.losses.values()):
            self.decide("examples", f"of each loss {MOST_EXAMPLES:,} examples are listed at most: memory is limited")

    def refused(self) -> list[Loss]:
        """The losses that stop a conversion unless they were allowed: all but the carried, and those by wish."""
        return [loss for loss in self.losses.values() if is_refused(loss.code)]

    def balance_reading(self) -> None:
        """Every image and annotation that the source has was yielded or booked; else AnnolakeError
        (`books-do-not-balance`): a defect of ours, never the user's.
        """
        for what in ("images", "annotations"):
            if self.seen[what] != self.yielded[what] + self.seen[f"{what} dropped"]:
                self._unbalanced(f"of {self.seen[what]} {what} seen, {self.yielded[what]} were read")

    def forecast(self) -> None:
        """Say what would have been written."""
        self.written["images"], self.written["annotations"] = self.yielded["images"], self._to_write()

    def _to_write(self) -> int:
        return self.yielded["annotations"] + self.added - (self.dropped - self.seen["annotations dropped"])

    def balance(self) -> None:
        """Every annotation that was read was written or booked; else AnnolakeError, as `balance_reading`."""
        kept = self._to_write()
        if kept != self.written["annotations"] or self.yielded["images"] != self.written["images"]:
            self._unbalanced(
                f"{kept} annotations of {self.yielded['images']} images were to be written, "
                f"{self.written['annotations']} of {self.written['images']} were"
            )

    def _unbalanced(self, message: str) -> None:
        raise AnnolakeError(
            "books-do-not-balance",
            f"{message}; nothing was written",
            hint="this is a defect of annolake: please report it with the file",
        )

    def losses_json(self) -> list[dict[str, Any]]:
        """All losses in a stable order: the worst fate first, then by code."""
        rank = {"dropped": 0, "approximated": 1, "carried": 2}
        ordered = sorted(self.losses.values(), key=lambda loss: (rank[loss.fate], loss.code))
        return [msgspec.to_builtins(loss) for loss in ordered]
