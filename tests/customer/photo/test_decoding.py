"""What is kept of a picture: clean, upright, with a thumbnail; and what is refused within bounds."""

import subprocess
import zlib
from io import BytesIO

import pytest
from PIL import Image

from services.customer.photo.decoder import Decoder
from services.customer.photo.decoding import THUMBNAIL, decode
from services.customer.photo.rules import JPEG, PNG
from services.customer.photo.stripping import Damaged, strip_jpeg, strip_png
from shared.errors import Invalid, Unavailable
from tests.factories.pictures import PLACE, jpeg, photograph, png, resized

pytestmark = pytest.mark.req("R1.6")
PIXELS = 50_000_000
DARK = 60
"""A grey value below it belongs to the dark third."""


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


@pytest.mark.parametrize("saved", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"optimize": True}])
def test_a_jpeg_loses_places_texts_previews_and_profiles_and_not_a_bit_of_the_picture(saved: dict) -> None:
    with_place, without = photograph(place=True, size=(256, 192), **saved), photograph(size=(256, 192), **saved)
    assert with_place.count(PLACE) >= 5
    clean = strip_jpeg(with_place + b"\0" * 9 + PLACE)
    assert PLACE not in clean
    assert clean == without == strip_jpeg(without)
    assert opened(clean).tobytes() == opened(with_place).tobytes()


def test_colours_of_four_inks_stay_as_they_are() -> None:
    content = photograph(mode="CMYK", place=True)
    clean = strip_jpeg(content)
    assert PLACE not in clean
    assert opened(clean).tobytes() == opened(content).tobytes()
    assert opened(decode(content)[2]).mode == "RGB"


def test_a_png_loses_texts_times_and_what_nobody_knows_and_not_a_bit_of_the_picture() -> None:
    start, rest = png()[:33], png()[33:]
    told = b"".join(chunk(name, PLACE) for name in (b"tEXt", b"eXIf", b"tIME", b"iCCP", b"prVt", b"acTL"))
    assert strip_png(start + told + rest + PLACE) == png() == strip_png(png())
    assert decode(start + told + rest)[1] == png()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("orientation", "dark_corner", "size"),
    [
        (1, "left", (64, 48)), (2, "right", (64, 48)), (3, "right", (64, 48)), (4, "left", (64, 48)),
        (5, "top", (48, 64)), (6, "top", (48, 64)), (7, "bottom", (48, 64)), (8, "bottom", (48, 64)),
    ],
)  # fmt: skip
def test_a_picture_is_kept_upright(orientation: int, dark_corner: str, size: tuple[int, int], kind: str) -> None:
    content = photograph(orientation=orientation, place=True, kind=kind)
    told, clean, thumbnail = decode(content)
    for image in (opened(clean), opened(thumbnail)):
        width, height = image.size
        spots = {"left": (4, height // 2), "right": (width - 5, height // 2), "top": (width // 2, 4),
                 "bottom": (width // 2, height - 5)}  # fmt: skip
        grey = image.convert("L")
        assert [name for name, spot in spots.items() if grey.getpixel(spot) < DARK] == [dark_corner]
    assert (told, opened(clean).size, opened(clean).format) == (size, size, kind)
    assert PLACE not in clean + thumbnail
    assert dict(opened(clean).getexif()) == {}


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_has_a_thumbnail(mode: str) -> None:
    image = Image.new(mode, (1000, 500)) if mode != "I;16" else Image.new("I;16", (1000, 500), 60_000)
    target = BytesIO()
    image.save(target, "PNG")
    size, _, thumbnail = decode(target.getvalue())
    small = opened(thumbnail)
    assert (size, small.size, small.format, small.mode) == ((1000, 500), (THUMBNAIL, THUMBNAIL // 2), "JPEG", "RGB")
    if mode == "I;16":
        assert abs(small.getpixel((9, 9))[0] - 60_000 // 256) < 4
    if mode == "RGBA":
        assert min(small.getpixel((9, 9))) > 250, "what is transparent shows white"


@pytest.mark.parametrize(
    "content", [b"\xff\xd8", jpeg()[:30], photograph()[:-2], b"\xff\xd8\xff\xe1\0\1", b"\xff\xd8ab"], ids=len
)
def test_a_jpeg_whose_parts_do_not_hold_together_is_damaged(content: bytes) -> None:
    with pytest.raises(Damaged):
        strip_jpeg(content)


def test_a_png_whose_parts_do_not_hold_together_is_damaged() -> None:
    for content in (png()[:8], png()[:40], png()[:-12]):
        with pytest.raises(Damaged):
            strip_png(content)


async def test_a_decoder_answers_from_a_process_without_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    real = subprocess.run

    def run(*given, **named):
        seen.update(named)
        return real(*given, **named)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("CUSTOMER_KEK", "a secret")
    decoded = await Decoder(PIXELS, 60).decode(JPEG, photograph(place=True))
    assert (decoded.picture.media_type, decoded.picture.width, decoded.content) == (JPEG, 64, photograph())
    assert opened(decoded.thumbnail).size == (64, 48)
    assert set(seen["env"]) == {"PYTHONPATH"}


@pytest.mark.parametrize("content", [jpeg(), resized(png(), 3000, 3000), png()[:-30] + png()[-12:]], ids=len)
async def test_what_cannot_be_decoded_is_no_picture(content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        await Decoder(PIXELS, 60).decode(PNG, content)
    assert (refusal.value.code, refusal.value.faults[0].code) == ("bad_picture", "undecodable")


async def test_more_pixels_than_the_bound_are_not_decoded_whatever_the_header_said() -> None:
    with pytest.raises(Invalid) as refusal:
        await Decoder(2000, 60).decode(JPEG, photograph())
    assert refusal.value.faults[0].code == "undecodable"


async def test_a_decoder_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.customer.photo.decoder._command", lambda *_: ["/bin/sh", "-c", "exec sleep 60"])
    with pytest.raises(Invalid) as refusal:
        await Decoder(PIXELS, 1).decode(PNG, png())
    assert refusal.value.faults[0].code == "takes_too_long"


async def test_who_finds_no_decoder_free_in_time_is_sent_away() -> None:
    decoder = Decoder(PIXELS, 1)
    decoder._free._value = 0
    with pytest.raises(Unavailable) as refusal:
        await decoder.decode(PNG, png())
    assert (refusal.value.code, refusal.value.headers["Retry-After"]) == ("decoders_busy", "5")
