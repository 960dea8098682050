"""Background jobs of the service: what becomes of an upload after its last byte."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..schemas.errors import UsageError
from .errors import NetworkGaveUp, ServiceRefused
from .service import Service, quoted

JobStatus = Literal["COMPLETED", "FAILED"]

_COMPLETED, _FAILED = 2, 4
_DEADLINE = 3600.0
_FIRST, _LONGEST = 1.0, 30.0
_COLLECTION_DOWNLOAD = 10


class Jobs:
    def __init__(self, service: Service) -> None:
        self._service = service

    def wait(self, job_id: str, *, deadline: float = _DEADLINE) -> JobStatus:
        """Until the job has ended, asking after 1 to 30 seconds. ServiceRefused for a job that the service does
        not know; NetworkGaveUp (`job-unfinished`) after `deadline` seconds.
        """
        if not job_id:
            raise UsageError("job-id", "the job id is empty")
        clock = self._service.clock
        begin, pause = clock.monotonic(), _FIRST
        while True:
            status = self.status(job_id)
            if status in (_COMPLETED, _FAILED):
                return "COMPLETED" if status == _COMPLETED else "FAILED"
            if clock.monotonic() + pause - begin > deadline:
                raise NetworkGaveUp(
                    "job-unfinished",
                    f"the job {job_id} has not ended after {deadline:,.0f} seconds",
                    hint="it goes on without us: wait for it again",
                )
            clock.sleep(pause)
            pause = min(_LONGEST, 2 * pause)

    def status(self, job_id: str) -> int:
        """1 in progress, 2 completed, 3 queued, 4 failed."""
        operation = f"status of the job {job_id}"
        return self._service.get(operation, f"/client/jobs/{quoted(job_id)}/getStatus", _Status).status

    def tell_download(self, session_id: str, errors: str) -> bool:
        """Tell the service that a download of a collection has ended, for its list of jobs. Whether it took it: a
        list entry is not worth a failure.
        """
        details: dict[str, Any] = {"errorList": errors} if errors else {}
        body: dict[str, Any] = {
            "jobName": "Collection Download",
            "sessionId": session_id,
            "jobType": _COLLECTION_DOWNLOAD,
            "progress": 0,
            "status": _FAILED if errors else _COMPLETED,
            "jobSpecificDetails": details,
        }
        try:
            self._service.send("POST", "note the download", "/job/updateJob/basicAuthRequest", body=body)
        except (ServiceRefused, NetworkGaveUp):
            return False
        return True


class _Status(msgspec.Struct):
    status: int
