"""What a picture is, from its bytes alone."""

import struct
from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.photo.rules import JPEG, PNG, Picture, examine
from shared.errors import Invalid, KehuError, UnsupportedMedia
from tests.factories.pictures import jpeg, png, resized

pytestmark = pytest.mark.req("R1.6")
EXIF = b"\xff\xe1" + struct.pack(">H", 5002) + b"Exif\0\0" + b"\xff\xc0" * 2497


def code_of(content: bytes) -> str:
    with pytest.raises(Invalid) as refusal:
        examine(content)
    return refusal.value.faults[0].code


def test_a_png_says_its_size() -> None:
    assert examine(png()) == Picture(PNG, 160, 120)


@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2, 0xC9])
def test_a_jpeg_says_its_size_in_whatever_frame_it_has(frame: int) -> None:
    assert examine(jpeg(320, 240, frame=frame)) == Picture(JPEG, 320, 240)


@pytest.mark.parametrize("before", [EXIF, b"\xff\xff\xff", b"\xff\x01", b"\xff\xc4\0\x04ab", EXIF * 3])
def test_what_stands_before_the_frame_of_a_jpeg_is_passed_over(before: bytes) -> None:
    assert examine(jpeg(before=before)) == Picture(JPEG, 320, 240)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"GIF89a" + b"\0" * 50, b"<svg/>", b"%PDF-1.7", b"RIFF....WEBP", b"\xff\xd8", png()[1:]]
)
def test_anything_else_is_no_picture(content: bytes) -> None:
    with pytest.raises(UnsupportedMedia) as refusal:
        examine(content)
    assert refusal.value.code == "not_a_picture"


def broken_png(at: int, value: int) -> bytes:
    """A PNG with one byte of its header changed; the checksum tells."""
    content = bytearray(png())
    content[at] = value
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        png()[:30],
        broken_png(12, ord("X")),
        broken_png(11, 14),
        broken_png(18, 1),
        broken_png(29, png()[29] ^ 1),
        jpeg()[:24],
        jpeg()[:20] + b"\0\0\0\0",
        jpeg(before=b"\xff\xda\0\x02"),
        jpeg(before=b"\xff\xd9"),
        jpeg(before=b"\xff\xc4\0\0"),
        jpeg(before=b"\xff\xe1\xff\xff"),
        jpeg(before=b"\xff" * 2000),
        jpeg().replace(struct.pack(">HB", 17, 8), struct.pack(">HB", 16, 8)),
    ],
)
def test_a_header_that_does_not_hold_together_is_refused(content: bytes) -> None:
    assert code_of(content) == "unreadable_header"


@pytest.mark.parametrize("make", [jpeg, lambda width, height: resized(png(), width, height)], ids=["jpeg", "png"])
@pytest.mark.parametrize(
    ("size", "fits"),
    [
        ((16, 16), True),
        ((12_000, 4_000), True),
        ((15, 100), False),
        ((100, 15), False),
        ((0, 0), False),
        ((12_001, 100), False),
        ((12_000, 12_000), False),
        ((65_535, 65_535), False),
    ],
)
def test_sides_and_pixels_have_bounds(make: Callable[[int, int], bytes], size: tuple[int, int], fits: bool) -> None:
    if fits:
        assert (examine(make(*size)).width, examine(make(*size)).height) == size
    else:
        assert code_of(make(*size)) == "bad_size"


def test_a_png_of_an_unknown_kind_is_refused() -> None:
    for colour in (1, 5, 7):
        content = png()[:25] + bytes([colour]) + png()[26:]
        assert code_of(resized(content, 100, 100)) == "unreadable_header"


@given(st.binary(max_size=200), st.sampled_from([b"", png()[:8], png()[:16], jpeg()[:3], jpeg()[:22]]))
def test_no_bytes_whatever_are_a_fault_of_ours(content: bytes, start: bytes) -> None:
    try:
        assert examine(start + content).width >= 16
    except KehuError as refusal:
        assert refusal.code in ("not_a_picture", "bad_picture")


@pytest.mark.timed
@pytest.mark.parametrize("part", [b"\xff", b"\xff\x01", b"\xff\xe1\0\x02"])
def test_bytes_that_lead_nowhere_are_given_up_soon(part: bytes) -> None:
    started = perf_counter()
    assert code_of(jpeg(before=part * (2_000_000 // len(part)))) == "unreadable_header"
    assert perf_counter() - started < 0.2
