"""Decodes one picture, in a process of its own: `python -m services.customer.photo.decoding PIXELS MEMORY_MIB SECONDS`.

Standard input: the picture. Standard output: `HEAD`, the clean picture, its thumbnail. Exit code UNDECODABLE if there
is no picture in it. What a decoder does with hostile bytes ends with this process, which knows no settings and no keys.
"""

from __future__ import annotations

import resource
import struct
import sys
import warnings
from io import BytesIO
from typing import Final

from PIL import Image

from services.customer.photo.stripping import strip_jpeg, strip_png

HEAD: Final = struct.Struct(">IIII")
"""Width and height of the clean picture; bytes of the clean picture and of the thumbnail."""
UNDECODABLE: Final = 3
THUMBNAIL: Final = 320
"""Longest side of a thumbnail, in pixels."""
_QUALITY: Final = 95
_THUMBNAIL_QUALITY: Final = 80
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by the orientation of its EXIF data (CIPA DC-008)."""


def main() -> None:
    """Limit this process, then do the work."""
    pixels, memory_mib, seconds = (int(each) for each in sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = pixels
    warnings.simplefilter("error")
    try:
        size, clean, thumbnail = decode(sys.stdin.buffer.read())
    except Exception:  # whatever a decoder makes of such bytes, it is no picture
        sys.exit(UNDECODABLE)
    sys.stdout.buffer.write(HEAD.pack(*size, len(clean), len(thumbnail)) + clean + thumbnail)


def decode(content: bytes) -> tuple[tuple[int, int], bytes, bytes]:
    """Size, the picture upright and without metadata, and its thumbnail; raises what decoders raise.

    A picture that is upright and clean keeps its bytes; one that must be turned is encoded anew.
    """
    is_png = content.startswith(b"\x89PNG")
    kind, strip = ("PNG", strip_png) if is_png else ("JPEG", strip_jpeg)
    turn = _UPRIGHT.get(_orientation(content))
    clean = strip(content)
    image: Image.Image = Image.open(BytesIO(clean), formats=[kind])
    image.load()
    if turn is not None:
        image = image.transpose(turn)
        clean = strip(_encoded(image, kind, _QUALITY))
    return image.size, clean, _thumbnail(image)


def _orientation(content: bytes) -> int:
    """How the picture is to be held; upright if its metadata cannot be read."""
    try:
        with Image.open(BytesIO(content), formats=["JPEG", "PNG"]) as image:
            return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # the metadata go anyway; the picture is judged by itself
        return 1


def _thumbnail(image: Image.Image) -> bytes:
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("P", "PA", "LA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image.thumbnail((THUMBNAIL, THUMBNAIL))
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    else:
        image.thumbnail((THUMBNAIL, THUMBNAIL))
    return strip_jpeg(_encoded(image.convert("RGB"), "JPEG", _THUMBNAIL_QUALITY))


def _encoded(image: Image.Image, kind: str, quality: int) -> bytes:
    target = BytesIO()
    image.save(target, kind, quality=quality)
    return target.getvalue()


if __name__ == "__main__":
    main()
