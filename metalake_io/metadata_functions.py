"""The documented functions 2.13 to 2.17: metadata of collections and of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..schemas.errors import UsageError
from . import checks
from .arguments import checked
from .errors import ServiceRefused
from .metadata import DEFAULT_BUCKET
from .parts import Parts
from .results import MetadataReport
from .spellings import also_called


class MetadataFunctions:
    """Each gives `{"message", "isSuccess"}`; a file with errors raises InvalidInput before anything is sent.
    `client.metadata` gives the report. `file_meta_data_json_path`, the documentation's word in its tables for
    `json_data_file_path`, works for all of them, and so does the other way round.
    """

    parts: Parts

    @checked
    def upload_metadata_for_collection(
        self,
        collection_name: str,
        content_type: str,
        metadata_obj: Mapping[str, Any] | None = None,
        is_apply_to_all_files: bool = True,
    ) -> dict[str, Any]:
        """2.13: fields and tags of a collection, and of all its files unless only the collection itself is meant."""
        to_all = checks.flag(is_apply_to_all_files, "is_apply_to_all_files")
        fields = metadata_obj or {}
        parts = self.parts.metadata
        return _result(lambda: parts.of_collection(collection_name, content_type, fields, to_all_files=to_all))

    @also_called(file_meta_data_json_path="json_data_file_path")
    @checked
    def upload_metadata_by_job_id(self, job_id: str, json_data_file_path: str) -> dict[str, Any]:
        """2.14: files by their names in one upload, which its job names."""
        if not job_id:
            raise UsageError("job-id", "job_id is empty. Please provide valid job id")
        return self._by_file(json_data_file_path, job_id=job_id)

    @also_called(file_meta_data_json_path="json_data_file_path")
    @checked
    def upload_metadata_by_storage_path(
        self, json_data_file_path: str, bucket_name: str | None = None
    ) -> dict[str, Any]:
        """2.15: files by their paths in a bucket, None for the default one. (The documentation's example, with a job id
        in front, is that of another function.)
        """
        return self._by_file(json_data_file_path, bucket=bucket_name or DEFAULT_BUCKET)

    @also_called(file_meta_data_json_path="json_data_file_path")
    @checked
    def upload_metadata_by_unique_name(self, json_data_file_path: str) -> dict[str, Any]:
        """2.16: files by their unique names."""
        return self._by_file(json_data_file_path)

    @also_called(json_data_file_path="file_meta_data_json_path")
    @checked
    def upload_metadata_for_files(
        self, collection_name: str, content_type: str, file_meta_data_json_path: str
    ) -> dict[str, Any]:
        """2.17: files by their names, as uploaded to a collection."""
        checks.collection(collection_name)
        entries = checks.read_metadata(Path(file_meta_data_json_path))
        parts = self.parts

        def send() -> MetadataReport:
            found = parts.collections.id_of(collection_name, content_type)
            return parts.metadata.send(parts.metadata.check(entries), collection_id=found)

        return _result(send)

    def _by_file(self, path: str, *, bucket: str | None = None, job_id: str | None = None) -> dict[str, Any]:
        entries = checks.read_metadata(Path(path))
        parts = self.parts.metadata
        return _result(lambda: parts.send(parts.check(entries), bucket=bucket, job_id=job_id))


def _result(send: Callable[[], MetadataReport]) -> dict[str, Any]:
    try:
        return send().as_dict()
    except ServiceRefused as error:
        return error.as_dict()
