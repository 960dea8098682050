"""Who survives what: `python -m tests.faults.survival [--official PYTHON] [--only B3] [--write README.md]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import compress
from pathlib import Path

from annolake.converters.testing.marked import with_marked

from .cases import Case, cases
from .trial import Name, Outcome, tried

TITLES = {
    "A1": "killed while files are sent, then run again",
    "A3": "killed while files are fetched, then run again",
    "A4": "killed while annotations are sent, then run again",
    "A10": "a finished upload, run again",
    "B1": "429 and 503 with `Retry-After`",
    "B2": "503, resets and refusals at every call",
    "B3": "done, but the answer is lost",
    "B4": "the connection breaks while a file is sent",
    "B5": "a file arrives cut off",
    "B6": "wrong bytes, a web page or nothing instead of a file",
    "B8": "the service falls silent",
    "B9": "signed addresses expire",
    "B10": "the service closes each connection",
    "B13": "everything is down for a while",
    "C1": "200 with `isSuccess: false`",
    "C2": "a web page instead of an answer",
    "C4": "a label that the service does not have",
    "C5": "401 in the middle",
    "C6": "413, a batch is too large",
    "C7": "a file that was removed there",
    "C8": "pages that fail",
    "C10": "the last call fails",
    "C12": "a storage nobody knows",
    "D2": "the disk takes no more",
    "D4": "links and folders named like pictures",
    "D8": "names that lead out of the folder",
    "E1": "two runs at once",
}


def table(all_cases: list[Case], outcomes: dict[Name, list[Outcome]]) -> str:
    """Markdown: by id, how many of how many each client survived."""
    survived: dict[Name, list[bool]] = {name: [not one.wrong for one in found] for name, found in outcomes.items()}
    silent: dict[Name, list[bool]] = {name: [not one.leaked for one in found] for name, found in outcomes.items()}
    every = [True] * len(all_cases)
    lines = ["| | fault | annolake | official SDK 2.3.4 |", "| --- | --- | --- | --- |"]
    for id, title in TITLES.items():
        of_id = [case.id == id for case in all_cases]
        if any(of_id):
            lines.append(f"| {id} | {title} | {_counts(survived, of_id)} |")
    lines.append(f"| | **faults survived** | {_counts(survived, every)} |")
    lines.append(f"| G1 | runs that print no secret | {_counts(silent, every)} |")
    return "\n".join(lines)


def _counts(good: Mapping[Name, list[bool]], chosen: list[bool]) -> str:
    counts = [
        f"{sum(compress(good[name], chosen))} of {sum(chosen)}" if name in good else "not run"
        for name in ("annolake", "layernext")
    ]
    return " | ".join(counts)


def _tried(case: Case, name: Name, python: str) -> Outcome:
    outcome = tried(case, name, python)
    leak = " (and prints a secret)" if outcome.leaked else ""
    print(f"{name:9} {case.id:3} {case.what}: {'; '.join(outcome.wrong) or 'survived'}{leak}", flush=True)
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--official", metavar="PYTHON", help="a Python that has layernext 2.3.4")
    parser.add_argument("--only", metavar="ID", help="cases of this id")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its marks in this file")
    parser.add_argument("--at-once", type=int, default=2)
    given = parser.parse_args()
    chosen = [case for case in cases() if given.only in (None, case.id)]
    pythons: dict[Name, str] = {"annolake": sys.executable}
    if given.official:
        pythons["layernext"] = os.path.abspath(given.official)
    outcomes: dict[Name, list[Outcome]] = {}
    for name, python in pythons.items():
        with ThreadPoolExecutor(given.at_once) as pool:
            outcomes[name] = list(pool.map(partial(_tried, name=name, python=python), chosen))
    text = table(chosen, outcomes)
    print(text)
    if given.write:
        whole = given.write.read_text(encoding="utf-8")
        given.write.write_text(with_marked(whole, "faults", f"{text}\n"), encoding="utf-8")


if __name__ == "__main__":
    main()
