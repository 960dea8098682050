"""Where the program begins: until `main` is loaded, and catches signals itself, Ctrl-C ends it without a traceback."""

from __future__ import annotations

import gc
import signal


def main() -> None:
    """The program."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .main import main as annolake

    try:
        annolake()
    finally:
        gc.freeze()  # what ends with the process need not be looked through for cycles
