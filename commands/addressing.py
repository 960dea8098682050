"""How a file names the images it is about: by collection, path in a bucket, unique name or job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..schemas.errors import UsageError

if TYPE_CHECKING:
    from ..metalake_io.annotation_wire import Address
    from ..metalake_io.client import MetaLakeClient

_WHERE = (
    click.option("--collection", metavar="NAME", help="Files by name, as uploaded to this collection."),
    click.option("--storage-path", is_flag=True, help="Files by path in a bucket."),
    click.option("--bucket", metavar="NAME", help="With --storage-path; else the default bucket."),
    click.option("--unique-name", is_flag=True, help="Files by unique name."),
    click.option("--job", metavar="ID", help="Files by name in the upload that this job belongs to."),
)


def where_options(function: Any) -> Any:
    """The options that say how a file names its images."""
    for option in reversed(_WHERE):
        function = option(function)
    return function


def one_way(collection: str | None, storage_path: bool, unique_name: bool, job: str | None, bucket: str | None) -> None:
    """Refuse what names the files in no way or in several.

    Raises:
        UsageError: none or several ways, a bucket without paths, an empty name.
    """
    from ..metalake_io import checks

    if (collection is not None) + storage_path + unique_name + (job is not None) != 1:
        hint = "give one of --collection, --storage-path, --unique-name, --job"
        raise UsageError("which-files", "how does the file name them?", hint=hint)
    if bucket is not None and not storage_path:
        raise UsageError("bucket", "a bucket goes with --storage-path only", hint="leave it out, or add --storage-path")
    if collection is not None:
        checks.collection(collection)
    if (job is not None and not job.strip()) or (bucket is not None and not bucket.strip()):
        raise UsageError("which-files", "the job or the bucket is empty", hint="name it")


def target(collection: str | None, bucket: str | None, job: str | None, *, storage_path: bool) -> str:
    """What is sent to, as journals know it."""
    from ..metalake_io.kinds import collection_target

    if collection is not None:
        return collection_target(collection, "image")
    if job is not None:
        return f"files of the job {job}"
    return f"files by path in the bucket {bucket or 'DEFAULT'}" if storage_path else "files by unique name"


def address(
    client: MetaLakeClient, collection: str | None, storage_path: bool, job: str | None, bucket: str | None
) -> Address:
    """What is sent to, as the service knows it; a collection is looked up."""
    from ..metalake_io.annotation_wire import Address

    if collection is not None:
        return client.annotations.to_collection(collection)
    if job is not None:
        return Address(target="job", job_id=job)
    return Address(target="storage_path", bucket=bucket) if storage_path else Address(target="object_key")
