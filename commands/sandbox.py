"""`annolake sandbox`: a stand-in MetaLake on this computer."""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..converters.files import appearing_whole
from ..schemas.errors import LocalFailure, Place, UsageError
from . import screen
from .helptext import Command

if TYPE_CHECKING:
    from ..metalake_io.sandbox.auth import Credentials
    from ..metalake_io.sandbox.lake import Storage

_NEEDS = ("starlette", "uvicorn")
_KEY, _SECRET = "METALAKE_API_KEY", "METALAKE_SECRET"
_CREDENTIALS_FILE = "credentials.sh"
_STORAGES = ("AWS_S3", "GCP", "AZURE", "aws_s3", "gcs", "azure_blob")


@click.command(cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=8700, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address lets other computers in.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where everything is kept. Without it a folder of this user's.",
)
@click.option(
    "--storage", type=click.Choice(_STORAGES), default="AWS_S3", show_default=True, help="How bytes are sent."
)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that answer.")
@click.option(
    "--url-life",
    type=click.FloatRange(min=1),
    default=259_200,
    show_default=True,
    help="Seconds that signed URLs hold.",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the URL here, too, once it answers.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document with the address on standard output.")
def command(
    port: int,
    host: str,
    data: Path | None,
    storage: Storage,
    workers: int,
    url_life: float,
    ready_file: Path | None,
    as_json: bool,
) -> None:
    """Run a MetaLake of your own on this computer, until Ctrl-C.

    It speaks the service's protocol and keeps all in one folder. The first line on standard output is its URL, written
    once it answers. Key and secret come from METALAKE_API_KEY and METALAKE_SECRET; without them it makes some.
    """
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        message = f"the sandbox needs {' and '.join(missing)}"
        raise UsageError("sandbox-not-installed", message, hint="install it with: pip install 'annolake[sandbox]'")
    from ..metalake_io.sandbox.lake import Lake, Settings
    from ..metalake_io.sandbox.serving import is_loopback, listen, serve

    folder = _data_folder() if data is None else data
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    credentials, origin = _credentials(folder)
    settings = Settings(
        data=folder, credentials=credentials, storage=storage, url_life=url_life, is_local=is_loopback(host)
    )
    Lake(settings).database.close()  # what is wrong with the folder is said before the URL is
    try:
        listener, url = listen(host, port)
    except OSError as error:
        place = Place(file=f"{host}:{port}")
        raise LocalFailure(
            "cannot-listen", error.strerror or str(error), place=place, hint="choose another one with --port or --host"
        ) from None
    target = nullcontext() if ready_file is None else _told(ready_file, url)
    with suppress(KeyboardInterrupt), listener, target:
        _greet(url, folder, origin, is_local=settings.is_local)
        if as_json:
            screen.emit({"url": url, "data": str(folder), "credentials": origin, "pid": os.getpid()})
        else:
            click.echo(url)
        serve(settings, listener, workers)
    screen.say("stopped; all is kept in the folder")


command.sections = {
    "Where": ("port", "host", "data"),
    "How it answers": ("storage", "workers", "url_life"),
    "Output": ("ready_file", "as_json"),
}
command.examples = ("annolake sandbox --port 0 --data lake",)


def _data_folder() -> Path:
    from platformdirs import user_state_path

    return user_state_path("annolake") / "sandbox"


def _credentials(folder: Path) -> tuple[Credentials, str]:
    """Key and secret, and where they are from."""
    from ..metalake_io.sandbox.auth import Credentials, kept_credentials

    key, secret = os.environ.get(_KEY), os.environ.get(_SECRET)
    if key and secret:
        return Credentials(key, secret), "environment"
    if key or secret:
        message = f"{_KEY if key else _SECRET} is set, and {_SECRET if key else _KEY} is not"
        raise UsageError("half-credentials", message, hint="set both, or none")
    path = folder / _CREDENTIALS_FILE
    return kept_credentials(path), str(path)


def _greet(url: str, folder: Path, origin: str, *, is_local: bool) -> None:
    """What people want to know. The secret itself is never shown."""
    screen.say(f"the sandbox answers at {url} (a browser shows what it holds); Ctrl-C stops it", "bold")
    screen.say(f"data: {folder}")
    if origin == "environment":
        screen.say(f"credentials: {_KEY} and {_SECRET} of the environment")
    else:
        screen.say(f"credentials: {_KEY} and {_SECRET} are not set, so it made some; a shell takes them with")
        screen.say(f"export METALAKE_URL={url}; . {shlex.quote(origin)}", indent=2)
    if not is_local:
        screen.say("other computers can reach it, and nothing is encrypted", screen.STYLES["warning"])


@contextmanager
def _told(path: Path, url: str) -> Generator[None]:
    """The file with the URL stands there as long as the sandbox answers."""
    with appearing_whole(path) as temporary:
        temporary.write_text(url + "\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
