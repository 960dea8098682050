"""The pages for a browser: what they show, that they run nothing, and that a real browser draws the annotations."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from PIL import Image

from .wire import KEY, SECRET, Server, box, entry, running

HOSTILE = "<script>alert('x')</script> & \"quoted\" ü \x1b[31m"


def page(server: Server, path: str, **headers: str) -> str:
    answer = requests.get(server.url + path, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


def links(text: str, folder: str) -> list[str]:
    return re.findall(rf'href="(/{folder}/[0-9a-f]{{24}})"', text)


def test_from_the_collections_to_a_picture(server: Server, collection: str, picture: Callable[..., bytes]) -> None:
    server.upload(collection, {"a.png": picture(40, 20), "z.png": b"no picture"})
    server.annotate("op", entry(box("Car", 1, 2, 3, 4), objectKey=f"{collection}_a.png"))
    start = page(server, "/")
    assert f">{collection}</a>" in start
    assert "2 images" in start
    (inside,) = [path for path in links(start, "collections") if "z.png" in page(server, path)]
    first, last = links(page(server, inside), "files")
    shown = page(server, first)
    assert '<rect class="shape" x="1" y="2" width="3" height="4">' in shown
    assert ">Car</text>" in shown
    (source,) = re.findall(r'<image href="([^"]+)"', shown)
    media = requests.get(server.url + source.replace("&amp;", "&"), timeout=60)
    assert (media.content, media.headers["Content-Type"]) == (picture(40, 20), "image/png")
    assert "no picture that can be shown" in page(server, last)


def test_nothing_of_a_user_becomes_markup(server: Server, picture: Callable[..., bytes]) -> None:
    there = server.upload(HOSTILE, {"<b>a&.png": picture()}, metaDataObject={"<i>": "<u>", "Tags": ["</title>"]})
    name = server.listing(there["collectionId"])[0]["uniqueName"]
    server.annotate("<op>", entry(box("</svg><script>", 1, 2, 3, 4), objectKey=name))
    found = [page(server, path) for path in ("/", f"/collections/{there['collectionId']}")]
    found.append(page(server, links(found[1], "files")[0]))
    for text in found:
        assert set(re.findall(r"<(script|b|i|u|op)\b", text)) == set()
        assert "\x1b" not in text
    assert "&lt;script&gt;alert" in found[0]
    assert "&lt;/svg&gt;&lt;script&gt;</text>" in found[2]


def test_nothing_comes_from_elsewhere_and_nothing_can_be_changed(server: Server) -> None:
    answer = requests.get(server.url + "/", timeout=60)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
    assert "://" not in answer.text
    assert requests.post(server.url + "/", timeout=60).status_code == 405
    for path in ("/files/nope", "/collections/nope"):
        assert requests.get(server.url + path, timeout=60).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[bad"])
def test_a_foreign_name_that_leads_here_sees_nothing(server: Server, host: str) -> None:
    """A page elsewhere can let its own name mean this computer (DNS rebinding)."""
    assert requests.get(server.url + "/", headers={"Host": host}, timeout=60).status_code in (400, 421)


def test_where_others_can_reach_it_pages_want_credentials(tmp_path: Path) -> None:
    with running(tmp_path, "--host", "0.0.0.0", "--workers", "1") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        answer = requests.get(url + "/", timeout=60)
        assert (answer.status_code, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
        assert requests.get(url + "/", auth=(KEY, SECRET), timeout=60).status_code == 200


def test_many_pictures_are_shown_in_pages(server: Server, collection: str) -> None:
    there = server.upload(collection, {f"{number:03}.png": b"x" for number in range(31)})["collectionId"]
    first, second = (page(server, f"/collections/{there}{query}") for query in ("", "?page=1"))
    assert (len(links(first, "files")), len(links(second, "files"))) == (30, 1)
    assert 'href="?page=1"' in first
    assert 'href="?page=0"' in second


def test_a_real_browser_draws_the_annotations(
    server: Server, collection: str, picture: Callable[..., bytes], tmp_path: Path
) -> None:
    """A black picture with four shapes: colour is where they are, and nowhere else."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed")
    there = server.upload(collection, {"a.png": picture(400, 300, "black")})["collectionId"]
    label = box("Car", 0, 0, 0, 0)["label"]
    shapes = [
        box("Car", 50, 50, 100, 80),
        {"type": "polygon", "points": [[200, 50], [350, 50], [350, 130], [200, 130]], "label": label},
        {"type": "line", "points": [[50, 200], [150, 200]], "label": label},
        {"type": "points", "points": [[300, 200]], "label": label},
    ]
    server.annotate("op", entry(*shapes, objectKey=f"{collection}_a.png"))
    path = links(page(server, f"/collections/{there}"), "files")[0]
    shot = tmp_path / "shot.png"
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1400"]
    words += [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={shot}", server.url + path]
    subprocess.run([browser, *words], check=True, capture_output=True, timeout=120)
    with Image.open(shot) as image:
        pixels = image.convert("RGB")
    left, top = origin(pixels)

    def is_coloured(x: int, y: int) -> bool:
        red, green, blue = pixels.getpixel((left + x, top + y))  # pyright: ignore
        return max(red, green, blue) - min(red, green, blue) > 15

    inside = [(50, 90), (100, 90), (200, 90), (275, 90), (100, 200), (300, 200)]
    outside = [(20, 20), (175, 90), (380, 280), (100, 220), (250, 200)]
    assert [is_coloured(*point) for point in inside] == [True] * len(inside)
    assert [is_coloured(*point) for point in outside] == [False] * len(outside)


def origin(pixels: Image.Image) -> tuple[int, int]:
    """Where the black picture begins on the page, whose darkest text is grey."""
    for y in range(pixels.height):
        for x in range(pixels.width):
            if pixels.getpixel((x, y)) == (0, 0, 0):
                return x, y
    raise AssertionError("no picture is shown")
