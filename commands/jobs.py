"""`annolake jobs`: background jobs of the service."""

from __future__ import annotations

from typing import Any

import click

from . import screen
from .helptext import Command
from .service import SECTIONS, connected, service_options

_REFUSED = 7


@click.group()
def command() -> None:
    """Look after background jobs of the MetaLake.

    An upload's files can be worked with when its job has completed.
    """


@click.command("wait", cls=Command)
@click.argument("job_id", metavar="ID")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait.",
)
@service_options
@click.pass_context
def wait_command(ctx: click.Context, job_id: str, deadline: float, as_json: bool, **service: Any) -> None:
    """Wait until a job has completed or failed.

    Exit code 0 when it has completed, 7 when it has failed, 8 when the time is over.
    """
    with connected(as_json=as_json, **service) as client:
        status = client.jobs.wait(job_id, deadline=deadline)
    if as_json:
        screen.emit({"job": job_id, "status": status})
    screen.say(f"job {job_id}: {status.lower()}")
    ctx.exit(0 if status == "COMPLETED" else _REFUSED)


command.add_command(wait_command)
wait_command.sections = {"Waiting": ("deadline",), **SECTIONS}
wait_command.examples = ("annolake jobs wait 654c5167a467d18f9fdb767c",)
