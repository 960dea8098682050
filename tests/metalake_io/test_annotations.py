"""Upload of annotations, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io import checks
from annolake.metalake_io.annotation_wire import Address
from annolake.metalake_io.batches import batches
from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.errors import InvalidUpload, NetworkGaveUp, NotAuthorised, PartlyDone, ServiceRefused
from annolake.metalake_io.results import UploadReport
from annolake.schemas.errors import InvalidInput, UsageError

from .lake import Lake
from .wire import Answer, js, refusal

Put = Callable[[str, Any], str]


def box(label: str = "Car", **other: Any) -> dict[str, Any]:
    return {"type": "rectangle", "bbox": [10, 20, 30, 40], "label": label, **other}


def file(*names: str, **annotation: Any) -> dict[str, Any]:
    return {"images": [{"image": name, "annotations": [box(**annotation)]} for name in names]}


def many(number: int) -> dict[str, Any]:
    return {"images": [{"image": f"{n:05}.png", "annotations": [box()]} for n in range(number)]}


def element(lake: Lake, number: int = 0) -> dict[str, Any]:
    return json.loads(lake.updates[0]["metaUpdatesArray"])[number]


def test_what_is_sent_of_a_box(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    values = [{"value": "red", "confidence": 0.35, "metadata": {"shade": "dark"}}, {"value": "blue"}]
    path = put("x.json", file("a.png", confidence=0.5, metadata={"cam": "1"}, attributes={"color": values}))
    assert client.upload_annotations_for_collection("Demo Collection", "op", path, False, True) is None
    sent = element(lake)
    one = sent["data"]["annotationObjects"][0]
    assert sent["objectKey"] == "Demo_a.png"
    assert one.pop("id").startswith("shape_")
    assert one.pop("createdAt") == {"$date": "2026-11-23 09:27:48.500000"}
    assert one == {
        "boxBoundariesAndDimensions": {"x": 10, "y": 20, "w": 30, "h": 40},
        "points": [[10, 20], [40, 20], [40, 60], [10, 60]],
        "shapeId": 1,
        "type": "rectangle",
        "confidence": 0.5,
        "label": {
            "label": "L-Car", "labelText": "Car", "metadata": {}, "key": "L-Car", "color": "#ff0000",
            "attributeValues": {"A-color": [
                {"value": "V-red", "confidence": 0.35, "metadata": {"shade": "dark"}},
                {"value": "V-blue", "confidence": 0},
            ]},
        },
        "metadata": {"cam": "1"},
    }  # fmt: skip
    assert {key: lake.updates[0][key] for key in ("operationMode", "totalImageCount", "uploadedImageCount")} == {
        "operationMode": 2, "totalImageCount": 1, "uploadedImageCount": 1,
    }  # fmt: skip


def test_the_same_call_sends_the_same_ids(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    path = put("x.json", file("a.png"))
    client.upload_annotations_by_unique_name("op", path, False, False)
    client.upload_annotations_by_unique_name("op", path, False, False)
    client.upload_annotations_by_unique_name("other", path, False, False)
    ids = [json.loads(one["metaUpdatesArray"])[0]["data"]["annotationObjects"][0]["id"] for one in lake.updates]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 2001])
def test_batches_by_count_without_an_empty_one_and_without_pauses(
    client: MetaLakeClient, lake: Lake, put: Put, clock, count: int
) -> None:
    """Defect 18."""
    client.upload_annotations_by_unique_name("op", put("x.json", many(count)), False, True)
    sizes = [len(json.loads(one["metaUpdatesArray"])) for one in lake.updates]
    assert sizes == [1000] * (count // 1000) + ([count % 1000] if count % 1000 else [])
    assert [one["uploadedImageCount"] for one in lake.updates][-1] == count
    assert len({one["sessionId"] for one in lake.updates}) == 1
    assert clock.sleeps == []


def test_no_images_no_request(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    client.upload_annotations_by_unique_name("op", put("x.json", {"images": []}), False, True)
    assert lake.updates == []


def test_batches_by_bytes_never_split_an_image() -> None:
    """Defect 17. Quotation marks count twice: JSON stands inside JSON."""
    elements = [(str(n), {"text": '"' * 20}) for n in range(10)]
    found = list(batches(elements, most_images=1000, most_bytes=300))
    assert [name for batch in found for name in batch.names] == [str(n) for n in range(10)]
    assert all(len(json.dumps(batch.array())) <= 300 for batch in found)
    assert 1 < len(found) < 10
    assert [batch.names for batch in batches(elements, most_bytes=1)] == [[str(n)] for n in range(10)]


def test_413_halves_down_to_the_one_that_is_too_large(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    def too_large(asked) -> Answer:
        if "00700.png" in asked.body.decode():
            return Answer(413, b"<html>too large</html>", {"Content-Type": "text/html"})
        return lake._call(asked, asked.path.removeprefix("/datalake/api"))

    lake.rule("POST .*update", too_large, times=999)
    with pytest.raises(PartlyDone) as caught:
        client.upload_annotations_by_unique_name("op", put("x.json", many(1000)), False, True)
    report = caught.value.report
    assert report is not None
    assert [item.name for item in report.of("failed")] == ["00700.png"]
    assert len(report.of("uploaded")) == 999
    assert len(lake.annotations) == 999
    assert len(lake.asked("update")) <= 21


def test_every_way_to_name_images(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    path = put("x.json", {"images": [
        {"image": "a.png", "annotations": []}, {"image": "b.png", "storageName": "B2", "annotations": []},
        {"image": "c.png", "annotations": []},
    ]})  # fmt: skip
    client.upload_annotations_by_storage_path("op", path, False, True, "B1")
    client.upload_annotations_by_unique_name("op", path, False, True)
    client.upload_annotations_by_job_id("j1", "op", path, False, True)
    where = ("objectKey", "storagePath", "bucketName", "jobId", "fileName")
    sent = [[tuple(e[k] for k in where) for e in json.loads(one["metaUpdatesArray"])] for one in lake.updates]
    assert sent[0] == [(None, n, b, None, None) for n, b in [("a.png", "B1"), ("b.png", "B2"), ("c.png", "B1")]]
    assert sent[1] == [(n, None, b, None, None) for n, b in [("a.png", None), ("b.png", "B2"), ("c.png", None)]]
    assert sent[2][0] == (None, None, None, "j1", "a.png")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"images": [{"image": "a.png", "annotations": [box(), {**box(), "type": "Rectangle"}, box()]}]}, None),
        ({"images": [{"image": "a.png", "annotations": [{"bbox": [1, 2, 3, 4], "label": "x"}]}]}, None),
        ({"images": [{"image": "a.png", "annotations": [box(), {"bbox": [1, 2, 3, 4], "label": "x"}]}]}, None),
        ({"images": [{"image": "a.png", "annotations": [{**box(), "bbox": [1, 2, 3]}]}]}, None),
        ({"images": [{"image": "a.png", "annotations": [{"type": "polygon", "label": "x"}]}]}, None),
        ({"images": [{"image": "a.png", "annotations": [{**box(), "bbox": [1, 2, -3, 4]}]}]}, None),
        ({"images": [{"image": "a.png"}]}, None),
        ({"images": [{"image": "a.png", "annotations": [{"type": "rectangle", "bbox": [1, 2, 3, 4]}]}]}, None),
        ({"images": [{"image": "a.png", "annotations": [box(attributes={"doors": [{"value": 4}]})]}]}, None),
        ({"images": [{"image": "a.png", "annotations": []}] * 2}, "duplicate-image"),
        ('{"images": [{"image": "a.png", "annotations": [{"type": "line", "line": [[NaN, 1]], "label": "x"}]}]}', None),
        ("no json", None),
    ],
)
def test_nothing_is_sent_of_a_broken_file(
    client: MetaLakeClient, lake: Lake, put: Put, document: Any, code: str | None
) -> None:
    """Defects 13, 14 (types), 15, 16 (numbers)."""
    with pytest.raises(InvalidInput) as caught:
        client.upload_annotations_for_collection("Demo", "op", put("x.json", document), False, True)
    assert caught.value.exit_code == 4
    assert code in (None, caught.value.code)
    assert lake.asked("POST") == []


def test_all_that_is_wrong_is_listed(client: MetaLakeClient, put: Put) -> None:
    path = put("x.json", file("a.png", "../b.png", "/c.png", bbox=[0, 0, 0, 1]))
    with pytest.raises(InvalidUpload) as caught:
        client.upload_annotations_for_collection("Demo", "op", path, False, True)
    assert len([problem for problem in caught.value.problems if problem.severity == "error"]) >= 4


def test_normalized(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    client.upload_annotations_by_unique_name("op", put("x.json", file("a.png", bbox=[0.1, 0.2, 0.3, 0.4])), True, True)
    assert lake.asked("update")[0].query == {"isNormalized": "True"}
    with pytest.raises(InvalidInput):
        client.upload_annotations_by_unique_name("op", put("x.json", file("a.png")), True, True)


def test_a_file_that_says_otherwise(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    document = file("a.png", bbox=[0.1, 0.2, 0.3, 0.4]) | {"annolake": {"coordinates": "normalized"}}
    with pytest.raises(InvalidInput, match="is_normalized=True"):
        client.upload_annotations_by_unique_name("op", put("x.json", document), False, True)


def test_unknown_labels_stop_before_the_first_write(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    """Defect 16: the official SDK drops them with a printed line."""
    lake.unknown_labels = {"Bus", "Tram"}
    document = {"images": [{"image": "a.png", "annotations": [box("Car"), box("Bus"), box("Tram")]}]}
    document["images"][0]["annotations"][1]["bbox"] = [1, 1, 1, 1]
    path = put("x.json", document)
    with pytest.raises(InvalidInput, match=r"Bus \(1 annotation\), Tram \(1 annotation\)") as caught:
        client.upload_annotations_by_unique_name("op", path, False, True)
    assert (caught.value.code, caught.value.exit_code) == ("unknown-label", 4)
    assert lake.updates == []
    read = checks.read_annotations(Path(path), normalized=False)
    address = Address(target="object_key")
    report = client.annotations.send(read, address, "op", normalized=False, model_run=True, missing_labels="skip")
    assert report.annotations == 1
    assert report.notes == ["2 annotations were left out: the service has no key for their labels"]
    assert [one["label"]["labelText"] for one in lake.annotations["a.png", "op"]] == ["Car"]


def test_attributes_that_the_service_has_no_key_for(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    lake.rule(
        "POST .*references", js({"Car": {"ref": "1", "color": "", "texts": {"color": {"ref": "2", "texts": {}}}}})
    )
    path = put("x.json", file("a.png", attributes={"color": [{"value": "red"}], "doors": [{"value": "4"}]}))
    with pytest.raises(InvalidInput, match=r"Car/color=red \(1 annotation\), Car/doors"):
        client.upload_annotations_by_unique_name("op", path, False, True)


@pytest.mark.parametrize(
    "answer",
    [
        js({"isSuccess": False, "message": "no such images"}),
        refusal(400, "bad"),
    ],
)
def test_a_batch_that_is_refused_fails(client: MetaLakeClient, lake: Lake, put: Put, answer: Answer) -> None:
    """Defect 12: all of these look like success to the official SDK."""
    lake.rule("POST .*update", answer)
    with pytest.raises(PartlyDone) as caught:
        client.upload_annotations_by_unique_name("op", put("x.json", many(1500)), False, True)
    assert caught.value.exit_code == 6
    assert caught.value.report is not None
    summary = caught.value.report.as_json()["summary"]
    assert summary == {"uploaded": 500, "skipped": 0, "failed": 1000, "uncertain": 0}
    assert len(lake.annotations) == 500


def test_transient_faults_are_survived(client: MetaLakeClient, lake: Lake, put: Put, clock) -> None:
    lake.rule("POST .*update", refusal(503, "x"), refusal(429, "slow"))
    client.upload_annotations_by_unique_name("op", put("x.json", many(1500)), False, True)
    assert len(lake.annotations) == 1500
    assert len(clock.sleeps) == 2


def test_a_service_that_stays_away(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    lake.rule("POST .*update", refusal(503, "x"), times=99, skip=1)
    with pytest.raises(NetworkGaveUp) as caught:
        client.upload_annotations_by_unique_name("op", put("x.json", many(2500)), False, True)
    report = caught.value.report
    assert (caught.value.exit_code, caught.value.status) == (8, 503)
    assert report is not None
    assert report.as_json()["summary"] == {
        "uploaded": 1000,
        "skipped": 0,
        "failed": 1000,
        "uncertain": 0,
        "not begun": 500,
    }


def test_401_midway(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    lake.rule("POST .*update", refusal(401, "Unauthorized"), skip=1)
    with pytest.raises(NotAuthorised) as caught:
        client.upload_annotations_by_unique_name("op", put("x.json", many(2500)), False, True)
    assert caught.value.report is not None
    assert len(caught.value.report.of("uploaded")) == 1000
    assert [len(caught.value.report.of(state)) for state in ("failed", "not begun")] == [1000, 500]
    assert len(lake.asked("update")) == 2


def test_images_that_the_service_names_as_unknown(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    for answer in ({"isSuccess": True, "failed": ["Demo_b_a.png"]}, {"isSuccess": False, "notFound": ["Demo_b_a.png"]}):
        lake.rule("POST .*update", js(answer))
        with pytest.raises(PartlyDone) as caught:
            client.upload_annotations_for_collection("x", "op", put("x.json", file("a.png", "b_a.png")), False, True)
        assert caught.value.report is not None
        assert [item.name for item in caught.value.report.of("failed")] == ["b_a.png"]
        assert [item.name for item in caught.value.report.of("uploaded")] == ["a.png"]


@pytest.mark.parametrize("operation", ["model/1", "a?b", "a#b", "a b", "é%2F"])
def test_odd_operation_ids_arrive(client: MetaLakeClient, lake: Lake, put: Put, operation: str) -> None:
    """Defect 20."""
    client.upload_annotations_by_unique_name(operation, put("x.json", file("a.png")), False, True)
    assert list(lake.annotations) == [("a.png", operation)]


@pytest.mark.parametrize("operation", ["", " ", ".", "..", "$x", "a\nb", None])
def test_operation_ids_that_cannot_be(client: MetaLakeClient, lake: Lake, put: Put, operation: Any) -> None:
    with pytest.raises(UsageError):
        client.upload_annotations_by_unique_name(operation, put("x.json", file("a.png")), False, True)
    assert lake.asked("POST") == []


def test_flags_must_be_flags(client: MetaLakeClient, put: Put) -> None:
    with pytest.raises(UsageError, match="is_model_run"):
        client.upload_annotations_by_unique_name("op", put("x.json", file("a.png")), False, "yes")  # type: ignore
    with pytest.raises(UsageError, match="is_normalized"):
        client.upload_annotations_by_unique_name("op", put("x.json", file("a.png")), 0, True)  # type: ignore


def test_unknown_collection_and_empty_job(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    path = put("x.json", file("a.png"))
    with pytest.raises(ServiceRefused, match="Collection not found"):
        client.upload_annotations_for_collection("nope", "op", path, False, True)
    with pytest.raises(UsageError, match="Collection name cannot be empty"):
        client.upload_annotations_for_collection("", "op", path, False, True)
    with pytest.raises(UsageError, match="job id is required"):
        client.upload_annotations_by_job_id("", "op", path, False, True)
    assert lake.asked("references") == []


def test_the_deprecated_form(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    annotation = {"bbox": [10, 20, 30, 40], "label": "Car", "metadata": {"color": "red"}, "confidence": 0.9}
    path = put("x.json", {"images": [{"image": "a.png", "annotations": [annotation]}]})
    with pytest.warns(DeprecationWarning):
        client.upload_annoations_for_folder("Demo", "op", path, "rectangle", False, True, "p1")
    with pytest.warns(DeprecationWarning):
        client.upload_annoations_for_folder(None, "op", path, "rectangle", False, False)
    first, second = lake.annotations["Demo_a.png", "op"][0], lake.annotations["a.png", "op"][0]
    assert first["label"]["attributeValues"] == {"A-color": [{"value": "V-red", "confidence": 0.9}]}
    assert second["label"]["attributeValues"] == {"A-color": [{"value": "V-red", "confidence": 1}]}
    assert first["metadata"] == second["metadata"] == {}
    assert lake.asked("attach")[0].json == {"projectId": "p1", "operationIdArray": ["op"]}


def test_files_with_a_byte_order_mark(client: MetaLakeClient, lake: Lake, tmp_path) -> None:
    """Defect 43."""
    path = tmp_path / "bom.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(file("ä.png"), ensure_ascii=False).encode())
    client.upload_annotations_by_unique_name("op", str(path), False, True)
    assert list(lake.annotations) == [("ä.png", "op")]


def test_with_the_upload_of_files(client: MetaLakeClient, lake: Lake, pictures, put: Put) -> None:
    entries = {"files": [{"file": "a.png", "metadata": {"cam": "1", "Tags": ["night"]}}]}
    data = {"json_data_file_path": put("x.json", file("a.png")), "operation_unique_id": "op"}
    result = client.upload_files_to_collection(
        str(pictures), "image", "Demo", file_meta_data_json_path=put("m.json", entries),
        annotation_data=data | {"is_normalized": False, "is_model_run": False},
    )  # fmt: skip
    assert result["is_success"]
    assert list(lake.annotations) == [("a.png", "op")]
    assert lake.metadata[0]["jobId"] == "j1"
    kinds = [one.path.rpartition("/")[2] for one in lake.asked("POST")]
    assert kinds.index("references") < kinds.index("uploadMetadataInCollection") < kinds.index("update")


@pytest.mark.parametrize("broken", ["annotations", "metadata", "keys", "flags", "kind"])
def test_everything_is_checked_before_files_go(
    client: MetaLakeClient, lake: Lake, pictures, put: Put, broken: str
) -> None:
    """Defect 23."""
    bad = file("a.png", bbox=[0, 0, 0, 0]) if broken == "annotations" else file("a.png")
    data: dict[str, Any] = {"json_data_file_path": put("x.json", bad), "operation_unique_id": "op"}
    data |= {"keys": {"is_normalised": True}, "flags": {"is_normalized": "no"}}.get(broken, {})
    entries = {"files": [{"file": "a.png", "metadata": {"Tags": "night"}}]} if broken == "metadata" else {"files": []}
    with pytest.raises((InvalidInput, UsageError)):
        client.upload_files_to_collection(
            str(pictures),
            "other" if broken == "kind" else "image",
            "Demo",
            {},
            False,
            put("m.json", entries),
            None,
            data,
        )
    assert lake.asked("POST .*(upload|update)") == []


def test_a_failed_job_gets_no_annotations(client: MetaLakeClient, lake: Lake, pictures, put: Put) -> None:
    """Defect 23: the official SDK ignores how the job ended."""
    lake.job_states = [3, 1, 4]
    data = {"json_data_file_path": put("x.json", file("a.png")), "operation_unique_id": "op"}
    result = client.upload_files_to_collection(str(pictures), "image", "Demo", annotation_data=data)
    assert result["is_success"] is False
    assert lake.updates == []


def test_annotations_of_a_file_that_did_not_arrive(client: MetaLakeClient, lake: Lake, pictures, put: Put) -> None:
    lake.rule(
        "POST .*initialize",
        lambda asked: refusal(400, "no") if b"a.png" in asked.body else lake._initialize(asked),
        times=9,
    )
    data = {"json_data_file_path": put("x.json", file("a.png", "b.JPG")), "operation_unique_id": "op"}
    result = client.upload_files_to_collection(str(pictures), "image", "Demo", annotation_data=data)
    assert result["is_success"] is False
    assert list(lake.annotations) == [("b.JPG", "op")]


def test_401_after_the_files_have_gone(client: MetaLakeClient, lake: Lake, pictures, put: Put) -> None:
    lake.rule("POST .*update", refusal(401, "Unauthorized"))
    data = {"json_data_file_path": put("x.json", file("a.png")), "operation_unique_id": "op"}
    with pytest.raises(NotAuthorised) as caught:
        client.upload_files_to_collection(str(pictures), "image", "Demo", annotation_data=data)
    report = caught.value.report
    assert isinstance(report, UploadReport)
    assert len(report.of("uploaded")) == 2
    assert report.annotations is not None
    assert len(report.annotations.of("failed")) == 1
