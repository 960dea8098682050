"""Background jobs: an upload's processing, and what clients report of their downloads."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from .calls import Asked
from .database import insert, new_id, now, one, text_of
from .lake import Lake
from .refusals import Refusal

IN_PROGRESS, COMPLETED, QUEUED, FAILED = 1, 2, 3, 4
"""Status of a job, in the service's numbers."""

UPLOAD = 1
"""Type of the job of an upload. The service's number is not known; downloads are 9, 10 and 11."""


class JobUpdate(msgspec.Struct):
    sessionId: str
    jobName: str = ""
    jobType: int = 10
    progress: float = 0
    status: int = IN_PROGRESS
    jobSpecificDetails: dict[str, Any] = {}


def begin_job(db: sqlite3.Connection, name: str) -> str:
    """A new job of an upload, in progress."""
    job = new_id()
    row = {"id": job, "name": name, "type": UPLOAD, "status": IN_PROGRESS, "progress": 0, "modified": now()}
    insert(db, "jobs", row)
    return job


def advance_job(db: sqlite3.Connection, job: str, status: int, progress: float, details: dict[str, Any]) -> None:
    db.execute(
        "UPDATE jobs SET status = ?, progress = ?, details = ?, modified = ? WHERE id = ?",
        (status, progress, text_of(details), now(), job),
    )


def status(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`GET /client/jobs/{job}/getStatus`."""
    with lake.database.reading() as db:
        job = one(db, "SELECT status, progress FROM jobs WHERE id = ?", asked.path["job"])
    if job is None:
        raise Refusal(404, "Job not found")
    return {"isSuccess": True, "status": job["status"], "progress": job["progress"]}


def update(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /job/updateJob/basicAuthRequest`: a client says how far its download is. One job a session."""
    told = asked.body(JobUpdate)
    with lake.database.writing() as db:
        known = one(db, "SELECT id FROM jobs WHERE session_id = ?", told.sessionId)
        if known is not None:
            advance_job(db, known["id"], told.status, told.progress, told.jobSpecificDetails)
            return {"success": True, "isSuccess": True, "jobId": known["id"]}
        row = {
            "id": new_id(),
            "session_id": told.sessionId,
            "name": told.jobName,
            "type": told.jobType,
            "status": told.status,
            "progress": told.progress,
            "details": text_of(told.jobSpecificDetails),
            "modified": now(),
        }
        insert(db, "jobs", row)
    return {"success": True, "isSuccess": True, "jobId": row["id"]}
