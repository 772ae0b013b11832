"""Bodies that are too large, whatever is said of them beforehand: refused, answered, not kept."""

import asyncio
import io
import socket
import zipfile
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.db import Database
from tests.factories.reporting import RunningReporting, file_upload

Headers = dict[str, str]


def require_refused(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (413, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_over_the_limit_is_refused_unread(service: RunningReporting, partner: Headers) -> None:
    address = httpx.URL(service.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    head = ["POST /v1/submissions HTTP/1.1", "Host: test", f"Authorization: {partner['Authorization']}"]
    head += ["Content-Type: application/json", f"Content-Length: {65 * 1024 * 1024}", "", ""]
    writer.write("\r\n".join(head).encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413") and b"body_too_large" in answer


@pytest.mark.req("R0.4")
@pytest.mark.parametrize("is_declared", [True, False])
async def test_who_sends_all_of_too_much_before_reading_gets_the_refusal(
    service: RunningReporting, partner: Headers, is_declared: bool
) -> None:
    """A connection that is closed while something unread waits is reset, and the answer lost."""
    address, size = httpx.URL(service.url), 66 * 1024 * 1024
    length = f"Content-Length: {size}" if is_declared else "Transfer-Encoding: chunked"
    head = ["POST /v1/submissions HTTP/1.1", "Host: test", f"Authorization: {partner['Authorization']}"]
    head += ["Content-Type: application/json", length, "", ""]
    body = bytes(size) if is_declared else b"%x\r\n%s\r\n0\r\n\r\n" % (size, bytes(size))

    def talk() -> bytes:
        with socket.create_connection((address.host, address.port), timeout=20) as connection:
            connection.sendall("\r\n".join(head).encode() + body)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    answer = await asyncio.to_thread(talk)
    assert answer.startswith(b"HTTP/1.1 413") and b"body_too_large" in answer


async def test_a_file_that_grows_over_the_limit_is_refused_while_it_comes_in(
    http: httpx.AsyncClient, partner: Headers, unit: str, database: Database
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n'
        for _ in range(65):
            yield bytes(1024 * 1024)

    headers = partner | {"Content-Type": "multipart/form-data; boundary=b"}
    require_refused(await http.post("/v1/submissions", content=parts(), headers=headers), "body_too_large")
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM submission WHERE org = $1", unit) == 0


async def test_a_workbook_that_unpacks_to_gigabytes_is_refused(
    http: httpx.AsyncClient, partner: Headers, unit: str
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("xl/bomb.xml", "w") as entry:
        for _ in range(600):
            entry.write(bytes(1024 * 1024))
    require_refused(await file_upload(http, partner, unit, packed.getvalue()), "workbook_too_large")
