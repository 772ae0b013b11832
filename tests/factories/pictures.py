"""Makes small pictures: whole ones, and some that are whole as far as their headers go."""

import struct
from io import BytesIO
from typing import Any

from PIL import Image

from kehu.sample.shop_front import shop_front


def png(number: int = 1) -> bytes:
    """A real picture; every number gives another one."""
    return shop_front(number)


def resized(picture: bytes, width: int, height: int) -> bytes:
    """A PNG whose header claims another size, checksum and all."""
    from zlib import crc32

    header = b"IHDR" + struct.pack(">II", width, height) + picture[24:29]
    return picture[:12] + header + struct.pack(">I", crc32(header)) + picture[33:]


def jpeg(width: int = 320, height: int = 240, *, frame: int = 0xC0, before: bytes = b"") -> bytes:
    """A JPEG with `before` in front of its frame header."""
    start = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
    sizes = struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\1\x22\0\2\x11\1\3\x11\1"
    return start + before + b"\xff" + bytes([frame]) + sizes + b"\xff\xda\0\x02" + b"\0" * 20 + b"\xff\xd9"


PLACE = b"39.9042 N, 116.4074 E"


def photograph(
    number: int = 1, *, size: tuple[int, int] = (64, 48), mode: str = "RGB", orientation: int = 1, place: bool = False,
    kind: str = "JPEG", **saved: Any,
) -> bytes:  # fmt: skip
    """A whole picture as a camera makes it: its left third dark; held so, and with the place, if asked for."""
    grey = Image.new("L", size, 230)
    grey.paste(10 + number % 50, (0, 0, size[0] // 3, size[1]))
    exif, target = Image.Exif(), BytesIO()
    if orientation != 1:
        exif[0x0112] = orientation
    if place:
        exif[0x010E] = PLACE.decode()  # ImageDescription
        exif.get_ifd(0x8825)[29] = PLACE.decode()  # GPSDateStamp: any text of the GPS part
        saved = {"comment": PLACE, "xmp": PLACE, "icc_profile": PLACE, **saved} if kind == "JPEG" else saved
    if exif:
        saved["exif"] = exif
    grey.convert(mode).save(target, kind, **saved)
    return target.getvalue()
