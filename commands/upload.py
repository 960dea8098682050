"""`annolake upload`: files, annotations and metadata into the MetaLake, checked before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from ..schemas.errors import UsageError
from . import addressing, journals, screen
from .helptext import Command
from .moving import MANY, TransferBar
from .optionflags import ANY_PATH, FILE
from .service import DRY_RUN_OF_LABELS, SECTIONS, connected, service_options
from .telling import tell

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Send nothing; say what would be sent.")
_TYPE = click.option(
    "--type",
    "kind",
    type=click.Choice(("image", "video", "other")),
    default="image",
    show_default=True,
    help="Of files.",
)


@click.group()
def command() -> None:
    """Bring files, annotations or metadata into the MetaLake.

    Everything is checked first: while anything is wrong, nothing is sent.
    """


@click.command("files", cls=Command)
@click.argument("path", metavar="PATH", type=ANY_PATH)
@click.option("--collection", metavar="NAME", required=True, help="The collection; a new one is made.")
@_TYPE
@click.option("--metadata", type=FILE, metavar="FILE", help="Of single files, as for `upload metadata`.")
@click.option("--override-metadata", is_flag=True, help="Of files that are there already, too.")
@click.option("--storage-prefix", metavar="DIR", help="Folder in the bucket.")
@_DRY_RUN
@journals.journal_options
@service_options
@click.pass_context
def files_command(
    ctx: click.Context,
    path: Path,
    collection: str,
    kind: str,
    metadata: Path | None,
    override_metadata: bool,
    storage_prefix: str | None,
    dry_run: bool,
    fresh: bool,
    wait: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Upload the file at PATH, or the files of that folder (not of folders in it).

    Files that the collection has already are skipped, so the same command again, after an interruption too, sends only
    what is missing.
    """
    from ..metalake_io import checks
    from ..metalake_io.kinds import collection_target
    from ..metalake_io.results import Item, UploadReport
    from ..metalake_io.scanning import scan

    checks.collection(collection)
    if metadata is not None:
        checks.read_metadata(metadata)
    planned = scan(path, kind)
    if dry_run:
        reason = "would be uploaded, unless the collection has it"
        looked = [one.look() for one in planned.entries]
        would = [
            one if isinstance(one, Item) else Item(name=one.name, state="planned", reason=reason, size=one.size)
            for one in looked
        ]
        ctx.exit(tell(UploadReport(items=[*would, *planned.left_out]), as_json=as_json, complete=True))
    bar = TransferBar("files", len(planned.entries), planned.size(MANY))
    target = collection_target(collection, kind)
    with (
        connected(as_json=as_json, **service) as client,
        journals.opened(client, target, fresh=fresh, wait=wait) as journal,
        bar,
    ):
        report = client.files.run(
            path,
            kind,
            collection,
            metadata_file=metadata,
            override_metadata=override_metadata,
            storage_prefix=storage_prefix,
            on_item=bar.item,
            moved=bar.moved,
            journal=journal,
            planned=planned,
        )
    screen.show_problems(report.told.get("problems", ()))
    ctx.exit(tell(report, as_json=as_json, complete=report.is_success))


command.add_command(files_command)
files_command.goes_on = True
files_command.sections = {"Earlier and other runs": journals.NAMES, **SECTIONS}
files_command.examples = ("annolake upload files pictures --collection Demo",)


@click.command("annotations", cls=Command)
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--operation", metavar="ID", required=True, help="Name of the annotation run; the same one replaces.")
@addressing.where_options
@click.option("--normalized", is_flag=True, help="Coordinates are fractions of the image.")
@click.option("--model-run/--human", default=False, help="Who annotated; people, unless you say otherwise.")
@click.option(
    "--missing-labels",
    type=click.Choice(("refuse", "skip")),
    default="refuse",
    show_default=True,
    help="What becomes of labels that the service has no key for.",
)
@DRY_RUN_OF_LABELS
@journals.journal_options
@service_options
@click.pass_context
def annotations_command(
    ctx: click.Context,
    path: Path,
    operation: str,
    collection: str | None,
    storage_path: bool,
    bucket: str | None,
    unique_name: bool,
    job: str | None,
    normalized: bool,
    model_run: bool,
    missing_labels: Literal["refuse", "skip"],
    dry_run: bool,
    fresh: bool,
    wait: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Upload the annotations in the MetaLake JSON FILE.

    Say how FILE names its images: --collection, --storage-path, --unique-name or --job.
    """
    from ..metalake_io import checks
    from ..metalake_io.results import AnnotationsReport, Item

    addressing.one_way(collection, storage_path, unique_name, job, bucket)
    checks.operation_id(operation)
    read = checks.read_annotations(path, normalized=normalized)
    screen.show_problems([problem.as_json() for problem in read.problems])
    if dry_run:
        would = [Item(name=one.image, state="planned", reason="would be sent") for one in read.records()]
        ctx.exit(tell(AnnotationsReport(items=would), as_json=as_json, complete=True))
    target = addressing.target(collection, bucket, job, storage_path=storage_path)
    with (
        connected(as_json=as_json, **service) as client,
        journals.opened(client, target, fresh=fresh, wait=wait) as journal,
        TransferBar("images", read.count) as bar,
    ):
        report = client.annotations.send(
            read,
            addressing.address(client, collection, storage_path, job, bucket),
            operation,
            normalized=normalized,
            model_run=model_run,
            missing_labels=missing_labels,
            on_item=bar.item,
            journal=journal,
        )
    ctx.exit(tell(report, as_json=as_json))


command.add_command(annotations_command)
annotations_command.goes_on = True
annotations_command.sections = {
    "Which images": ("collection", "storage_path", "bucket", "unique_name", "job"),
    "What they are": ("operation", "normalized", "model_run", "missing_labels"),
    "Earlier and other runs": journals.NAMES,
    **SECTIONS,
}
annotations_command.examples = (
    "annolake upload annotations lake.json --operation yolo-1 --collection Demo --model-run",
)


@click.command("metadata", cls=Command)
@click.argument("path", metavar="FILE", type=FILE)
@addressing.where_options
@_TYPE
@click.option(
    "--whole",
    type=click.Choice(("all", "head")),
    help="FILE is of the collection and all its files (all), or without these (head).",
)
@_DRY_RUN
@service_options
@click.pass_context
def metadata_command(
    ctx: click.Context,
    path: Path,
    collection: str | None,
    storage_path: bool,
    bucket: str | None,
    unique_name: bool,
    job: str | None,
    kind: str,
    whole: Literal["all", "head"] | None,
    dry_run: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Upload the metadata of files in FILE: custom fields, and tags.

    Say how FILE names them: --collection, --storage-path, --unique-name or --job. FILE holds

    {"files": [{"file": "a.png", "metadata": {"Place": "Winnipeg", "Tags": ["night"]}}]}

    and with --whole the fields of a collection: {"Place": "Winnipeg", "Tags": ["night"]}
    """
    from ..metalake_io import checks
    from ..metalake_io.metadata import DEFAULT_BUCKET
    from ..metalake_io.results import Item, MetadataReport

    addressing.one_way(collection, storage_path, unique_name, job, bucket)
    if whole is not None:
        if collection is None:
            raise UsageError("which-collection", "--whole goes with --collection", hint="give its name")
        ctx.exit(_of_collection(path, collection, kind, whole == "all", dry_run, as_json, service))
    entries = checks.read_metadata(path)
    if dry_run:
        would = [Item(name=entry.file, state="planned", reason="would be sent") for entry in entries]
        ctx.exit(tell(MetadataReport(items=would), as_json=as_json, complete=True))
    with connected(as_json=as_json, **service) as client, TransferBar("files", len(entries)) as bar:
        found = None if collection is None else client.collections.id_of(collection, kind)
        report = client.metadata.send(
            client.metadata.check(entries),
            bucket=(bucket or DEFAULT_BUCKET) if storage_path else None,
            job_id=job,
            collection_id=found,
            on_item=bar.item,
        )
    ctx.exit(tell(report, as_json=as_json))


command.add_command(metadata_command)
metadata_command.goes_on = True
metadata_command.sections = {
    "Which files": ("collection", "kind", "whole", "storage_path", "bucket", "unique_name", "job"),
    **SECTIONS,
}
metadata_command.examples = ("annolake upload metadata metadata.json --collection Demo",)


def _of_collection(
    path: Path, collection: str, kind: str, to_all_files: bool, dry_run: bool, as_json: bool, service: dict[str, Any]
) -> int:
    """Metadata of a whole collection; the exit code."""
    from ..metalake_io import checks
    from ..metalake_io.results import Item, MetadataReport

    fields = checks.read_fields(path)
    if dry_run:
        would = Item(name=collection, state="planned", reason="would be sent")
        return tell(MetadataReport(items=[would]), as_json=as_json, complete=True)
    with connected(as_json=as_json, **service) as client:
        report = client.metadata.of_collection(collection, kind, fields, to_all_files=to_all_files)
    return tell(report, as_json=as_json)
