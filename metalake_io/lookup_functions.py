"""Functions beside the numbered ones that the documentation's examples use: waiting, and facts of collections."""

from __future__ import annotations

from typing import Any

from .arguments import checked
from .errors import ServiceRefused
from .parts import Parts


class LookUpFunctions:
    parts: Parts

    @checked
    def wait_for_job_complete(self, job_id: str) -> dict[str, Any]:
        """`{"is_success", "job_status"}`: COMPLETED or FAILED, which a job is, too, that the service does not know.

        NetworkGaveUp after an hour, and where the service cannot be asked: the job goes on.
        """
        try:
            status = self.parts.jobs.wait(job_id)
        except ServiceRefused:
            status = "FAILED"
        return {"is_success": status == "COMPLETED", "job_status": status}

    @checked
    def get_collection_id_by_name(self, collection_name: str, content_type: str = "image") -> str:
        """The id of a collection."""
        return self.parts.collections.id_of(collection_name, content_type)

    @checked
    def get_collection_details(self, collection_id: str, fields_filter: dict[str, bool] | None = None) -> Any:
        """Facts of a collection: by default its id, name and content type."""
        return self.parts.collections.details(collection_id, fields_filter)

    @checked
    def get_upload_status(self, collection_name: str) -> dict[str, Any]:
        """How far the service is with what was uploaded to a collection."""
        return self.parts.collections.upload_progress(collection_name)
