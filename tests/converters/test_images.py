"""Sizes from headers, and pictures found by name. Pillow's full reading judges the header reading."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageFile, ImageOps

from annolake.converters.images import IMAGE_EXTENSIONS, ImageFinder, ImageSize, image_size, is_image_name, stem
from annolake.schemas.errors import AnnolakeError, InvalidInput, LocalFailure

ORIENTATION = 0x0112


def picture(kind: str, size: tuple[int, int] = (40, 30), orientation: int | None = None, **options: Any) -> bytes:
    """A small picture, `size` being the stored grid."""
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    buffer = io.BytesIO()
    with_exif = {"exif": exif} if orientation is not None else {}
    Image.new("RGB", size, (200, 30, 30)).save(buffer, kind, **with_exif, **options)
    return buffer.getvalue()


def png_block(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    blocks = png_block(b"IHDR", header) + png_block(b"IDAT", b"") + png_block(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + blocks


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


Put = Callable[[str, bytes], Path]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_size_of_every_kind(put: Put, kind: str) -> None:
    assert image_size(put("a.whatever", picture(kind))) == ImageSize(40, 30, 1)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize(
    "options",
    [
        {"progressive": True},
        {"comment": b"a comment"},
        {"icc_profile": b"a profile"},
        {"icc_profile": bytes(5000)},
        {"restart_marker_blocks": 2},
        {"xmp": b"some XMP"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_kind_of_jpeg(put: Put, mode: str, options: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (300, 5)).save(buffer, "JPEG", **options)
    assert image_size(put("a.jpg", buffer.getvalue())) == ImageSize(300, 5, 1)


def test_a_damaged_jpeg_has_the_size_that_pillow_finds_or_none(tmp_path: Path) -> None:
    random = Random(1)
    path = tmp_path / "a.jpg"
    whole = picture("JPEG", (300, 5))
    for _ in range(2000):
        data = bytearray(whole[: random.randrange(20, len(whole))])
        data[random.randrange(min(len(data), whole.index(b"\xff\xda") + 8))] = random.choice(
            (0, 1, 8, 0xC0, 0xDA, 0xFF)
        )
        path.write_bytes(data)
        try:
            with Image.open(io.BytesIO(data), formats=["JPEG"]) as judge:
                size = judge.size
        except (OSError, SyntaxError):
            size = None
        try:
            found = image_size(path, "raw")
        except InvalidInput:
            assert size is None or 0 in size or size[0] * size[1] > 89_478_485
        else:
            assert (found.width, found.height) == size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_pillow_turns_the_whole_picture(put: Put, kind: str, orientation: int) -> None:
    path = put("a", picture(kind, orientation=orientation))
    with Image.open(path) as image:
        seen = ImageOps.exif_transpose(image).size
    turned = image_size(path)
    assert ((turned.width, turned.height), turned.orientation) == (seen, orientation)
    assert image_size(path, exif="raw") == ImageSize(40, 30, orientation)
    assert seen == ((30, 40) if orientation >= 5 else (40, 30))


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}, {"quality": 50, "icc_profile": b"x" * 99}])
def test_webp_with_and_without_extended_header(put: Put, options: dict[str, Any]) -> None:
    assert image_size(put("a.webp", picture("WEBP", (301, 7), **options))) == ImageSize(301, 7, 1)


def test_exif_of_a_png_may_follow_its_pixels(put: Put) -> None:
    plain, tagged = picture("PNG"), picture("PNG", orientation=6)
    start = tagged.index(b"eXIf") - 4
    (length,) = struct.unpack(">I", tagged[start : start + 4])
    end = plain.index(b"IEND") - 4
    late = plain[:end] + tagged[start : start + length + 12] + plain[end:]
    assert image_size(put("late.png", late)) == ImageSize(30, 40, 6)


def test_several_pictures_in_one_jpeg(put: Put) -> None:
    second = Image.new("RGB", (8, 8))
    both = picture("MPO", save_all=True, append_images=[second])
    assert image_size(put("a.mpo", both)) == ImageSize(40, 30, 1)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_meaningless_orientation_is_upright(put: Put, value: int) -> None:
    assert image_size(put("a.jpg", picture("JPEG", orientation=value))) == ImageSize(40, 30, 1)


def test_a_broken_exif_block_is_upright(put: Put) -> None:
    assert image_size(put("a.jpg", picture("JPEG", exif=b"Exif\0\0not a TIFF"))) == ImageSize(40, 30, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_pixels_are_never_decoded(put: Put, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    assert image_size(put("a", picture(kind))) == ImageSize(40, 30, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>404</title>", "text"),
        (b'{"error": "expired"}', "text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (bytes(range(256)), "not a JPEG"),
        (picture("PNG")[:20], "PNG picture, but its header"),
        (picture("JPEG")[:60], "JPEG picture, but its header"),
        (picture("WEBP")[:22], "WebP picture, but its header"),
        (picture("TIFF")[:9], "header"),
        (png_claiming(40, 0), "header"),
        (picture("WEBP").replace(b"\x9d\x01\x2a(\0\x1e\0", b"\x9d\x01\x2a(\0\0\0"), "40 × 0"),
        (picture("TIFF", tiffinfo={254: 1}), "raw file"),
        (picture("TIFF", tiffinfo={50706: b"\1\4\0\0"}), "raw file"),
    ],
)
def test_broken_and_foreign_files_are_refused_by_name(put: Put, content: bytes, words: str) -> None:
    path = put("über all/a b.jpg", content)
    with pytest.raises(InvalidInput) as caught:
        image_size(path)
    assert caught.value.code == "image-unreadable"
    assert caught.value.place.file == str(path)
    assert words in str(caught.value)
    assert caught.value.hint
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(("width", "height"), [(10_000, 9_000), (14_000, 14_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused(put: Put, width: int, height: int) -> None:
    with pytest.raises(InvalidInput, match="89,478,485"):
        image_size(put("bomb.png", png_claiming(width, height)))


def test_the_largest_allowed_picture(put: Put) -> None:
    assert image_size(put("large.png", png_claiming(89_478_485, 1))) == ImageSize(89_478_485, 1, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_cut_anywhere_gives_the_size_or_our_error(put: Put, kind: str) -> None:
    whole = picture(kind, orientation=6) if kind not in ("BMP", "GIF") else picture(kind)
    for length in range(0, min(len(whole), 700), 3):
        path = put("cut", whole[:length])
        try:
            size = image_size(path, exif="raw")
        except InvalidInput as error:
            assert error.place.file == str(path)
        else:
            assert (size.width, size.height) == (40, 30)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.jpg"):
        with pytest.raises(LocalFailure):
            image_size(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InvalidInput, match="regular file"):
        image_size(tmp_path / "pipe.jpg")


def test_image_names() -> None:
    assert all(is_image_name(name) for name in ("a.jpg", "a b/ü.JPEG", "x.y.tif", "a.webp", "a.gif"))
    assert not any(is_image_name(name) for name in ("a", "a.txt", ".jpg", "jpg", "a.jpg.txt", ""))


@pytest.mark.parametrize("name", ["a.jpg", "a.b/ü.JPEG", "x.y.tif", "..a.png", "a/..png", "a/.jpg", "a.txt", "a.", ""])
def test_a_stem_is_what_stands_before_a_pictures_extension(name: str) -> None:
    before, extension = os.path.splitext(name)
    assert stem(name) == (before if extension.lower() in IMAGE_EXTENSIONS else name)


def test_found_by_path_then_by_base_name(put: Put, tmp_path: Path) -> None:
    exact, deep = put("train/a.jpg", picture("JPEG")), put("val/süd west/b.v2.png", picture("PNG", (5, 6)))
    finder = ImageFinder(tmp_path)
    assert finder.find("train/a.jpg") == exact
    assert finder.find("a.jpg") == exact
    assert finder.find("some\\where\\else\\b.v2.png") == deep
    assert finder.size("b.v2.png") == ImageSize(5, 6, 1)
    assert finder.find("c.jpg") is None
    assert finder.size("c.jpg") is None


def test_a_base_name_found_twice_is_ambiguous_unless_the_path_is_exact(put: Put, tmp_path: Path) -> None:
    put("train/a.jpg", picture("JPEG"))
    top = put("a.jpg", picture("JPEG"))
    finder = ImageFinder(tmp_path)
    assert finder.find("a.jpg") == top
    with pytest.raises(InvalidInput) as caught:
        finder.find("other/a.jpg")
    assert caught.value.code == "image-ambiguous"
    assert caught.value.place.image == "other/a.jpg"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg",
        "a/../../secret.jpg",
        "..\\secret.jpg",
        "C:\\secret.jpg",
        "C:secret.jpg",
        "a\0.jpg",
        "",
        ".",
    ],
)
def test_names_that_point_elsewhere_are_never_opened(put: Put, tmp_path: Path, name: str) -> None:
    put("secret.jpg", picture("JPEG"))
    put("root/inside.jpg", picture("JPEG"))
    assert ImageFinder(tmp_path / "root").find(name) is None


def test_absolute_names_are_never_opened(put: Put, tmp_path: Path) -> None:
    path = put("root/inside.jpg", picture("JPEG"))
    assert ImageFinder(tmp_path / "root").find(str(path)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_may_not_lead_out_of_the_folder(put: Put, tmp_path: Path) -> None:
    secret = put("secret/s.jpg", picture("JPEG"))
    kept = put("root/kept.jpg", picture("JPEG"))
    (tmp_path / "root" / "link.jpg").symlink_to(secret)
    (tmp_path / "root" / "folder").symlink_to(secret.parent)
    (tmp_path / "root" / "also kept.jpg").symlink_to(kept)
    (tmp_path / "root" / "circle").symlink_to(tmp_path / "root")
    finder = ImageFinder(tmp_path / "root")
    assert finder.size("also kept.jpg") == ImageSize(40, 30, 1)
    for name in ("link.jpg", "folder/s.jpg", "deep/link.jpg"):
        with pytest.raises(InvalidInput) as caught:
            finder.size(name)
        assert caught.value.code == "image-outside"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_the_folder_itself_may_be_a_link(put: Put, tmp_path: Path) -> None:
    put("real/a.jpg", picture("JPEG"))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert ImageFinder(tmp_path / "link").size("a.jpg") == ImageSize(40, 30, 1)


def test_turned_pictures_are_listed_once(put: Put, tmp_path: Path) -> None:
    for name, orientation in [
        ("upright.jpg", 1),
        ("plain.jpg", None),
        ("turned.jpg", 6),
        ("mirrored.jpg", 2),
    ]:
        put(name, picture("JPEG", orientation=orientation))
    finder = ImageFinder(tmp_path, exif="raw")
    for name in ["turned.jpg", "upright.jpg", "plain.jpg", "mirrored.jpg", "missing.jpg", "turned.jpg"]:
        finder.size(name)
    assert finder.turned == ["mirrored.jpg", "turned.jpg"]


def test_a_missing_folder_of_pictures(tmp_path: Path) -> None:
    with pytest.raises(AnnolakeError, match="--images"):
        ImageFinder(tmp_path / "nowhere")


def test_pillow_is_loaded_only_when_a_size_is_read() -> None:
    code = "import sys, annolake.converters.images; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
