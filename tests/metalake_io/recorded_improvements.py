"""What our client does otherwise than the official SDK, on purpose: functions that rewrite a recording."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Exchanges = list[dict[str, Any]]


def rewritten(exchanges: Exchanges, part: str, change: Callable[[Any, str], None]) -> Exchanges:
    """The exchanges, the JSON bodies of those to a path that holds `part` changed."""
    for one in exchanges:
        if part in one["target"] and one.get("body_text"):
            body = json.loads(one["body_text"])
            change(body, one["target"])
            one["body_text"] = json.dumps(body)
    return exchanges


def without(exchanges: Exchanges, part: str, drop: Callable[[Any], bool]) -> Exchanges:
    return [one for one in exchanges if part not in one["target"] or not drop(json.loads(one["body_text"] or "null"))]


def sorted_names(exchanges: Exchanges) -> Exchanges:
    """Files go in the order of their names, not of the directory."""
    return rewritten(exchanges, "uploadMetadataInCollection", lambda body, _: body["objectKeyList"].sort())


def real_types(exchanges: Exchanges) -> Exchanges:
    """PNG is said to be PNG (defect 10)."""

    def change(body: Any, _: str) -> None:
        if body["fileKey"].endswith(".png"):
            body["contentType"] = "image/png"

    for one in exchanges:
        if one["method"] == "PUT" and ".png?" in one["target"]:
            one["headers"]["Content-Type"] = "image/png"
    return rewritten(exchanges, "getMultipartPreSignedUrls", change)


def all_fields(exchanges: Exchanges) -> Exchanges:
    """All entries' fields are asked about, not the last one's only (defect 25)."""
    return rewritten(exchanges, "validateMetaFields", lambda body, _: body.update(fields=["field1", "field2"]))


def one_wait(exchanges: Exchanges) -> Exchanges:
    """The job is waited for once, not once for metadata and once for annotations."""
    waits = [one for one in exchanges if "getStatus" in one["target"]]
    done = next(n for n, one in enumerate(waits) if one["response"]["body_json"]["status"] == 2)
    return [one for one in exchanges if one not in waits[done + 1 :]]


def no_empty_batch(exchanges: Exchanges) -> Exchanges:
    """No empty batch after full ones (defect 18)."""
    return without(exchanges, "operationdata", lambda body: body["metaUpdatesArray"] == "[]")


def one_note(exchanges: Exchanges) -> Exchanges:
    """One note to the list of jobs at the end, not one for each file and each page (defect 37)."""
    return [one for one in exchanges if "updateJob" not in one["target"] or one is exchanges[-1]]


def newest_first(exchanges: Exchanges) -> Exchanges:
    """The documented default of the sort order is sent."""
    order = {"sortOrder": "DESC", "sortByField": 1}
    return rewritten(exchanges, "objects/list", lambda body, _: body.update(sortBy=order))


def no_blanks(exchanges: Exchanges) -> Exchanges:
    """The JSON in the JSON has no blanks: a smaller body, and made in a fifth of the time. Of every recording."""

    def change(body: Any, _: str) -> None:
        elements = json.loads(body["metaUpdatesArray"])
        body["metaUpdatesArray"] = json.dumps(elements, separators=(",", ":"), ensure_ascii=False)

    return rewritten(exchanges, "operationdata", change)


def own_bucket(exchanges: Exchanges) -> Exchanges:
    """The bucket of an image does not leak to the next (defect 14): the third one has none of its own."""
    given = next(one for one in exchanges if "operationdata" in one["target"])
    first = json.loads(json.loads(given["body_text"])["metaUpdatesArray"])[0]["bucketName"]

    def change(body: Any, _: str) -> None:
        elements = json.loads(body["metaUpdatesArray"])
        elements[2]["bucketName"] = first
        body["metaUpdatesArray"] = json.dumps(elements)

    return rewritten(exchanges, "operationdata", change)


def nothing_sent(exchanges: Exchanges) -> Exchanges:
    """What cannot be meant, or cannot be right, is refused before anything is sent (defects 13, 15, 23, 27)."""
    return []


def no_double_slash(exchanges: Exchanges) -> Exchanges:
    """A slash at the end of the address is no part of it."""
    return [one | {"target": one["target"].replace("//", "/", 1)} for one in exchanges]


def whole_operation_id(exchanges: Exchanges) -> Exchanges:
    """The operation id is quoted as a whole (defect 20): the recorded request has missed its route, and got a 404."""
    *before, last = exchanges
    target = last["target"].replace("model/1", "model%2F1")
    return [*before, last | {"target": target, "response": _json({"isSuccess": True})}]


def whole_arrays(exchanges: Exchanges) -> Exchanges:
    """Not ours, but the recording's: the long texts are cut there, and stand here in full as its note tells."""
    others = {"storagePath": None, "bucketName": None, "jobId": None, "fileName": None}
    for one in exchanges:
        body = one["body_json"]
        if "(1000 entries)" in body.get("metaUpdatesArray", ""):
            first = body["uploadedImageCount"] - 1000
            elements = [
                {"objectKey": f"i{number}", **others, "data": {"annotationObjects": [], "isUserAnnotated": False}}
                for number in range(first, first + 1000)
            ]
            text = json.dumps(body | {"metaUpdatesArray": json.dumps(elements)})
            assert text.startswith(one["body_text"].removesuffix(" ... (cut)"))
            one["body_text"] = text
    return exchanges


def tried_again(exchanges: Exchanges) -> Exchanges:
    """A download that broke is tried again (defect 30)."""
    again = {"status": 200, "headers": {}, "body_bytes": {"length": 10}}
    return exchanges + [one | {"response": again} for one in exchanges if isinstance(one["response"]["status"], str)]


def asked_and_sent_again(exchanges: Exchanges) -> Exchanges:
    """A batch of which it is not known whether it was taken is sent again when the service does not show it, so that
    nothing is lost and nothing is there twice (defect 12).
    """
    query = "pageNo=0&pageSize=250&statusList=%5B%5D&isAnnotatedOnly=True&projectIdList=null"
    query += "&operationIdList=%5B%22op%22%5D&annotationType=all&sessionId=1.0"
    target = f"/datalake/api/client/getAnnotations/d5960f4e75a245b7b2226104/collection?{query}"
    headers = {"Authorization": exchanges[0]["headers"]["Authorization"]}
    asked = {"method": "GET", "target": target, "headers": headers, "response": _json({"message": "no data"})}
    return [*exchanges, asked, exchanges[-1] | {"response": _json({"isSuccess": True})}]


def all_the_rest(exchanges: Exchanges) -> Exchanges:
    """All that is listed is fetched, whatever became of one of them (defects 30, 36)."""
    listed = next(one for one in exchanges if "objects/list" in one["target"])["response"]["body_json"]
    targets = {one["target"] for one in exchanges}
    return exchanges + [_fetched(item["url"]) for item in listed if _path(item["url"]) not in targets]


def offered(exchanges: Exchanges) -> Exchanges:
    """What is there is offered by its hash, and not taken for the same because of its name (defect 34)."""
    listed = exchanges[0]["response"]["body_json"]["data"]["resourceArray"]
    same = {"status": 304, "headers": {}}
    return exchanges + [_fetched(item["fileUrl"]) | {"response": same} for item in listed]


def failure_told(exchanges: Exchanges) -> Exchanges:
    """The list of jobs hears of the failure (defect 30)."""
    told = {"status": 4, "jobSpecificDetails": {"errorList": "some files failed"}}
    return rewritten(exchanges, "updateJob", lambda body, _: body.update(told))


def plain_end(exchanges: Exchanges) -> Exchanges:
    """That there was nothing to download is an end like others (defect 31)."""
    return rewritten(exchanges, "updateJob", lambda body, _: body.update(progress=0, jobSpecificDetails={}))


def one_prefix(exchanges: Exchanges) -> Exchanges:
    """All calls go to the prefix that the service has; 3.28.14 has forgotten some."""
    return [one | {"target": one["target"].removeprefix("/datalake")} for one in exchanges]


def no_media(exchanges: Exchanges) -> Exchanges:
    """Without files means without files, on all pages."""
    return [one for one in exchanges if "/bucket/" not in one["target"]]


def own_bucket_name(exchanges: Exchanges) -> Exchanges:
    """The bucket that is named is sent."""
    return rewritten(exchanges, "uploadMetadataByJson", lambda body, _: body.update(bucketName="img_bucket_2"))


def fewer_filters(exchanges: Exchanges) -> Exchanges:
    """Only the filters that every server knows are sent; 3.28.14 sends two more, always empty."""

    def change(body: Any, _: str) -> None:
        assert body["filterData"].pop("keywords") == body["filterData"].pop("categories") == []

    return rewritten(exchanges, "objects/list", change)


def order_kept(exchanges: Exchanges) -> Exchanges:
    """Renamed fields stay where they stand in the file."""

    def change(body: Any, _: str) -> None:
        for entry in body["metadata"]:
            entry["metadata"]["Tags"] = entry["metadata"].pop("Tags")

    return rewritten(exchanges, "uploadMetadataByJson", change)


def kept_address(exchanges: Exchanges) -> Exchanges:
    """The address of the last part goes along when the file is finalised again (defect 4)."""
    first = next(one for one in exchanges if "finalizeMultipart" in one["target"])
    url = json.loads(first["body_text"])["finalizeUrl"]
    return rewritten(exchanges, "finalizeMultipart", lambda body, _: body.update(finalizeUrl=url))


def signed_once(exchanges: Exchanges) -> Exchanges:
    """A signed address is good for more than one try."""
    first = next(one for one in exchanges if "PreSigned" in one["target"])
    return [one for one in exchanges if "PreSigned" not in one["target"] or one is first]


def no_empty_part(exchanges: Exchanges) -> Exchanges:
    """100 MiB are one part, without an empty one (defect 8)."""

    def change(body: Any, target: str) -> None:
        if "PreSigned" in target:
            body["parts"] = 1
        else:
            del body["parts"][1:]
            body["finalizeUrl"] = body["finalizeUrl"].replace("partNumber=2", "partNumber=1")

    for one in exchanges:
        if "PreSigned" in one["target"]:
            del one["response"]["body_json"]["parts"][1:]
    kept = [one for one in exchanges if "partNumber=2" not in one["target"]]
    return rewritten(kept, "fileUpload/get", change) and rewritten(kept, "fileUpload/finalize", change)


def asked_whether_it_is_there(exchanges: Exchanges) -> Exchanges:
    """Before a file is finalised again the service is asked whether it has it."""
    begun = next(one for one in exchanges if "initialize" in one["target"])
    return [*exchanges, begun]


def refused_twice(exchanges: Exchanges) -> Exchanges:
    """A refusal of the storage is noticed, and tried once with a new address, which may have expired (defects 3, 6)."""
    return exchanges + [one for one in exchanges if "PreSigned" in one["target"] or one["method"] == "PUT"]


def not_finalised(exchanges: Exchanges) -> Exchanges:
    """A file whose bytes the storage did not take is not made a file (defect 3)."""
    return [one for one in exchanges if "finalizeMultipart" not in one["target"]]


def _json(body: Any) -> dict[str, Any]:
    return {"status": 200, "headers": {"Content-Type": "application/json"}, "body_json": body}


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def _fetched(url: str) -> dict[str, Any]:
    response = {"status": 200, "headers": {}, "body_bytes": {"length": 10}}
    return {"method": "GET", "target": _path(url), "headers": {}, "body_bytes": {"length": 0}, "response": response}
