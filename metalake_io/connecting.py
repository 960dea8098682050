"""From an address and a key to a service that is known to answer: the check of versions, and which prefix it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from ..schemas.errors import UsageError
from .errors import ServiceRefused
from .service import Service
from .transfer.clock import Clock, WallClock
from .transfer.exchange import Layer
from .transfer.limit import affordable
from .transfer.logs import logger
from .transfer.policy import Policy
from .transfer.redaction import Redactor, basic
from .transfer.stack import Stack, Timeouts

PREFIXES = ("/datalake/api", "/api")
"""Older installations map the first; newer ones know only the second, and may lack the check of versions."""

SPOKEN = "2.3.4"
"""The version of the official SDK whose protocol this is, which the service is asked about."""

_LOCAL = ("localhost", "127.0.0.1", "::1")
_CHECK = "connect"


class Connection:
    """A service, and the layers below it to be closed in the end."""

    def __init__(self, service: Service, stack: Stack) -> None:
        self.service = service
        self._stack = stack

    def close(self) -> None:
        self._stack.close()


def connect(
    api_key: str,
    secret: str,
    url: str,
    *,
    prefix: str | None = None,
    timeout: float | None = None,
    at_once: int = 32,
    insecure_http: bool = False,
    proxies: Mapping[str, str] | None = None,
    ca: str | None = None,
    clock: Clock | None = None,
    policy: Policy | None = None,
    bottom: Layer | None = None,
) -> Connection:
    """A service that has answered. UsageError for an address or a key that cannot be meant; NotAuthorised;
    ServiceRefused where it does not work with us; NetworkGaveUp.

    `prefix` None finds out; given, nothing else is asked. `timeout` shortens all waiting for the network, in
    seconds; nothing is tried again for longer than ten of them. `insecure_http` allows an unencrypted
    connection to another computer.
    """
    base_url = _checked(url, insecure_http=insecure_http)
    if timeout is not None and not timeout > 0:
        raise UsageError("bad-timeout", "a time-out must be more than 0 seconds")
    if at_once < 1:
        raise UsageError("bad-concurrency", "at least one transfer at a time")
    wished, at_once = at_once, affordable(at_once)
    if at_once < wished:
        logger.warning("%d transfers at once instead of %d: more files may not be open (ulimit -n)", at_once, wished)
    clock = clock or WallClock()
    if prefix is not None and prefix not in PREFIXES:
        raise UsageError("bad-prefix", f"the prefix is one of {', '.join(PREFIXES)}")
    timeouts = Timeouts(timeout)
    stack = Stack(
        base_url,
        api_key,
        secret,
        at_once=at_once,
        timeouts=timeouts,
        clock=clock,
        policy=policy,
        proxies=proxies,
        ca=ca,
        bottom=bottom,
    )
    service = Service(
        base_url,
        stack,
        Redactor(secret, api_key, basic(api_key, secret).removeprefix("Basic ")),
        clock,
        prefix=prefix or PREFIXES[0],
        at_once=at_once,
        idle=timeouts.api,
    )
    try:
        _find_prefix(service, PREFIXES if prefix is None else (prefix,))
    except BaseException:
        stack.close()
        raise
    return Connection(service, stack)


def _find_prefix(service: Service, prefixes: Sequence[str]) -> None:
    """The first of these at which the service answers, and knows us. A newer service may have no check at its own."""
    for prefix in prefixes:
        operation, path = f"{_CHECK} to {service.base_url}", f"/client/sdk/compatibility/{SPOKEN}"
        response = service.attempt("GET", operation, path, prefix=prefix, first=True)
        if response.status == 404:
            continue
        service.prefix = prefix
        if not 200 <= response.status < 300:
            raise service.refusal(operation, response)
        plain = service.plain(operation, response)
        if isinstance(plain, dict) and plain.get("isCompatible") is False:  # pyright: ignore[reportUnknownMemberType]
            said = service.redactor.clean(str(plain.get("message") or ""))  # pyright: ignore
            raise ServiceRefused(
                "not-compatible", f"{operation}: {said or 'the service wants another version'}", hint="update annolake"
            )
        return
    if PREFIXES[-1] not in prefixes:
        message = f"{_CHECK}: {service.base_url} has nothing at {prefixes[0]}"
        raise ServiceRefused("wrong-prefix", message, hint="leave the prefix out, so that it is found out")
    service.prefix = PREFIXES[-1]
    logger.warning("the service has no check of versions; taken for a newer one, with the prefix %s", service.prefix)


def _checked(url: str, *, insecure_http: bool) -> str:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise UsageError("bad-url", "this is no address", hint="https://api.example.com") from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError("bad-url", "an address of the service is like https://api.example.com")
    if parts.username or parts.password:
        raise UsageError("bad-url", "the address holds a password", hint="give key and secret apart from it")
    if parts.scheme == "http" and host not in _LOCAL and not insecure_http:
        raise UsageError(
            "insecure-http",
            f"http:// would send the secret unencrypted to {host}",
            hint="use https://, or allow it: --insecure-http, from Python insecure_http=True",
        )
    return url.strip().rstrip("/")
