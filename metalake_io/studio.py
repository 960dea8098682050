"""The one call of the annotation studio that the documented functions need."""

from __future__ import annotations

from .service import Service

_PREFIX = "/studio/api"


def attach_model_run(service: Service, project_id: str, operation_id: str) -> None:
    """Show a model run's annotations in a project of the studio. ServiceRefused where the studio does not want it."""
    operation = f"attach to the project {project_id}"
    body = {"projectId": project_id, "operationIdArray": [operation_id]}
    path = "/client/projects/modelRun/attach"
    response = service.send("POST", operation, path, body=body, prefix=_PREFIX)
    if response.content.strip():
        service.plain(operation, response)
