"""What goes along with files: checked before them, and sent only when the service has made something of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.schemas.errors import UsageError

from .lake import Lake
from .wire import js, refusal

Put = Callable[[str, Any], str]

BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
FILE = {"images": [{"image": "a.png", "annotations": [BOX]}]}
ENTRIES = {"files": [{"file": "a.png", "metadata": {"cam": "1"}}]}


@pytest.mark.parametrize("jobs", [[4], [3, 1, 4], [1, 1, 4]])
def test_a_failed_job_gets_neither_metadata_nor_annotations(
    client: MetaLakeClient, lake: Lake, pictures, put: Put, jobs: list[int]
) -> None:
    """Defect 23: the official SDK ignores how the job ended. Nothing is sent, and each row says why."""
    lake.job_states = jobs
    result = client.files.run(
        pictures,
        "image",
        "Demo",
        metadata_file=pictures.parent / put("m.json", ENTRIES),
        annotation_data=data_of(put),
    )
    assert not result.is_success
    assert (lake.metadata, lake.updates) == ([], [])
    assert result.metadata is not None
    assert result.annotations is not None
    reasons = {item.reason for item in result.metadata.items + result.annotations.items}
    assert reasons == {"the service failed to process the files; not sent"}


@pytest.mark.parametrize("lacks", [["operation_unique_id"], ["json_data_file_path"]])
def test_annotation_data_that_lacks_something(
    client: MetaLakeClient, lake: Lake, pictures, put: Put, lacks: list[str]
) -> None:
    """Defect 23: a KeyError of the official SDK, once the files are there."""
    data = {"json_data_file_path": put("x.json", FILE), "operation_unique_id": "op"}
    for key in lacks:
        del data[key]
    with pytest.raises(UsageError, match=f"annotation_data lacks {lacks[0]}"):
        client.upload_files_to_collection(str(pictures), "image", "Demo", annotation_data=data)
    assert lake.asked("POST") == []


@pytest.mark.parametrize("value", [{"operation_unique_id": ""}, {"operation_unique_id": None}, {"is_model_run": "no"}])
def test_annotation_data_of_another_kind(client: MetaLakeClient, lake: Lake, pictures, put: Put, value: Any) -> None:
    """Defect 23: only printed by the official SDK, which says `is_success`."""
    data = {"json_data_file_path": put("x.json", FILE), "operation_unique_id": "op"} | value
    with pytest.raises(UsageError):
        client.upload_files_to_collection(str(pictures), "image", "Demo", annotation_data=data)
    assert lake.asked("POST") == []


@pytest.mark.parametrize("kind", ["images", "picture", "", "IMAGE "])
def test_no_other_word_means_other(client: MetaLakeClient, lake: Lake, pictures, kind: str) -> None:
    """Defect 23: the official SDK takes every unknown word for `other`."""
    with pytest.raises(UsageError, match="content type is image, video or other"):
        client.upload_files_to_collection(str(pictures), kind, "Demo")
    assert lake.asked("POST") == []


def data_of(put: Put) -> Any:
    from annolake.metalake_io.collection_upload import AnnotationData

    return AnnotationData.of({"json_data_file_path": put("x.json", FILE), "operation_unique_id": "op"})


@pytest.mark.parametrize("is_lasting", [True, False])
def test_what_belongs_to_a_file_can_be_helped_as_the_file_can(
    client: MetaLakeClient, lake: Lake, pictures, put: Put, is_lasting: bool
) -> None:
    """Who is told to run it again must not hear that for ever."""
    answer = js({"fileId": "", "fileKey": "", "uploadRemovedFile": True}) if is_lasting else refusal(500, "busy")
    lake.rule("POST .*/initializeMultipartUpload", answer, times=1 << 30)
    report = client.files.run(
        pictures / "a.png",
        "image",
        "Demo",
        metadata_file=pictures.parent / put("m.json", ENTRIES),
        annotation_data=data_of(put),
    )
    assert report.metadata is not None
    assert report.annotations is not None
    rows = [*report.items, *report.metadata.items, *report.annotations.items]
    assert [row.retry_helps for row in rows] == [not is_lasting] * 3
