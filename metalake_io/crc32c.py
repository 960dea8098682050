"""CRC-32C (Castagnoli, RFC 3720), which Google's storage tells of every file and Python does not know.

Many rows of a block are worked on at once with numpy, then joined: some 50 MB a second, where plain Python has 5.
"""

from __future__ import annotations

from functools import cache
from typing import Any, BinaryIO

import numpy

_POLYNOMIAL = 0x82F63B78
_ROWS, _LENGTH = 4096, 256
"""Powers of two: the rows of a block, and their bytes."""

_BLOCK = _ROWS * _LENGTH
Table = numpy.ndarray[Any, numpy.dtype[numpy.uint32]]


def crc32c_of(file: BinaryIO) -> int:
    """Of all that is left to read in `file`."""
    crc = 0xFFFFFFFF
    while block := file.read(_BLOCK):
        crc = _one_by_one(crc, block) if len(block) < 64 else _block(crc, block)
    return crc ^ 0xFFFFFFFF


def _one_by_one(crc: int, data: bytes) -> int:
    table = _table()
    for byte in data:
        crc = int(table[(crc ^ byte) & 0xFF]) ^ crc >> 8
    return crc


def _block(crc: int, data: bytes) -> int:
    """`data`, of at most a block, after what `crc` is of. Zeros in front of a sum that begins with 0 change nothing."""
    padded = numpy.zeros(_BLOCK, numpy.uint8)
    padded[-len(data) :] = numpy.frombuffer(data, numpy.uint8)
    padded[_BLOCK - len(data) : _BLOCK - len(data) + 4] ^= numpy.frombuffer(crc.to_bytes(4, "little"), numpy.uint8)
    table = _table()
    sums: Table = numpy.zeros(_ROWS, numpy.uint32)
    for column in numpy.ascontiguousarray(padded.reshape(_ROWS, _LENGTH).T):
        sums = table[(sums ^ column) & 0xFF] ^ (sums >> numpy.uint32(8))
    for shift in _shifts():
        sums = _apply(shift, sums[0::2]) ^ sums[1::2]
    return int(sums[0])


@cache
def _table() -> Table:
    table = numpy.arange(256, dtype=numpy.uint32)
    for _ in range(8):
        table = numpy.where(table & 1, (table >> 1) ^ numpy.uint32(_POLYNOMIAL), table >> 1)
    return table


@cache
def _shifts() -> list[Table]:
    """What so many zero bytes after it make of a sum, for one row, two, four ...: four tables, by the sum's bytes."""
    alone: Table = numpy.arange(256, dtype=numpy.uint32) << numpy.array([[0], [8], [16], [24]], numpy.uint32)
    shift: Table = _table()[alone & 0xFF] ^ (alone >> numpy.uint32(8))
    shifts: list[Table] = []
    length = 1
    while length < _BLOCK:
        if length >= _LENGTH:
            shifts.append(shift)
        shift = _apply(shift, shift)
        length *= 2
    return shifts


def _apply(shift: Table, sums: Table) -> Table:
    return shift[0][sums & 0xFF] ^ shift[1][(sums >> 8) & 0xFF] ^ shift[2][(sums >> 16) & 0xFF] ^ shift[3][sums >> 24]
