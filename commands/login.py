"""`annolake login`: keep the way into a service as a profile, once it has been tried."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from ..schemas.errors import UsageError
from . import profiles, screen
from .helptext import Command
from .service import KEY, SECRET, URL, client_of, trust_options

_IMAGES = 2


@click.command(cls=Command)
@click.option("--url", metavar="URL", help=f"Address of the service; else {URL}, else you are asked.")
@click.option("--profile", default=profiles.DEFAULT, show_default=True, metavar="NAME", help="Its name.")
@click.option("--prefix", type=click.Choice(("/datalake/api", "/api")), help="Else it is found out.")
@trust_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(url: str | None, profile: str, prefix: str | None, as_json: bool, **trust: Any) -> None:
    """Keep address, key and secret of a service as a profile, after they were tried.

    Key and secret come from the environment, or you are asked; never from the command line, which others can see.
    """
    address = url or os.environ.get(URL) or _asked("Address", "give --url, or set " + URL)
    key = os.environ.get(KEY) or _asked("API key", f"set {KEY}")
    secret = os.environ.get(SECRET) or _asked("Secret", f"set {SECRET}", hidden=True)
    with client_of(address, key, secret, prefix=prefix, at_once=1, **trust) as client:
        client.parts.listing.page(_IMAGES, 0, 1, "", None, None)  # servers without a check of versions know nobody yet
    file = profiles.save(profile, profiles.Profile(address, key, secret, prefix))
    if as_json:
        screen.emit({"profile": profile, "url": address, "file": str(file)})
    screen.say(f"{address} knows you; kept as the profile {profile} in {file}")


command.sections = {
    "The service": ("url", "prefix", "ca", "insecure", "insecure_http"),
    "Output": ("profile", "as_json"),
}
command.examples = ("annolake login --url https://api.example.com",)


def _asked(what: str, hint: str, *, hidden: bool = False) -> str:
    """What the user types. UsageError where nobody is there to ask."""
    try:
        return click.prompt(what, hide_input=hidden, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
    raise UsageError("no-terminal", f"{what}? There is no terminal to ask at", hint=hint)
