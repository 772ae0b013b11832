"""Draws the shop fronts of the sample: small PNG pictures, each in its own colours, the same ones every time."""

from __future__ import annotations

import colorsys
import struct
import zlib
from typing import Final, TypeAlias

WIDTH: Final = 160
HEIGHT: Final = 120
Colour: TypeAlias = tuple[int, int, int]
_SKY: Final = (205, 226, 240)
_STREET: Final = (150, 150, 155)
_GLASS: Final = (180, 210, 222)
_DOOR: Final = (96, 66, 44)
_LETTERS: Final = (250, 246, 232)


def shop_front(number: int) -> bytes:
    """The picture of the shop with this number: wall, sign, awning, window and door."""
    canvas = [bytearray(bytes(_SKY) * WIDTH) for _ in range(HEIGHT)]
    hue = number * 0.618 % 1
    wall, sign, stripe = _colour(hue, 0.25, 0.9), _colour(hue + 0.5, 0.7, 0.55), _colour(hue + 0.1, 0.6, 0.85)
    _fill(canvas, 0, 104, WIDTH, HEIGHT, _STREET)
    _fill(canvas, 12, 22, 148, 106, wall)
    _fill(canvas, 20, 28, 140, 46, sign)
    for place in range(5 + number % 3):
        _fill(canvas, 30 + 15 * place, 32, 40 + 15 * place, 42, _LETTERS)
    for place in range(8):
        _fill(canvas, 16 + 16 * place, 50, 32 + 16 * place, 60, stripe if place % 2 else _LETTERS)
    door = 22 if number % 2 else 112
    window = 58 if number % 2 else 22
    _fill(canvas, door, 66, door + 26, 106, _DOOR)
    _fill(canvas, window, 66, window + 80, 96, _GLASS)
    _fill(canvas, window + 39, 66, window + 41, 96, wall)
    return _png(canvas)


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))
    return red, green, blue


def _fill(canvas: list[bytearray], left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
    for row in canvas[top:bottom]:
        row[3 * left : 3 * right] = bytes(colour) * (right - left)


def _png(canvas: list[bytearray]) -> bytes:
    """Rows of RGB pixels as a PNG file (ISO/IEC 15948)."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in canvas), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
