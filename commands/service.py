"""What the commands that talk to the service share: how it is reached."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..converters.memory import parse_size
from ..schemas.errors import UsageError
from . import profiles, screen
from .optionflags import FILE

if TYPE_CHECKING:
    from ..metalake_io.client import MetaLakeClient

F = TypeVar("F", bound=Callable[..., Any])

URL, KEY, SECRET, TIMEOUT = "METALAKE_URL", "METALAKE_API_KEY", "METALAKE_SECRET", "ANNOLAKE_TIMEOUT"
CA = "METALAKE_CA"

TRUST = (
    click.option(
        "--ca",
        type=FILE,
        envvar=CA,
        metavar="FILE",
        help=f"Certificates to trust instead of the usual ones; else {CA} in the environment.",
    ),
    click.option("--insecure", is_flag=True, help="Check no certificate: whoever is in between can read everything."),
    click.option("--insecure-http", is_flag=True, help="Allow http:// to another computer."),
)
OPTIONS = (
    click.option("--url", metavar="URL", help=f"Address of the service; else {URL} in the environment."),
    click.option("--profile", metavar="NAME", help="As kept by `annolake login`."),
    click.option("--prefix", type=click.Choice(("/datalake/api", "/api")), help="Else it is found out."),
    click.option("--at-once", type=click.IntRange(1, 256), default=32, show_default=True, help="Transfers at a time."),
    click.option(
        "--bwlimit",
        type=parse_size,
        metavar="RATE",
        help="No more bytes a second than that, such as 10M or 500k, sent and received, all transfers together.",
    ),
    *TRUST,
    click.option("--json", "as_json", is_flag=True, help="Summary and one row an item on standard output."),
)
DRY_RUN_OF_LABELS = click.option(
    "--dry-run",
    is_flag=True,
    help="Send nothing; say what would be sent. Labels are not looked up: a service that is asked for one may make it.",
)
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "The service": ("url", "profile", "prefix", "at_once", "bwlimit", "ca", "insecure", "insecure_http"),
    "Output": ("dry_run", "as_json"),
}


def service_options(function: F) -> F:
    """The flags by which every one of these commands finds the service."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def trust_options(function: F) -> F:
    """The flags that say whom to trust."""
    for option in reversed(TRUST):
        function = option(function)
    return function


def connected(
    *,
    url: str | None,
    profile: str | None,
    prefix: str | None,
    at_once: int,
    bwlimit: int | None,
    as_json: bool,
    **trust: Any,
) -> MetaLakeClient:
    """A client, which has asked the service whether it knows us."""
    _ = as_json
    way = way_in(url=url, profile=profile, prefix=prefix)
    return client_of(way.url, way.api_key, way.secret, prefix=way.prefix, at_once=at_once, bwlimit=bwlimit, **trust)


def way_in(*, url: str | None, profile: str | None, prefix: str | None, **others: object) -> profiles.Profile:
    """Where the service is and how it is entered; nothing is asked yet. The environment speaks first, then the profile.
    Key and secret never come from the command line. UsageError where something is missing.
    """
    _ = others
    is_told = profile is None and bool(url or os.environ.get(URL)) and all(map(os.environ.get, (KEY, SECRET)))
    kept = None if is_told else profiles.load(profile or profiles.DEFAULT)
    if profile is not None and kept is None:
        raise UsageError("no-profile", f"there is no profile {profile}", hint=f"annolake login --profile {profile}")
    named = kept if profile is not None else None
    address = url or (named.url if named else None) or os.environ.get(URL) or (kept.url if kept else None)
    if not address:
        raise UsageError("no-service", "which service?", hint=f"give --url, set {URL}, or run annolake login")
    given = os.environ.get(KEY), os.environ.get(SECRET)
    fits = kept is not None and kept.url == address
    own = (kept.api_key, kept.secret) if kept is not None and fits else (None, None)
    prefix = prefix or (kept.prefix if kept is not None and fits else None)
    key, secret = given if all(given) and named is None else own  # a profile's secret goes to its own address only
    if not key or not secret:
        hint = f"set {KEY} and {SECRET}, or run annolake login"
        raise UsageError("no-credentials", "key and secret are not set", hint=hint)
    return profiles.Profile(address, key, secret, prefix)


def client_of(
    url: str,
    key: str,
    secret: str,
    *,
    prefix: str | None,
    at_once: int,
    bwlimit: int | None = None,
    ca: Path | None,
    insecure: bool,
    insecure_http: bool,
) -> MetaLakeClient:
    from ..metalake_io.client import MetaLakeClient

    if insecure:
        _quiet_library()
    logger, said = logging.getLogger("annolake.metalake_io"), _Said(logging.WARNING)
    logger.addHandler(said)
    click.get_current_context().call_on_close(lambda: logger.removeHandler(said))
    return MetaLakeClient(
        key,
        secret,
        url,
        prefix=prefix,
        at_once=at_once,
        bwlimit=bwlimit,
        ca=None if ca is None else str(ca),
        insecure_tls=insecure,
        insecure_http=insecure_http,
        timeout=_timeout(),
    )


def _quiet_library() -> None:
    """The warning is said once and in our words, not in the library's with each request."""
    from urllib3.exceptions import InsecureRequestWarning

    warnings.simplefilter("ignore", InsecureRequestWarning)


class _Said(logging.Handler):
    """What is worth telling while a transfer goes on: that it waits, for whom, and how long."""

    def emit(self, record: logging.LogRecord) -> None:
        screen.say(record.getMessage(), "yellow")


def _timeout() -> float | None:
    text = os.environ.get(TIMEOUT)
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError("bad-timeout", f"{TIMEOUT} is not a number of seconds", hint="30, for example")
    return seconds
