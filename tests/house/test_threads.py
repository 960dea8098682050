"""Types that many threads decode are made ready by one: msgspec crashes where several are the first to use a type with
others in it. And nobody waits on a clock of his own.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Module

OURS_ALONE = ("annolake.commands", "annolake.converters.testing", "annolake.schemas.plain")
"""Where one thread decodes, or all types are made ready. Of everything else, programs may have threads of their own."""

PLAIN = {"Any", "None", "bool", "bytes", "dict", "float", "int", "list", "msgspec", "object", "str", "tuple"}
"""Types of which msgspec makes nothing that it would keep."""

SLEEPERS = {
    "transfer.clock": "the one place that sleeps really",
    "transfer.bandwidth": "the user's limit",
    "transfer.pacing": "a server that is away, or has asked for a pause",
    "transfer.retry": "the pause before another attempt",
    "annotation_sending": "the service may still be at work on what it was asked for, and has lost its answer",
    "file_upload": "the same",
    "jobs": "a job of the service that has not ended",
}

FIRST = """
import sys, threading, msgspec
from annolake.schemas.plain import ready
sys.setswitchinterval(1e-6)
TEXT = b'{"shapes": [{"corner": {"x": 1}, "more": {"a": {"x": 2}}}]}'
for _ in range(300):
    point = msgspec.defstruct("Point", [("x", float)])
    shape = msgspec.defstruct("Shape", [("corner", point), ("more", dict[str, point])])
    page = msgspec.defstruct("Page", [("shapes", list[shape])])
    together = threading.Barrier(8)
    def decode():
        together.wait()
        assert msgspec.json.decode(TEXT, type=%s).shapes[0].more["a"].x == 2
    threads = [threading.Thread(target=decode) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("alive")
"""
"""With `page` for `ready(page)` it ends by signal 11, each time (msgspec 0.22.0)."""


def test_many_threads_may_be_the_first_to_decode_a_type() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", FIRST % "ready(page)"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


def test_types_are_made_ready_before_threads_decode_them(modules: list[Module]) -> None:
    threaded = [module for module in modules if not module.name.startswith(OURS_ALONE)]
    assert [f"{module.path}:{line}" for module in threaded for line in unready(module.tree)] == []


def unready(tree: ast.AST, *, in_function: bool = False) -> Iterator[int]:
    """Lines of functions in which something is decoded as a type that may not be ready. What is made while a module is
    imported is made by one thread.
    """
    for node in ast.iter_child_nodes(tree):
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if inside and isinstance(node, ast.Call):
            kind = _decoded_as(node)
            if kind is not None and not _is_ready(kind):
                yield node.lineno
        yield from unready(node, in_function=inside)


def _decoded_as(call: ast.Call) -> ast.expr | None:
    what = ast.unparse(call.func)
    if what in ("msgspec.convert", "msgspec.json.decode"):
        named = [keyword.value for keyword in call.keywords if keyword.arg == "type"]
        return next(iter(named), call.args[1] if len(call.args) > 1 else None)
    return call.args[0] if what == "msgspec.json.Decoder" and call.args else None


def _is_ready(kind: ast.expr) -> bool:
    made = isinstance(kind, ast.Call) and ast.unparse(kind.func) == "ready"
    return made or {node.id for node in ast.walk(kind) if isinstance(node, ast.Name)} <= PLAIN


def test_the_look_for_types_sees_them() -> None:
    bad = "def f():\n msgspec.convert(a, B)\n msgspec.json.decode(a, type=list[B])\n msgspec.json.Decoder(B)"
    good = "C = msgspec.json.Decoder(B)\ndef f():\n msgspec.convert(a, ready(B))\n msgspec.json.decode(a)"
    assert [list(unready(ast.parse(text))) for text in (bad, good)] == [[2, 3, 4], []]


def test_only_the_policy_sleeps(modules: list[Module]) -> None:
    """F7: time is waited away for a reason that is listed, on the clock of the transfer, and nowhere else."""
    sleeping = {
        module.name.partition(".metalake_io.")[2] or module.name
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "sleep"
    }
    assert sleeping == set(SLEEPERS)
    really = [module.name for module in modules for name, _ in module.imports() if name in ("time.sleep", "asyncio")]
    assert really == []
    of_time = {module.name for module in modules if "time.sleep(" in ast.unparse(module.tree)}
    assert of_time == {"annolake.metalake_io.transfer.clock"}
