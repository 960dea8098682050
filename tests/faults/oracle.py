"""The judge: what is lost, duplicated, unexpected or corrupted in a lake, and where a report does not say so."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from .lake import Lake


class Seen(msgspec.Struct):
    """A lake as it can be told to another process. `files`: the MD5s by unique name, one for each time it is there.
    `annotations`: the objects' ids by `key\\toperation`.
    """

    files: dict[str, list[str]]
    annotations: dict[str, list[str]]
    finalised: dict[str, int] = {}
    completed: dict[str, int] = {}
    collections: dict[str, int] = {}


class Inputs(msgspec.Struct):
    """What must be there in the end. `files`: bytes by unique name. `annotations`: how many objects by (key,
    operation). `names`: the report's names of files, by unique name, where they are not the part after `Demo_`.
    """

    files: Mapping[str, bytes] = {}
    annotations: Mapping[tuple[str, str], int] = {}
    names: Mapping[str, str] = {}


class Verdict(msgspec.Struct):
    lost: list[str] = []
    duplicated: list[str] = []
    unexpected: list[str] = []
    corrupted: list[str] = []
    misreported: list[str] = []

    @property
    def clean(self) -> bool:
        """All that was to be there is there once, as it was sent, and the report says so."""
        return not any(msgspec.structs.astuple(self))

    @property
    def harmless(self) -> bool:
        """Whatever may be missing: nothing is wrong, and nothing is told that is not so."""
        return not (self.duplicated or self.unexpected or self.corrupted or self.misreported)


def seen(lake: Lake) -> Seen:
    files: dict[str, list[str]] = {}
    for one in lake.objects:
        files.setdefault(one.name, []).append(hashlib.md5(one.content).hexdigest())
    annotations = {
        f"{key}\t{operation}": [shape["id"] for shape in objects]
        for (key, operation), objects in lake.annotations.items()
    }
    completed = {upload_id: upload.completed for upload_id, upload in lake.sending.begun.items()}
    collections = {name: len(ids) for name, ids in lake.names.items()}
    return Seen(files, annotations, dict(lake.sending.finalised), completed, collections)


def check(state: Lake | Seen, inputs: Inputs, report: Any = None, before: Seen | None = None) -> Verdict:
    """`report` is one of ours, or its JSON form, or the names that were reported as done. What was there `before` the
    run that it is of, that run may have failed to find out.
    """
    there = seen(state) if isinstance(state, Lake) else state
    verdict = Verdict()
    wanted = {name: hashlib.md5(content).hexdigest() for name, content in inputs.files.items()}
    for name, digest in wanted.items():
        found = there.files.get(name, [])
        if not found:
            verdict.lost.append(name)
        if len(found) > 1:
            verdict.duplicated.append(name)
        if any(one != digest for one in found):
            verdict.corrupted.append(name)
    verdict.unexpected += sorted(set(there.files) - set(wanted))
    _annotations(there, inputs, verdict)
    if report is not None:
        earlier = {} if before is None else _present(before, inputs)
        _report(there, inputs, report, verdict, {name for name, is_there in earlier.items() if is_there})
    return verdict


def _annotations(there: Seen, inputs: Inputs, verdict: Verdict) -> None:
    for (key, operation), many in inputs.annotations.items():
        ids = there.annotations.get(f"{key}\t{operation}")
        if ids is None or len(set(ids)) < many:
            verdict.lost.append(f"{key} {operation}")
        elif len(set(ids)) > many:
            verdict.unexpected.append(f"{key} {operation}")
        if ids is not None and len(set(ids)) < len(ids):
            verdict.duplicated.append(f"{key} {operation}")
    known = {f"{key}\t{operation}" for key, operation in inputs.annotations}
    verdict.unexpected += sorted(set(there.annotations) - known)


def _report(there: Seen, inputs: Inputs, report: Any, verdict: Verdict, old: Collection[str]) -> None:
    """`done` must be there, `failed` must not, if it is not `old`, `uncertain` may be; each exactly once."""
    states = _states(report)
    counts = Counter(name for name, _ in states)
    verdict.misreported += [f"{name}: told {many} times" for name, many in counts.items() if many > 1]
    told, present = dict(states), _present(there, inputs)
    for name, is_there in present.items():
        state = told.get(name)
        is_done = state in ("uploaded", "downloaded", "skipped")
        if state is None:
            verdict.misreported.append(f"{name}: not told")
        elif is_there != is_done and state != "uncertain" and not (is_there and name in old):
            verdict.misreported.append(f"{name}: {state}, but {'there' if is_there else 'missing'}")
    verdict.misreported += [f"{name}: nobody asked for it" for name in told if name not in present]


def _present(there: Seen, inputs: Inputs) -> dict[str, bool]:
    """Whether it is there, by the report's names."""
    present: dict[str, bool] = {}
    for unique in inputs.files:
        name = inputs.names.get(unique, unique.partition("_")[2] or unique)
        present[name] = bool(there.files.get(unique))
    for key, operation in inputs.annotations:
        name = inputs.names.get(key, key.partition("_")[2] or key)
        present.setdefault(name, f"{key}\t{operation}" in there.annotations)
    return present


def _states(report: Any) -> list[tuple[str, str]]:
    if isinstance(report, Mapping):
        return [(one["name"], one["state"]) for one in report["items"]]
    if isinstance(report, Sequence):
        return [(name, "uploaded") for name in report]
    return [(one.name, one.state) for one in report.items]
