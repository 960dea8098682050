"""What a conversion did, for the screen, for `--report`, for `--json` and for Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..schemas.errors import LossRefused
from .ledger import Ledger, is_refused


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`seen` and `written` count images and annotations (objects and tags, however many rings they have); every loss
    stands under its code, complete with examples where a complete report was asked for. `verified`: what was written
    was read again, and is what was meant.
    """

    source: str
    target: str
    options: dict[str, Any]
    seen: dict[str, int]
    written: dict[str, int]
    decisions: list[dict[str, str]]
    losses: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    dry_run: bool = False
    verified: bool = False


def make_report(
    source: str, target: str, options: dict[str, Any], ledger: Ledger, *, dry_run: bool, verified: bool
) -> Report:
    return Report(
        source=source,
        target=target,
        options=options,
        seen=_counts(ledger.seen),
        written=dict(sorted(ledger.written.items())),
        decisions=[msgspec.to_builtins(decision) for decision in ledger.decisions],
        losses=ledger.losses_json(),
        problems=[problem.as_json() for problem in ledger.problems],
        dry_run=dry_run,
        verified=verified,
    )


def refusal(report: Report, to: str) -> LossRefused:
    """The error that carries a report of losses that were not allowed."""
    refused = [loss for loss in report.losses if is_refused(loss["code"])]
    counts = ", ".join(f"{loss['code']} {loss['count']:,}" for loss in refused)
    error = LossRefused(
        "loss-refused",
        f"{to} cannot hold everything: {counts}; nothing was written",
        hint="--allow-loss writes what can be held; --dry-run --report FILE.json lists each loss",
    )
    error.report = report
    return error


def _counts(counter: Mapping[str, int]) -> dict[str, int]:
    return {name: counter[name] for name in sorted(counter) if counter[name]}
