"""The size of a picture, from its header alone.

A size is whole pixels, of the picture as people and annotation tools see it: with the EXIF orientation
applied, so that orientations 5 to 8 swap width and height (as browsers, CVAT and Ultralytics do); or, on
request, of the stored grid. Pixels are never decoded: a file cut off after its header still has its size.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import msgspec

from ..schemas.errors import InvalidInput, Place
from .files import READING, local_failure

if TYPE_CHECKING:
    from PIL import Image, TiffImagePlugin

Exif = Literal["turned", "raw"]

_BY_PILLOW = ("JPEG", "PNG", "GIF", "BMP", "TIFF")
_PIXEL_LIMIT = 89_478_485  # Pillow's own limit: a quarter of a gibibyte at three bytes per pixel
_EXIF_LIMIT = 1 << 20  # bytes; in a JPEG a block cannot pass 65,533
_UPRIGHT = 1
_ORIENTATION = 0x0112  # EXIF and TIFF share this tag
_FETCH_AGAIN = "fetch the picture again, or leave it out"

_BEGINNING = 4096  # bytes read at once
# Blocks of a JPEG (ITU-T T.81, table B.1): its frame, up to and with the number of its layers; tables, comments, and
# the applications' blocks that say nothing of its size and orientation.
_PIXELS, _FRAMES, _FRAME_BYTES = 0xDA, frozenset((0xC0, 0xC1, 0xC2)), 10
_QUANTIZATION, _TABLE = 0xDB, 65
_WITHOUT_MEANING = frozenset((0xC4, 0xDD, 0xE0, 0xEE, 0xFE))
_COLOURS = 0xE2
_SIDES = struct.Struct(">HH").unpack
_USUAL = re.compile(
    rb"\xff\xd8(?:\xff\xe0\x00\x10.{14})?(?:\xff\xdb\x00\x43[\x00-\x0f].{64})+"
    rb"\xff[\xc0-\xc2]\x00(?:\x0b(?=.{5}\x01)|\x11(?=.{5}\x03))\x08(.{4})(?:\x01.{3}|\x03.{9})"
    rb"(?:\xff\xc4\x00(?:\x1f.{29}|\xb5.{179}))+\xff\xda\x00(?:\x08.{6}|\x0c.{10})",
    re.DOTALL,
)
"""The beginning of a grey or coloured JPEG with the usual tables, up to its pixels."""

_BEGINNINGS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}


class ImageSize(msgspec.Struct, frozen=True, gc=False):
    """Width and height in pixels; the EXIF orientation, 1 to 8 (1, upright, also without a tag)."""

    width: int
    height: int
    orientation: int = _UPRIGHT


def image_size(path: str | Path, exif: Exif = "turned") -> ImageSize:
    """The size in the header of a JPEG, PNG, WebP, BMP, TIFF or GIF file, whatever the file is called.

    InvalidInput: empty, broken or foreign file, or more pixels than anything but a decompression bomb has.
    LocalFailure: this computer cannot read it.
    """
    try:
        descriptor = os.open(path, READING)
        try:
            width, height, orientation = _header_of(descriptor)
        finally:
            os.close(descriptor)
    except _Refused as refused:
        place = Place(file=str(path))
        raise InvalidInput("image-unreadable", refused.message, place=place, hint=refused.hint) from None
    except OSError as error:
        raise local_failure(error, Path(path)) from None
    if exif == "turned" and orientation >= 5:
        width, height = height, width
    return ImageSize(width, height, orientation)


class _Refused(Exception):
    def __init__(self, message: str, hint: str = _FETCH_AGAIN) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def _header_of(descriptor: int) -> tuple[int, int, int]:
    try:
        head = os.read(descriptor, _BEGINNING)
    except OSError:
        _check_file(os.fstat(descriptor))
        raise
    usual = _usual_jpeg(head)
    if usual is not None:
        return *usual, _UPRIGHT
    _check_file(os.fstat(descriptor))
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        return _read_header(file)


def _check_file(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise _Refused("not a regular file", "give the picture itself")
    if status.st_size == 0:
        raise _Refused("the file is empty (0 bytes)")


def _usual_jpeg(head: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG whose blocks before its pixels all stand in `head` and neither turn it nor are odd,
    as most are: ten times faster than Pillow, to which any other picture is left.
    """
    if (found := _USUAL.match(head)) is not None:
        height, width = _SIDES(found[1])
        return (width, height) if 0 < width * height <= _PIXEL_LIMIT else None
    if head[:2] != b"\xff\xd8":
        return None
    at = 2
    size: tuple[int, int] | None = None
    while at + _FRAME_BYTES <= len(head) and head[at] == 0xFF:
        kind, length = head[at + 1], head[at + 2] << 8 | head[at + 3]
        if kind == _PIXELS:
            return size if at + 2 + length <= len(head) else None
        if kind in _FRAMES:
            bits, height, width, layers = struct.unpack_from(">BHHB", head, at + 4)
            if size or bits != 8 or layers not in (1, 3, 4) or not 0 < width * height <= _PIXEL_LIMIT:
                return None
            size = width, height
        elif kind == _QUANTIZATION:
            if length % _TABLE != 2 or max(head[at + 4 : at + 2 + length : _TABLE], default=0) > 15:
                return None
        elif kind not in _WITHOUT_MEANING and not (kind == _COLOURS and head.startswith(b"ICC_PROFILE\0", at + 4)):
            return None
        at += 2 + length
    return None


def _read_header(file: IO[bytes]) -> tuple[int, int, int]:
    beginning = file.read(128)
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        width, height, orientation = _webp_header(file)
    else:
        width, height, orientation = _header_by_pillow(file, beginning)
    if width <= 0 or height <= 0:
        raise _Refused(f"its header says {width} × {height} pixels")
    if width * height > _PIXEL_LIMIT:
        raise _too_many_pixels(f"{width:,} × {height:,} pixels")
    return width, height, orientation


def _header_by_pillow(file: IO[bytes], beginning: bytes) -> tuple[int, int, int]:
    # The TIFF plug-in by name: Pillow would else import all its plug-ins to find it.
    from PIL import Image, TiffImagePlugin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters to a size is judged here, not said on standard error
        try:
            with Image.open(file, formats=_BY_PILLOW) as image:
                if isinstance(image, TiffImagePlugin.TiffImageFile):
                    width, height = _tiff_size(image)
                else:
                    width, height = image.size
                return width, height, _orientation(lambda: _exif_of(image, file))
        except _Refused:
            raise
        except Image.DecompressionBombError:
            raise _too_many_pixels("far too many pixels") from None
        except Exception:  # noqa: BLE001  (a foreign parser on foreign bytes raises whatever it likes)
            raise _unreadable(beginning) from None


def _tiff_size(image: TiffImagePlugin.TiffImageFile) -> tuple[int, int]:
    """The stored grid; `size` is already turned in some versions of Pillow and not in others."""
    tags: Any = image.tag_v2
    width, height, reduced, camera_raw = tags[256], tags[257], tags.get(254, 0), tags.get(50706)
    if camera_raw is not None or reduced & 1:
        # A camera's raw file is a TIFF whose first picture is a thumbnail.
        raise _Refused("a camera's raw file (DNG)", "develop it to JPEG, PNG or TIFF")
    return int(width), int(height)


def _orientation(read_exif: Callable[[], Image.Exif]) -> int:
    try:
        orientation = read_exif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001  (viewers show a picture with a broken EXIF block as it is stored)
        return _UPRIGHT
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else _UPRIGHT


def _exif_of(image: Image.Image, file: IO[bytes]) -> Image.Exif:
    from PIL import Image

    # The base class's method: that of PNG decodes the whole picture to come to a late block.
    exif = Image.Image.getexif(image)
    if not exif and image.format == "PNG":
        exif.load(_late_png_exif(file))
    return exif


def _exif_in(block: bytes) -> Image.Exif:
    from PIL import Image

    exif = Image.Exif()
    exif.load(block)
    return exif


def _late_png_exif(file: IO[bytes]) -> bytes:
    """The eXIf block that may also follow the pixels; they are stepped over unread."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"eXIf":
            return file.read(min(length, _EXIF_LIMIT))
        file.seek(length + 4, os.SEEK_CUR)
    return b""


def _webp_header(file: IO[bytes]) -> tuple[int, int, int]:
    """Size and orientation by RFC 9649. Pillow would read the whole file and make room for its pixels."""
    size: tuple[int, int] | None = None
    exif_block = b""
    file.seek(12)
    while len(head := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", head)
        following = file.tell() + length + length % 2
        if size is None:
            size = _webp_size(kind, file.read(min(length, 10)))
            if kind != b"VP8X":
                break  # without this block there is no EXIF
        elif kind == b"EXIF":
            exif_block = file.read(min(length, _EXIF_LIMIT))
            break
        file.seek(following)
    if size is None:
        raise _Refused("it begins like a WebP picture, but its header is cut off or damaged")
    return *size, _orientation(lambda: _exif_in(exif_block))


def _webp_size(kind: bytes, start: bytes) -> tuple[int, int] | None:
    if len(start) == 10 and kind == b"VP8X":
        return int.from_bytes(start[4:7], "little") + 1, int.from_bytes(start[7:10], "little") + 1
    if len(start) == 10 and kind == b"VP8 " and start[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", start[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if len(start) >= 5 and kind == b"VP8L" and start[0] == 0x2F:
        bits = int.from_bytes(start[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _unreadable(beginning: bytes) -> _Refused:
    if beginning.lstrip()[:1] in (b"<", b"{"):
        return _Refused("not a picture but text", "fetch it again: this may be a server's error message")
    if beginning.startswith(b"version https://git-lfs"):
        return _Refused("not the picture but a Git LFS pointer", "run `git lfs pull`")
    for start, name in _BEGINNINGS.items():
        if beginning.startswith(start):
            return _Refused(f"it begins like a {name} picture, but its header is cut off or damaged")
    return _Refused("not a JPEG, PNG, WebP, BMP, TIFF or GIF picture", "convert it to one of these")


def _too_many_pixels(many: str) -> _Refused:
    return _Refused(f"{many}, where {_PIXEL_LIMIT:,} are safe to open", "scale it down or cut it into tiles")
