"""`python -m annolake.commands` is `annolake`."""

from .start import main

main()
