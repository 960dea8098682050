"""The documented functions 2.2 to 2.6: annotations to images that are named in five ways."""

from __future__ import annotations

from pathlib import Path

from ..schemas.errors import UsageError
from . import checks
from .annotation_wire import Address
from .arguments import checked
from .checks import Annotations
from .folder_form import annotations_v1
from .parts import Parts
from .results import AnnotationsReport
from .spellings import also_called, deprecated
from .studio import attach_model_run


class AnnotationFunctions:
    """Each raises InvalidInput before anything is written where the file or a label is not as it must be, and
    PartlyDone, with the report, where the service did not take all. `client.annotations.send` gives the report.
    `Is_normalized`, as the documentation's tables have it, works for `is_normalized`.
    """

    parts: Parts

    @also_called(Is_normalized="is_normalized")
    @checked
    def upload_annotations_for_collection(
        self,
        collection_name: str,
        operation_unique_id: str,
        json_data_file_path: str,
        is_normalized: bool,
        is_model_run: bool,
    ) -> None:
        """2.2: images by their file names, as uploaded to the image collection."""
        read = self._read(operation_unique_id, json_data_file_path, is_normalized, is_model_run)
        address = self.parts.annotations.to_collection(collection_name)
        self._send(read, address, operation_unique_id, is_normalized, is_model_run)

    @also_called(Is_normalized="is_normalized")
    @checked
    def upload_annotations_by_storage_path(
        self,
        operation_unique_id: str,
        json_data_file_path: str,
        is_normalized: bool,
        is_model_run: bool,
        bucket_name: str | None = None,
    ) -> None:
        """2.3: images by their paths in a bucket, None for the default one. `storageName` of an image goes before."""
        read = self._read(operation_unique_id, json_data_file_path, is_normalized, is_model_run)
        address = Address(target="storage_path", bucket=bucket_name)
        self._send(read, address, operation_unique_id, is_normalized, is_model_run)

    @also_called(Is_normalized="is_normalized")
    @checked
    def upload_annotations_by_unique_name(
        self, operation_unique_id: str, json_data_file_path: str, is_normalized: bool, is_model_run: bool
    ) -> None:
        """2.4: images by their unique names."""
        read = self._read(operation_unique_id, json_data_file_path, is_normalized, is_model_run)
        self._send(read, Address(target="object_key"), operation_unique_id, is_normalized, is_model_run)

    @also_called(Is_normalized="is_normalized")
    @checked
    def upload_annotations_by_job_id(
        self, job_id: str, operation_unique_id: str, json_data_file_path: str, is_normalized: bool, is_model_run: bool
    ) -> None:
        """2.5: images by their file names in one upload, which its job names."""
        if not job_id:
            raise UsageError("job-id", "job id is required for upload annotation data by job id")
        read = self._read(operation_unique_id, json_data_file_path, is_normalized, is_model_run)
        address = Address(target="job", job_id=job_id)
        self._send(read, address, operation_unique_id, is_normalized, is_model_run)

    @deprecated("upload_annotations_for_collection")
    @also_called(collection_base_path="collection_name", Is_normalized="is_normalized")
    @checked
    def upload_annoations_for_folder(
        self,
        collection_name: str | None,
        operation_unique_id: str,
        json_data_file_path: str,
        shape_type: str | None,
        is_normalized: bool,
        is_model_run: bool,
        destination_project_id: str | None = None,
    ) -> None:
        """2.6, deprecated: 2.2 (without a name, 2.4) for the older form of the file (`folder_form`).

        A model run is attached to the project of the studio, if one is named. `collection_base_path`, the official
        SDK's word for `collection_name`, works too.
        """
        if destination_project_id is not None and not is_model_run:
            raise UsageError("project", "only a model run can be attached to a project", hint="leave the project out")
        checks.operation_id(operation_unique_id)
        normalized = checks.flag(is_normalized, "is_normalized")
        read = annotations_v1(Path(json_data_file_path), shape_type, normalized=normalized)
        parts = self.parts.annotations
        address = parts.to_collection(collection_name) if collection_name else Address(target="object_key")
        self._send(read, address, operation_unique_id, is_normalized, is_model_run)
        if destination_project_id is not None:
            attach_model_run(self.parts.service, destination_project_id, operation_unique_id)

    def _read(self, operation_id: str, path: str, normalized: bool, model_run: bool) -> Annotations:
        checks.operation_id(operation_id)
        checks.flag(model_run, "is_model_run")
        return checks.read_annotations(Path(path), normalized=checks.flag(normalized, "is_normalized"))

    def _send(
        self, read: Annotations, address: Address, operation_id: str, normalized: bool, model_run: bool
    ) -> AnnotationsReport:
        checks.flag(model_run, "is_model_run")
        parts = self.parts.annotations
        report = parts.send(read, address, operation_id, normalized=normalized, model_run=model_run)
        report.raise_for_failures("upload of annotations")
        return report
