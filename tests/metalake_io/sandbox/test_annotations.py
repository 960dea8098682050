"""Annotations by plain HTTP: how images are named, what replaces what, what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .wire import Server, box, entry


@pytest.fixture
def there(server: Server, collection: str, picture: Callable[..., bytes]) -> dict[str, Any]:
    """An upload of two pictures, 40 × 20 and 100 × 80 pixels, and of one that is none."""
    files = {"a.png": picture(40, 20), "b.png": picture(100, 80), "c.png": b"no picture"}
    return server.upload(collection, files)


def back(server: Server, there: dict[str, Any], name: str = "a.png", **params: Any) -> list[dict[str, Any]]:
    found = server.annotations(there["collectionId"], **params)
    return next(annotations for image, annotations in found.items() if image.endswith(f"_{name}"))


def plain(label: str, *bbox: float) -> dict[str, Any]:
    return {"type": "rectangle", "bbox": list(bbox), "label": label}


def test_labels_get_keys_that_stay(server: Server) -> None:
    """Keys like UUIDs, for every label, attribute and value that is asked for, and the same ones again."""
    labels = {"Car": {"color": ["red", "blue"], "doors": ["4"]}, "Straße": {}}
    body = {"labels": labels, "userName": "Python SDK"}
    answer = server.post("/client/system/label/references", body)
    assert server.post("/client/system/label/references", body) == answer
    assert {
        text: {name: list(found["texts"]) for name, found in label["texts"].items()} for text, label in answer.items()
    } == labels
    colors = answer["Car"]["texts"]["color"]
    keys = [answer["Car"]["ref"], answer["Straße"]["ref"], colors["ref"], *colors["texts"].values()]
    assert len(set(keys)) == 5
    assert all([len(part) for part in key.split("-")] == [8, 4, 4, 4, 12] for key in keys)
    assert server.post("/client/system/label/references", {"labels": {}, "userName": ""}) == {}


def test_each_way_of_naming_an_image(server: Server, collection: str, there: dict[str, Any]) -> None:
    ways = [
        {"objectKey": f"{collection}_a.png"},
        {"storagePath": f"{collection}/a.png"},
        {"storagePath": f"/{collection}/a.png", "bucketName": "DEFAULT"},
        {"jobId": there["jobId"], "fileName": "a.png"},
    ]
    for number, way in enumerate(ways):
        answer = server.annotate("op", entry(box(str(number), 1, 2, 3, 4), **way))
        assert answer["isSuccess"] is True
        assert back(server, there) == [plain(str(number), 1, 2, 3, 4)]


def test_what_is_not_found_is_named_and_the_rest_is_kept(
    server: Server, collection: str, there: dict[str, Any]
) -> None:
    entries = [
        entry(box("Car", 1, 2, 3, 4), objectKey=f"{collection}_a.png"),
        entry(objectKey="nope"),
        entry(storagePath=f"{collection}/a.png", bucketName="elsewhere"),
        entry(jobId=there["jobId"], fileName="x.png"),
        entry(),
    ]
    answer = server.annotate("op", *entries)
    assert answer["isSuccess"] is False
    assert answer["notFound"] == ["nope", f"{collection}/a.png", "x.png", ""]
    assert answer["message"].startswith("1 images updated, 4 not found: nope, ")
    assert back(server, there) == [plain("Car", 1, 2, 3, 4)]


def test_one_record_for_each_file_and_operation(server: Server, collection: str, there: dict[str, Any]) -> None:
    name = {"objectKey": f"{collection}_a.png"}
    server.annotate("one", entry(box("A", 1, 1, 1, 1), box("B", 2, 2, 2, 2), **name), mode=2)
    server.annotate("two", entry(box("C", 3, 3, 3, 3), **name), mode=1)
    assert [shape["label"] for shape in back(server, there)] == ["A", "B", "C"]
    assert [shape["label"] for shape in back(server, there, annotationType="human")] == ["C"]
    assert [shape["label"] for shape in back(server, there, annotationType="machine")] == ["A", "B"]
    chosen = json.dumps(["one"])
    assert [shape["label"] for shape in back(server, there, operationIdList=chosen, annotationType="human")] == [
        "A",
        "B",
    ]
    server.annotate("one", entry(**name), mode=2)
    assert [shape["label"] for shape in back(server, there)] == ["C"]


def test_only_annotated_images(server: Server, collection: str, there: dict[str, Any]) -> None:
    server.annotate("op", entry(box("A", 1, 1, 1, 1), objectKey=f"{collection}_b.png"))
    found = server.annotations(there["collectionId"], isAnnotatedOnly="True")
    assert list(found) == [f"{collection}_b.png"]


def test_normalized_coordinates_become_pixels_of_the_image(
    server: Server, collection: str, there: dict[str, Any]
) -> None:
    """x and widths by the width, y and heights by the height, each image by its own; no size, no conversion."""
    line = {"type": "line", "points": [[0.5, 0.5], [1, 0]], "label": box("Lane", 0, 0, 1, 1)["label"]}
    names = [f"{collection}_{name}.png" for name in "abc"]
    entries = [entry(box("Car", 0.25, 0.1, 0.5, 0.2), line, objectKey=name) for name in names]
    answer = server.annotate("op", *entries, normalized=True)
    assert (answer["isSuccess"], answer["notMeasured"]) == (False, [names[2]])
    assert back(server, there, "a.png") == [
        plain("Car", 10, 2, 20, 4),
        {"type": "line", "line": [[20, 10], [40, 0]], "label": "Lane"},
    ]
    assert back(server, there, "b.png")[0] == plain("Car", 25, 8, 50, 16)
    assert back(server, there, "c.png") == []


def test_everything_of_an_annotation_comes_back(server: Server, collection: str, there: dict[str, Any]) -> None:
    """Keys become texts again; numbers keep their form; what no reader knows of a value is kept."""
    references = server.post("/client/system/label/references", {"labels": {"Car": {"color": ["red"]}}, "userName": ""})
    color = references["Car"]["texts"]["color"]
    label = {
        "label": references["Car"]["ref"], "labelText": "Car", "metadata": {}, "key": references["Car"]["ref"],
        "color": "#000000",
        "attributeValues": {
            color["ref"]: [{"value": color["texts"]["red"], "confidence": 1, "metadata": {"a": [1, None]}, "x": 0.1}],
            "a key nobody knows": [{"value": "another"}],
        },
    }  # fmt: skip
    shape = box("Car", 0.1, 2, 3e-7, 12345678.25, label=label, confidence=0, metadata={"k": {"n": [True]}})
    assert server.annotate("op", entry(shape, objectKey=f"{collection}_a.png"))["isSuccess"]
    assert back(server, there) == [
        {
            "type": "rectangle",
            "bbox": [0.1, 2, 3e-7, 12345678.25],
            "label": "Car",
            "confidence": 0,
            "metadata": {"k": {"n": [True]}},
            "attributes": {
                "color": [{"value": "red", "confidence": 1, "metadata": {"a": [1, None]}, "x": 0.1}],
                "a key nobody knows": [{"value": "another"}],
            },
        }
    ]


@pytest.mark.parametrize(
    ("updates", "status"),
    [
        ('[{"data": {"annotationObjects": [{"type": "line", "label": {}, "points": [[NaN, 1]]}]}}]', 400),
        ("not json", 400),
        ("{}", 422),
        ('[{"data": {"annotationObjects": [{"type": "circle", "label": {}}]}}]', 422),
        ('[{"data": {"annotationObjects": [{"type": "line", "label": {}, "points": [["13", 1]]}]}}]', 422),
        ('[{"data": {"annotationObjects": [{"type": "line", "label": {}, "points": [[1, 2, 3]]}]}}]', 422),
        ('[{"data": {"annotationObjects": [{"type": "line", "label": {}, "points": [[1e300, 2]]}]}}]', 422),
        ('[{"data": {"annotationObjects": [{"type": "line", "label": {}, "points": [[1' + "0" * 30 + ", 2]]}]}}]", 422),
        ('[{"data": {"annotationObjects": [{"type": "line", "label": {"attributeValues": {"a": "b"}}}]}}]', 422),
        ('[{"data": {"annotationObjects": ' + "[" * 100_000, 400),
    ],
)
def test_broken_updates_change_nothing(
    server: Server, collection: str, there: dict[str, Any], updates: str, status: int
) -> None:
    body = {"metaUpdatesArray": updates, "operationMode": 1}
    found = server.refusal("POST", "/metadata/operationdata/op/update", body)
    assert found[0] in {status, 422 if "[[[" in updates else status}
    assert back(server, there) == []


def test_a_good_entry_before_a_broken_one_is_not_kept(server: Server, collection: str, there: dict[str, Any]) -> None:
    entries = [entry(box("Car", 1, 2, 3, 4), objectKey=f"{collection}_a.png"), entry({"type": "x"})]
    body = {"metaUpdatesArray": json.dumps(entries), "operationMode": 1}
    status, message = server.refusal("POST", "/metadata/operationdata/op/update", body)
    assert (status, message[:48]) == (422, "metaUpdatesArray[1].data.annotationObjects[0] is")
    assert back(server, there) == []


def test_what_the_official_sdk_sends_of_broken_files_is_taken(
    server: Server, collection: str, there: dict[str, Any]
) -> None:
    """An empty batch, as after each full one; a shape without points, as of a geometry key it does not find."""
    assert server.annotate("op")["isSuccess"] is True
    shape = {"type": "line", "label": {"labelText": "Lane", "key": "k", "attributeValues": {}}, "metadata": {}}
    server.annotate("op", entry(shape, objectKey=f"{collection}_a.png"))
    assert back(server, there) == [{"type": "line", "label": "Lane"}]


def test_pages_of_a_download(server: Server, collection: str) -> None:
    """Each image once, in the order of arrival; the folder is named so that it can be one."""
    names = [f"{number}.png" for number in range(5)]
    there = server.upload(f"{collection}/../x", dict.fromkeys(names, b"bytes"))["collectionId"]
    path = f"/client/getAnnotations/{there}/collection"
    pages = [server.get(path, pageNo=number, pageSize=2)["data"] for number in range(4)]
    assert [page["nextPage"] for page in pages] == [True, True, False, False]
    found = [item["fileName"].rpartition("_")[2] for page in pages for item in page["resourceArray"]]
    assert sorted(found) == names
    assert {page["groupUniqueName"] for page in pages} == {f"{collection}____x"}
    assert pages[0]["rawFileName"] == f"{collection}____x.json"
    assert pages[0]["resourceArray"][0]["isMediaFile"] is True


def test_a_model_run_is_attached_to_no_project(server: Server) -> None:
    studio = Server(server.url, server.data, server.process, "/studio/api")
    body = {"projectId": "p", "operationIdArray": ["op"]}
    assert studio.post("/client/projects/modelRun/attach", body)["isSuccess"] is True
    assert studio.refusal("POST", "/client/projects/modelRun/attach", {})[0] == 422
