"""The layer that writes the log: one line for each attempt, never an address's query, a header or a body."""

from __future__ import annotations

import logging

from .clock import Clock
from .exchange import Fault, Layer, Request, Response

logger = logging.getLogger("annolake.metalake_io")
"""Silent unless the user's program gives it a handler."""

logger.addHandler(logging.NullHandler())


class Logged:
    def __init__(self, below: Layer, clock: Clock) -> None:
        self._below = below
        self._clock = clock

    def send(self, request: Request) -> Response:
        begin = self._clock.monotonic()
        try:
            response = self._below.send(request)
        except Fault as fault:
            logger.debug("%r: %s after %.3f s", request, fault.message, self._clock.monotonic() - begin)
            raise
        logger.debug("%r: %d after %.3f s", request, response.status, self._clock.monotonic() - begin)
        return response
