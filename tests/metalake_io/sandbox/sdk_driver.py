"""The official SDK in a process of its own: reads calls from standard input, answers with what they return or raise.

A program, not a test. One JSON document a line: `["function", [arguments], {keywords}]` in, `{"returned": ...}` or
`{"raised": ...}` with `"printed"` out. The first line names the key, the secret and the URL.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any


def main() -> None:
    answers = sys.stdout
    sys.stdout = sys.stderr  # the SDK prints; only answers may stand on standard output
    sdk: Any = import_module("layernext")
    client: Any = None
    for line in sys.stdin:
        name, arguments, keywords = json.loads(line)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                if name == "connect":
                    client = sdk.LayerNextClient(*arguments)
                    returned = None
                else:
                    returned = getattr(client, name)(*arguments, **keywords)
            answer = {"returned": returned}
        except BaseException as error:  # noqa: BLE001  (the SDK ends its caller's process in some faults)
            answer = {"raised": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps({**answer, "printed": printed.getvalue()}) + "\n")
        answers.flush()


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        names = ("layernext", "layernext-beta")
        for name in names:
            with contextlib.suppress(ImportError):
                print(version(name))
    else:
        main()
