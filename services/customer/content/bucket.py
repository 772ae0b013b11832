"""A storage of objects in a bucket of any server that speaks S3: AWS, MinIO, Ceph, OBS, OSS and their like.

The bucket is private and is made by whoever runs the server; nothing here grants anybody anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from obstore.exceptions import BaseError
from obstore.store import S3Store

from services.customer.content import errors
from shared.ids import parse_id

_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bucket is, endpoint as http(s)://host[:port], and who comes."""

    endpoint: str
    bucket: str
    region: str
    access_key: str
    secret_key: str


class Bucket:
    """Objects named by their ids, below 256 prefixes by the last two digits, which are random."""

    name = "s3"

    def __init__(self, place: Place, within_s: float) -> None:
        self._within_s = within_s
        within = timedelta(seconds=within_s)
        self._store = S3Store(
            place.bucket, endpoint=place.endpoint, region=place.region, access_key_id=place.access_key,
            secret_access_key=place.secret_key, virtual_hosted_style_request=False,
            client_options={"allow_http": place.endpoint.startswith("http:"), "connect_timeout": within,
                            "timeout": within},
            retry_config={"max_retries": _RETRIES, "retry_timeout": within},
        )  # fmt: skip

    async def put(self, object_id: UUID, content: bytes) -> None:
        """Write an object whole; it is durable when this returns. Raises: Unavailable (storage_away)"""
        async with self._answering():
            await self._store.put_async(_key(object_id), content, use_multipart=False)

    async def get(self, object_id: UUID) -> bytes:
        """Read an object. Raises: Unavailable (storage_away)"""
        async with self._answering():
            found = await self._store.get_async(_key(object_id))
            return bytes(await found.bytes_async())

    async def remove(self, object_id: UUID) -> None:
        """Remove an object, if it is there. Raises: Unavailable (storage_away)"""
        async with self._answering():
            await self._store.delete_async(_key(object_id))

    async def older(self, part: int, moment: float) -> list[UUID]:
        """The objects of one of the 256 parts that were written before a moment (seconds of the epoch)."""
        async with self._answering():
            pages = [page async for page in self._store.list(prefix=f"{part:02x}")]
        old = (each["path"].rpartition("/")[2] for page in pages for each in page
               if each["last_modified"].timestamp() < moment)  # fmt: skip
        return [found for name in old if (found := parse_id(name)) is not None]

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Within the time bound, retries included."""
        try:
            async with asyncio.timeout(self._within_s):
                yield
        except (BaseError, OSError):  # OSError: nothing there, and the time bound
            raise errors.storage_away() from None


def _key(object_id: UUID) -> str:
    return f"{object_id.hex[-2:]}/{object_id}"
