"""Has pictures decoded by processes of their own, never in the event loop, within bounds of time and memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from services.customer.photo import errors
from services.customer.photo.decoding import HEAD, UNDECODABLE
from services.customer.photo.rules import Picture
from shared.telemetry import log

_MEMORY_MIB: Final = 1024
"""Address space of a decoder: three times 50 million pixels of four bytes, and Python."""
_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as it is kept, and its thumbnail, a JPEG."""

    picture: Picture
    content: bytes
    thumbnail: bytes


class Decoder:
    """At most two decoders at once, for each api; whoever finds none free within the time bound is sent away."""

    def __init__(self, pixels: int, within_s: int) -> None:
        self.pixels = pixels
        self._within_s = within_s
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def decode(self, media_type: str, content: bytes) -> Decoded:
        """What is kept of a picture. Raises: Invalid (bad_picture), Unavailable (decoders_busy)"""
        try:
            async with asyncio.timeout(self._within_s):
                await self._free.acquire()
        except TimeoutError:
            raise errors.decoders_busy() from None
        try:
            written = await asyncio.to_thread(self._run, content)
        finally:
            self._free.release()
        width, height, size, _ = HEAD.unpack_from(written)
        start = HEAD.size
        clean, thumbnail = written[start : start + size], written[start + size :]
        return Decoded(Picture(media_type, width, height), clean, thumbnail)

    def _run(self, content: bytes) -> bytes:
        """Run one decoder to its end. It gets the path to the code, and nothing else of this process's environment."""
        command = _command(self.pixels, _MEMORY_MIB, self._within_s)
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, this code, three numbers
                command, input=content, capture_output=True, check=False, timeout=self._within_s,
                env={"PYTHONPATH": os.pathsep.join(sys.path)},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            expected = f"a picture that is decoded within {self._within_s} seconds"
            raise errors.bad_picture("takes_too_long", f"{len(content)} bytes", expected) from None
        except OSError:
            raise errors.decoders_busy() from None
        if done.returncode != 0:
            if done.returncode != UNDECODABLE:
                log(part="photo").warning(
                    "decoder_ended", code=done.returncode, said=done.stderr[-500:].decode("ascii", "replace")
                )
            raise errors.bad_picture("undecodable", f"{len(content)} bytes", "a whole picture that can be decoded")
        return done.stdout


def _command(*limits: int) -> list[str]:
    return [sys.executable, "-m", "services.customer.photo.decoding", *(str(each) for each in limits)]
