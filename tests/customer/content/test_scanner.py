"""The adapter of clamd, against one that speaks the real protocol."""

import asyncio
import socket
from pathlib import Path

import pytest

from services.customer.content.scanner import Clamd, Unscanned
from shared.errors import Unavailable
from tests.fakes import clamd as fake

pytestmark = pytest.mark.req("R1.6")


async def test_clean_content_is_let_through_whole_in_chunks_of_bounded_size() -> None:
    daemon, content = fake.Clamd(), bytes(range(256)) * 600
    async with fake.running(daemon) as url:
        assert await Clamd(url, 5).scan(content) is None
        assert await Clamd(url, 5).scan(b"") is None
    assert daemon.streams == [content, b""]
    assert daemon.chunks == [65_536, 65_536, len(content) - 131_072]


async def test_what_was_found_has_its_name_over_tcp_and_over_a_socket_of_the_machine(tmp_path: Path) -> None:
    async with fake.running(fake.Clamd()) as url:
        assert await Clamd(url, 5).scan(b"x" * 70_000 + fake.SIGNATURE) == fake.FOUND
    async with fake.running_at(fake.Clamd(), tmp_path / "clamd") as url:
        assert await Clamd(url, 5).scan(fake.SIGNATURE) == fake.FOUND
        assert await Clamd(url, 5).scan(b"clean") is None


@pytest.mark.parametrize("answer", [b"stream: something ERROR", b"", b"OK", b"x" * 5000, b"Kehu FOUND"])
async def test_any_other_answer_lets_nothing_through(answer: bytes) -> None:
    daemon = fake.Clamd()
    daemon.answer = answer
    async with fake.running(daemon) as url:
        await assert_away(Clamd(url, 5), b"clean")


async def test_content_above_the_limit_of_the_daemon_is_not_let_through() -> None:
    async with fake.running(fake.Clamd(limit=1000)) as url:
        await assert_away(Clamd(url, 5), b"x" * 3_000_000)


async def test_a_daemon_that_is_away_or_silent_lets_nothing_through(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        await assert_away(Clamd(f"tcp://127.0.0.1:{port}", 0.1), b"clean")
    await assert_away(Clamd(f"tcp://127.0.0.1:{port}", 5), b"clean")
    await assert_away(Clamd(f"unix://{tmp_path}/none", 5), b"clean")


async def test_a_daemon_that_hangs_up_lets_nothing_through() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        await assert_away(Clamd(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", 5), b"x" * 1_000_000)


async def test_without_a_scanner_everything_passes_and_the_name_says_so() -> None:
    assert (await Unscanned().scan(fake.SIGNATURE), Unscanned().name) == (None, "none")


async def assert_away(scanner: Clamd, content: bytes) -> None:
    with pytest.raises(Unavailable) as refusal:
        await scanner.scan(content)
    assert refusal.value.code == "scanner_away"
