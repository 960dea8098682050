"""From an address and a key to a service that is known to answer: the check of versions, and which prefix it has."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from ..schemas.errors import Place, UsageError
from .errors import ServiceRefused
from .service import CHECK_OF_VERSIONS, Service
from .transfer.bandwidth import LEAST
from .transfer.clock import Clock, WallClock
from .transfer.exchange import Layer
from .transfer.limit import affordable
from .transfer.logs import logger
from .transfer.policy import Policy
from .transfer.redaction import Redactor, basic
from .transfer.sockets import LARGEST_REPLY
from .transfer.stack import Stack, Timeouts

PREFIXES = ("/datalake/api", "/api")
"""Older installations map the first; newer ones know only the second, and may lack the check of versions."""

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
    insecure_tls: bool = False,
    largest_reply: int = LARGEST_REPLY,
    bwlimit: float | None = None,
    clock: Clock | None = None,
    policy: Policy | None = None,
    bottom: Layer | None = None,
) -> Connection:
    """A service that has answered. UsageError for an address or a key that cannot be meant; NotAuthorised;
    ServiceRefused where it does not work with us; NetworkGaveUp.

    `prefix` None finds out; given, nothing else is asked. `timeout` shortens all waiting for the network, in
    seconds; nothing is tried again for longer than ten of them. `insecure_http` allows an unencrypted connection to
    another computer, `insecure_tls` one with whoever is in between. `ca`: certificates to be trusted instead of the
    usual ones. Answers have at most `largest_reply` bytes. `bwlimit`: bytes a second, of all transfers together.
    """
    base_url = _checked(url, insecure_http=insecure_http)
    if ca is not None:
        _check_certificates(ca)
    if insecure_tls:
        said = "insecure: nobody checks who answers at %s; whoever is in between can read the secret and all data"
        logger.warning(said, base_url)
    if timeout is not None and not timeout > 0:
        raise UsageError("bad-timeout", "a time-out must be more than 0 seconds")
    if at_once < 1:
        raise UsageError("bad-concurrency", "at least one transfer at a time")
    if bwlimit is not None and not LEAST <= bwlimit < float("inf"):
        raise UsageError("bad-bandwidth", f"a limit of the bandwidth is {LEAST:,} bytes a second or more")
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
        insecure_tls=insecure_tls,
        largest_reply=largest_reply,
        bwlimit=bwlimit,
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


class _Check(msgspec.Struct):
    isCompatible: bool
    message: str | None = None


def _find_prefix(service: Service, prefixes: Sequence[str]) -> None:
    """The first of these at which the service answers, and knows us. A newer service may have no check at its own."""
    for prefix in prefixes:
        operation, path = f"{_CHECK} to {service.base_url}", CHECK_OF_VERSIONS
        response = service.attempt("GET", operation, path, prefix=prefix, first=True)
        if response.status == 404:
            continue
        service.prefix = prefix
        if not 200 <= response.status < 300:
            raise service.refusal(operation, response)
        check = service.typed(operation, response, _Check)
        if not check.isCompatible:
            said = service.redactor.clean(check.message or "the service wants another version")
            raise ServiceRefused("not-compatible", f"{operation}: {said}", hint="update annolake")
        return
    if PREFIXES[-1] not in prefixes:
        message = f"{_CHECK}: {service.base_url} has nothing at {prefixes[0]}"
        raise ServiceRefused("wrong-prefix", message, hint="leave the prefix out, so that it is found out")
    service.prefix = PREFIXES[-1]
    logger.warning("the service has no check of versions; taken for a newer one, with the prefix %s", service.prefix)


def _check_certificates(ca: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
        raise UsageError(
            "bad-certificates",
            f"there are no certificates: {said or 'the file has none that can be read'}",
            place=Place(file=ca),
            hint="name a file of certificates in PEM form",
        ) from None


def _checked(url: str, *, insecure_http: bool) -> str:
    if not url.strip().isprintable() or len(url.split()) > 1:
        raise UsageError("bad-url", "the address has blanks or control characters in it", hint="copy it again")
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise UsageError("bad-url", "this is no address", hint="give one like https://api.example.com") from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        hint = "give one like https://api.example.com"
        raise UsageError("bad-url", "this is no address of a service: they begin with https://", hint=hint)
    if parts.username or parts.password:
        raise UsageError("bad-url", "the address holds a password", hint="give key and secret apart from it")
    if parts.scheme == "http" and host not in _LOCAL and not insecure_http:
        raise UsageError(
            "insecure-http",
            f"http:// would send the secret unencrypted to {host}",
            hint="use https://, or allow it: --insecure-http, from Python insecure_http=True",
        )
    return url.strip().rstrip("/")
