"""`python -m annolake.commands` is `annolake`."""

from .main import main

main()
