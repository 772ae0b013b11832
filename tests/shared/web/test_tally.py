"""What may come in any number: told at once, then once a span, and never forgotten."""

import asyncio

import pytest

from shared.web.tally import Tally

pytestmark = [pytest.mark.req("R2.2"), pytest.mark.req("R4.5")]
SPAN_S = 0.05


class Log:
    """Whoever is told; `broken`: the next telling fails."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.broken = False

    async def tell(self, about: str, attempts: int) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise ConnectionError
        self.told.append((about, attempts))

    async def until(self, total: int) -> None:
        async with asyncio.timeout(10):
            while sum(attempts for _, attempts in self.told) < total:  # noqa: ASYNC110 - a timer, no event
                await asyncio.sleep(0.01)


async def test_the_first_is_told_at_once_and_the_rest_together_when_the_span_is_over() -> None:
    log = Log()
    tally = Tally(log.tell, SPAN_S)
    await asyncio.gather(*(tally.add("a") for _ in range(9)), tally.add("b"))
    assert sorted(log.told)[-1] == ("b", 1)
    await log.until(10)
    assert len([about for about, _ in log.told if about == "a"]) <= 2
    await asyncio.sleep(3 * SPAN_S)
    await tally.add("a")
    assert log.told[-1] == ("a", 1)


async def test_what_is_left_is_told_at_the_end() -> None:
    log = Log()
    tally = Tally(log.tell, 600)
    for _ in range(4):
        await tally.add("a")
    assert log.told == [("a", 1)]
    await tally.close()
    assert log.told == [("a", 1), ("a", 3)]


async def test_what_could_not_be_told_is_told_later() -> None:
    log = Log()
    tally = Tally(log.tell, SPAN_S)
    log.broken = True
    with pytest.raises(ConnectionError):
        await tally.add("a")
    log.broken = False
    await tally.add("a")
    assert log.told == [("a", 2)]
    log.broken = True
    await tally.add("a")
    await asyncio.sleep(3 * SPAN_S)
    log.broken = False
    await log.until(3)
