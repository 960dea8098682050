"""Pages that are many, come again, are empty, or have no end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from annolake.metalake_io.errors import PartlyDone, ProtocolError
from annolake.metalake_io.exporting import Wishes, export
from annolake.metalake_io.transfer.exchange import Request, Response

from ..metalake_io.wire import js
from .desk import Connect
from .faultd import Faultd
from .pictures import png

Page = Callable[[int], dict[str, Any]]


class Pages:
    """A service, without a network, whose pages are what `page` says; `asked` are their numbers."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[int] = []

    def send(self, request: Request) -> Response:
        document: Any = {"isSuccess": True, "success": True, "isCompatible": True, "objectType": 5}
        if "/getAnnotations/" in request.url:
            self.asked.append(int(parse_qs(urlsplit(request.url).query)["pageNo"][0]))
            document = {"data": self.page(self.asked[-1])}
        elif request.url.endswith("/objects/list"):
            assert request.body is not None
            content: Any = request.body.open()
            self.asked.append(json.loads(content)["pageIndex"])
            listed = [one["fileName"] for one in self.page(self.asked[-1])["resourceArray"]]
            document = [{"uniqueName": name, "url": ""} for name in listed]
        return Response(status=200, headers={}, content=json.dumps(document).encode())


def page(*names: str, more: bool = True, **other: Any) -> dict[str, Any]:
    entries = [{"fileName": name, "rawAnnotations": {"image": name, "annotations": []}} for name in names]
    data = {"identifier": "c1", "groupUniqueName": "Demo", "rawFileName": "Demo.json", "nextPage": more}
    return {**data, "resourceArray": entries, **other}


def test_c8_2000_pages(connected: Connect, tmp_path: Path) -> None:
    pages = Pages(lambda n: page(f"{n}.png", more=n < 1999))
    report = connected("http://127.0.0.1:1", bottom=pages).downloads.collection("c1", tmp_path, media=False)
    assert (report.images, report.complete, pages.asked) == (2000, True, list(range(2000)))
    pages = Pages(lambda n: page(f"{n}.png") if n < 2000 else page())
    listed = connected("http://127.0.0.1:1", bottom=pages).parts.listing.pages(2, "", None, "c1")
    assert sum(len(one.objects) for one in listed) == 2000
    assert pages.asked == list(range(2001))


REPEATED: dict[str, tuple[Page, int]] = {
    "the second": (lambda n: page("a.png", "b.png"), 1),
    "one of long ago": (lambda n: page("0.png" if n == 7 else f"{n}.png"), 7),
    "two in turn": (lambda n: page(f"{n % 2}.png"), 2),
    "a part": (lambda n: page("b.png") if n else page("a.png", "b.png"), 1),
}


@pytest.mark.parametrize("which", REPEATED)
def test_c8_a_page_that_comes_again(connected: Connect, tmp_path: Path, which: str) -> None:
    answers, first = REPEATED[which]
    for what in ("collection", "list"):
        pages = Pages(answers)
        client = connected("http://127.0.0.1:1", bottom=pages)
        with pytest.raises(ProtocolError) as caught:
            if what == "list":
                client.downloads.all_listed(tmp_path, collection_id="c1")
            else:
                client.downloads.collection("c1", tmp_path, media=False)
        assert (caught.value.code, caught.value.exit_code) == ("page-repeats", 7)
        assert pages.asked == list(range(first + 1))
    assert list(tmp_path.rglob("*.json")) == []


def test_c8_an_empty_page_in_the_middle(connected: Connect, tmp_path: Path) -> None:
    pages = Pages(lambda n: page(*([] if n in (1, 2) else [f"{n}.png"]), more=n < 4))
    report = connected("http://127.0.0.1:1", bottom=pages).downloads.collection("c1", tmp_path, media=False)
    assert (report.images, report.complete, pages.asked) == (3, True, [0, 1, 2, 3, 4])


def test_c8_no_end_of_empty_pages(connected: Connect, tmp_path: Path) -> None:
    pages = Pages(lambda n: page(*([] if n else ["a.png"])))
    with pytest.raises(ProtocolError, match="pages-without-end"):
        connected("http://127.0.0.1:1", bottom=pages).downloads.collection("c1", tmp_path, media=False)
    assert pages.asked == [0, 1, 2, 3]


@pytest.mark.parametrize("total", [1, 3])
def test_c8_another_number_than_the_service_says(
    rig: Faultd, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int
) -> None:
    for name in ("Demo_a.png", "Demo_b.png"):
        rig.lake.add(name, png())
    true = rig.lake.page

    def with_total(*asked: Any) -> Any:
        document = json.loads(true(*asked).body)
        document["data"]["totalCount"] = total
        return js(document)

    monkeypatch.setattr(rig.lake, "page", with_total)
    client = connected()
    report = client.downloads.collection("c1", tmp_path / "down")
    with pytest.raises(PartlyDone, match=f"says that there are {total} files, and lists 2") as caught:
        report.raise_for_failures("files")
    assert caught.value.exit_code == 6
    assert [item.state for item in report.items] == ["downloaded", "downloaded", "failed"]
    done = export(client.parts, "c1", tmp_path / "export", "metalake", Wishes(images=False))
    assert [item.state for item in done.files.items] == ["failed"]
