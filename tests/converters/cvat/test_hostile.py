"""Hostile and broken CVAT files: refused with file and line, at no cost."""

from __future__ import annotations

import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from annolake.converters import convert
from annolake.converters.cvat.skimming import skimmed
from annolake.converters.format import Context
from annolake.converters.statistics import statistics
from annolake.schemas.errors import InvalidInput

Refusal = Callable[..., InvalidInput]


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """(xml) -> the error of its conversion, which took neither time nor memory and left nothing behind."""

    def refusal(xml: str | bytes, name: str = "in.xml") -> InvalidInput:
        source, target = tmp_path / name, tmp_path / "out" / "lake.json"
        target.parent.mkdir(exist_ok=True)
        source.write_bytes(xml if isinstance(xml, bytes) else xml.encode())
        tracemalloc.start()
        started = time.process_time()
        try:
            with pytest.raises(InvalidInput) as caught:
                convert(source, target, to="metalake", from_="cvat")
            assert tracemalloc.get_traced_memory()[1] < 50_000_000
        finally:
            tracemalloc.stop()
        assert time.process_time() - started < 5
        assert caught.value.place.file == str(source)
        assert caught.value.hint
        assert list(target.parent.iterdir()) == []
        return caught.value

    return refusal


def image(shape: str, size: str = 'width="100" height="80"') -> str:
    return f'<annotations>\n<image id="0" name="a.jpg" {size}>\n{shape}\n</image></annotations>'


def track(*shapes: str) -> str:
    return "\n".join(["<annotations>", '<track id="0" label="a">', *shapes, "</track></annotations>"])


def box(frame: int, **more: str) -> str:
    given = {
        "frame": str(frame),
        "keyframe": "1",
        "outside": "0",
        "xtl": "1",
        "ytl": "1",
        "xbr": "2",
        "ybr": "2",
    } | more
    return f"<box {' '.join(f'{name}={text!r}' for name, text in given.items())}/>"


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><annotations>&b;</annotations>'
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>'


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (BOMB, "dtd-refused"),
        (OUTSIDE, "dtd-refused"),
        ("<a>" * 10_000, "wrong-root"),
        ("<annotations>" + "<a>" * 10_000, "not-well-formed"),
        ("<annotations>\n<image", "not-well-formed"),
        ("", "not-well-formed"),
        ("<annotation><object/></annotation>", "wrong-root"),
        (b"<annotations>\xff</annotations>", "not-well-formed"),
    ],
)
def test_xml_that_is_not_read(xml: str | bytes, code: str, refusal: Refusal):
    assert refusal(xml).code == code


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ('<box label="a" xtl="nan" ytl="1" xbr="2" ybr="2"/>', "bad-number"),
        ('<box label="a" xtl="inf" ytl="1" xbr="2" ybr="2"/>', "bad-number"),
        ('<box label="a" xtl="1e999" ytl="1" xbr="2" ybr="2"/>', "bad-number"),
        ('<box label="a" xtl="1_0" ytl="1" xbr="2" ybr="2"/>', "bad-number"),
        ('<box label="a" xtl="1,5" ytl="1" xbr="2" ybr="2"/>', "bad-number"),
        ('<box label="a" xtl="1" ytl="1" xbr="2"/>', "missing-attribute"),
        ('<box xtl="1" ytl="1" xbr="2" ybr="2"/>', "missing-attribute"),
        ('<polygon label="a" points="1,2;3,4"/>', "too-few-points"),
        ('<polygon label="a" points="1,2;3,4;5"/>', "bad-number"),
        ('<polyline label="a" points=""/>', "too-few-points"),
        ('<ellipse label="a" cx="1" cy="1" rx="x" ry="1"/>', "bad-number"),
        ('<mask label="a" rle="0, 4" left="0" top="0" width="99999" height="99999"/>', "broken-mask"),
        ('<mask label="a" rle="0, 4" left="-1" top="0" width="2" height="2"/>', "bad-number"),
        ('<mask label="a" rle="0, 4" left="0" top="0" width="0" height="2"/>', "broken-mask"),
        ('<mask label="a" rle="0, -4" left="0" top="0" width="2" height="2"/>', "broken-mask"),
        ('<mask label="a" rle="0, 999999999999999999999" left="0" top="0" width="2" height="2"/>', "bad-number"),
        ('<mask label="a" rle="1, 2" left="0" top="0" width="2" height="1"/>', "broken-mask"),
        ('<mask label="a" rle="1, 1, 1" left="0" top="0" width="2" height="2"/>', "broken-mask"),
        ('<mask label="a" rle="4" left="0" top="0" width="2" height="2"/>', "empty-mask"),
        ('<mask label="a" rle="0, 4" left="99" top="0" width="2" height="2"/>', "broken-mask"),
        ('<mask label="a" left="0" top="0" width="2" height="2"/>', "missing-attribute"),
        ('<skeleton label="a"><points label="b" points="1;2"/></skeleton>', "bad-number"),
    ],
)
def test_a_shape_that_makes_no_sense(shape: str, code: str, refusal: Refusal):
    error = refusal(image(shape))
    assert (error.code, error.place.line, error.place.image) == (code, 3, "a.jpg")


@pytest.mark.parametrize("size", ['width="x" height="1"', 'width="1" height="nan"'])
def test_a_size_that_is_none(size: str, refusal: Refusal):
    assert refusal(image("", size)).code == "bad-number"


def test_a_line_that_the_parser_does_not_know_is_not_made_up(refusal: Refusal):
    shape = '<box label="a" xtl="x" ytl="1" xbr="2" ybr="2"/>'
    error = refusal(image("\n" * 70_000 + shape))
    assert (error.place.line, error.place.image, error.place.annotation) == (None, "a.jpg", 1)


def test_a_huge_mask_on_a_huge_picture(refusal: Refusal):
    mask = '<mask label="a" rle="0, 4" left="0" top="0" width="2" height="2"/>'
    assert refusal(image(mask, 'width="2000000" height="2000000"')).code == "broken-mask"


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (track(box(0), box(0)), "two-shapes-on-a-frame"),
        (track(box(0), box(-1)), "bad-number"),
        (track(box(0), box(99_999_999_999)), "bad-number"),
        (track(box(0), box(2_000_000_000)), "too-many-frames"),
        (track(box(0, xtl="nan")), "bad-number"),
        ("<annotations>\n<track/></annotations>", "missing-attribute"),
        ('<annotations>\n<track label="a"/><image id="0" name="a"/></annotations>', "mixed-forms"),
    ],
)
def test_a_track_that_makes_no_sense(xml: str, code: str, refusal: Refusal):
    error = refusal(xml)
    assert error.code == code
    assert error.place.line == 2 or code == "mixed-forms"


def test_an_image_that_stands_twice(refusal: Refusal):
    error = refusal('<annotations>\n<image id="0" name="a"/>\n<image id="1" name="a"/></annotations>')
    assert (error.code, error.place.line) == ("duplicate-image", 3)


@pytest.mark.parametrize("pattern", ["frame", "{0.__class__}", "{:099999999d}", "{}{}", "../{}"])
def test_a_pattern_of_frames_that_makes_no_sense(pattern: str, refusal: Refusal):
    noted = f'<meta><annolake>{{"frames":"{pattern}"}}</annolake></meta>'
    assert refusal(track(box(0)).replace("<track", f"{noted}<track", 1)).code == "bad-pattern"


def zipped(path: Path, *names: str) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, image('<box label="a" xtl="1" ytl="1" xbr="2" ybr="2"/>'))
    return path.read_bytes()


def test_the_zip_that_cvat_exports_is_read(tmp_path: Path):
    zipped(tmp_path / "task.zip", "annotations.xml", "images/a.jpg")
    assert statistics(tmp_path / "task.zip")["annotations"] == 1


@pytest.mark.parametrize("names", [("a.xml", "b.xml"), (), ("../a.xml",), ("/a.xml",)])
def test_a_zip_without_just_one_xml(names: tuple[str, ...], tmp_path: Path, refusal: Refusal):
    assert refusal(zipped(tmp_path / "x.zip", *names), "in.zip").code == "bad-zip"


def test_a_damaged_zip(tmp_path: Path, refusal: Refusal):
    whole = zipped(tmp_path / "x.zip", "annotations.xml")
    assert refusal(whole[:40], "in.zip").code == "bad-zip"
    damaged = bytearray(whole)
    damaged[60:70] = b"0123456789"
    assert refusal(bytes(damaged), "in.zip").code in ("bad-zip", "not-well-formed")


def test_an_image_of_unknown_shapes_takes_no_more_than_a_few_times_its_size(tmp_path: Path) -> None:
    source = tmp_path / "in.xml"
    shapes = '<heptagon points="1,2"/>' * 40_000
    source.write_text(f'<annotations><image id="0" name="a.jpg" width="9" height="9">{shapes}</image></annotations>')
    tracemalloc.start()
    try:
        assert skimmed(source, Context()) is None
        assert tracemalloc.get_traced_memory()[1] < 8 * source.stat().st_size
    finally:
        tracemalloc.stop()
