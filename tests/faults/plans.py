"""Random plans of faults: a seed makes a transfer, what goes wrong in each of its runs, and where one is killed.

No fault is a lie that nobody could see through: what is refused was not done, and what is called done was.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal, get_args

import msgspec

from . import actions as act
from .actions import Act, Rule
from .faultd import OPERATIONS
from .lake import StorageType

What = Literal["files", "annotations", "named", "both", "collection"]
"""Uploads of files, of annotations by collection or by unique name, of files with annotations; or a download."""

_UPLOAD = ("version-check", "create-collection", "init", "presign", "put-part", "finalise", "complete")
_SENDING = ("version-check", "label-references", "annotation-batch", "item-page")
PASSED: dict[What, tuple[str, ...]] = {
    "files": _UPLOAD,
    "annotations": _SENDING,
    "named": _SENDING[:3],
    "both": (*_UPLOAD, *_SENDING[1:]),
    "collection": ("version-check", "item-page", "get-file"),
}
"""The operations that each passes through."""

_GATES = ("version-check", "create-collection", "label-references")
"""Those without which a run does nothing else."""

_ONCE = ("finalise", "annotation-batch")
"""What must not be done twice."""

SILENCE = 0.4
"""Seconds without an answer: longer than clients wait in a run with faults."""


Incident = Literal["", "expire", "hang up", "withdraw"]
"""All signed addresses expire, all connections end, the key is not known any more for the rest of the run."""


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes wrong in one run. `kill` is one more rule, by which the client dies. The `incident` comes with the
    request of the number `at`.
    """

    rules: list[Rule] = []
    kill: Rule | None = None
    incident: Incident = ""
    at: int = 0

    @property
    def is_faultless(self) -> bool:
        return not (self.rules or self.kill or self.incident)


class Plan(msgspec.Struct, frozen=True):
    """`runs` are those with faults, one or two; another one without follows. `part_size` None: one part each."""

    seed: int
    what: What
    storage: StorageType
    mode: Literal["replace", "append"]
    count: int
    part_size: int | None
    at_once: int
    runs: list[Run]


def plan(seed: int) -> Plan:
    chance = random.Random(seed)
    what: What = get_args(What)[seed % len(get_args(What))]
    runs = [run(chance, what)]
    if chance.random() < 0.4:
        runs.append(run(chance, what, share=0.2))
    return Plan(
        seed,
        what,
        chance.choice(get_args(StorageType)),
        ("replace", "append")[seed // len(get_args(What)) % 2],
        chance.randint(2, 9),
        chance.choice((None, None, 100, 333)),
        chance.choice((1, 4)),
        runs,
    )


def run(chance: random.Random, what: What, share: float = 0.6) -> Run:
    """One run with faults at such a share of its operations, now and then an incident, now and then a kill."""
    dies = kill(chance) if chance.random() < 0.3 else None
    incident: Incident = chance.choice(get_args(Incident)) if chance.random() < 0.3 else ""
    return Run(rules(chance, PASSED[what], share), dies, incident, chance.randrange(20))


def rules(chance: random.Random, operations: tuple[str, ...], share: float) -> list[Rule]:
    """Faults, most of which come once and a few of which stay; seldom where nothing would follow."""
    made: list[Rule] = []
    for operation in operations:
        if operation in _ONCE and chance.random() < share:
            made.append(Rule(OPERATIONS[operation], _done_unheard(chance), skip=chance.choice((0, 0, 1, 3))))
        if chance.random() > (share / 6 if operation in _GATES else share):
            continue
        times = chance.choice((1, 1, 1, 1, 2, 3, 60))
        made.append(
            Rule(OPERATIONS[operation], fault(chance, operation), times, skip=chance.choice((0, 0, 0, 1, 2, 5)))
        )
    return made


def kill(chance: random.Random, operation: str = "") -> Rule:
    """At any request, or soon at one of this operation."""
    skip = chance.randrange(4 if operation else 40)
    return Rule(OPERATIONS.get(operation, ""), act.kill(chance.choice(get_args(act.Moment))), skip=skip)


def fault(chance: random.Random, operation: str) -> Act:
    """One that can befall this operation; what is done and not answered before all others."""
    own = _OF.get(operation, _garbled)
    kinds = (
        _done_unheard,
        _done_unheard,
        _done_unheard,
        _no_answer,
        _transient,
        _transient,
        own,
        own,
        _refused,
        _broken,
    )
    return chance.choice(kinds)(chance)


def _done_unheard(chance: random.Random) -> Act:
    """Done, and the answer is lost, or is none."""
    statuses = [act.answer(status, processed=True) for status in (500, 502, 504)]
    return chance.choice(
        (act.drop(), act.drop(), act.drop(), act.hang(SILENCE, processed=True), act.cut(0.5), *statuses)
    )


def _no_answer(chance: random.Random) -> Act:
    at = chance.choice((0.0, 0.5, -1.0))
    return chance.choice((act.reset("before"), act.reset("mid", at), act.reset("after"), act.hang(SILENCE)))


def _transient(chance: random.Random) -> Act:
    """Not done, whether it says so or not."""
    status = chance.choice((408, 425, 429, 429, 500, 502, 503, 503, 504))
    after = chance.choice(("", "0", "1.5", "7", "soon", "-5"))
    return act.answer(status, Retry_After=after) if after else act.answer(status)


def _refused(chance: random.Random) -> Act:
    return act.answer(chance.choice((400, 400, 401, 403, 404, 404, 409, 413, 422)))


def _broken(chance: random.Random) -> Act:
    """The right answer, cut off, announced as another length, or the connection's last."""
    framing = chance.choice(get_args(act.Framing))
    at = chance.choice((0.0, 0.5, -1.0))
    return chance.choice((act.cut(at, framing=framing), act.longer(chance.choice((3, -3))), act.closing()))


def _garbled(chance: random.Random) -> Act:
    """No answer that makes sense, whether it was done or not; or a no."""
    said = chance.choice(("<html>Sign in</html>", "null", "[1", '{"isSuccess": "maybe"}'))
    is_done = chance.random() < 0.5
    return chance.choice((act.html(), act.no(), act.answer(200, said, processed=is_done), act.wrong_bytes()))


def _part(chance: random.Random) -> Act:
    return chance.choice((act.early(503, 0.5), act.early(413, 0.5), act.closing(), act.late(0.01)))


def _file(chance: random.Random) -> Act:
    framing = chance.choice(get_args(act.Framing))
    texts = act.other_body("<html>Sign in</html>", Content_Type="text/html")
    return chance.choice((act.wrong_bytes(), texts, act.framed(framing), act.framed(framing, gzip=True)))


_OF: dict[str, Callable[[random.Random], Act]] = {"put-part": _part, "get-file": _file}
