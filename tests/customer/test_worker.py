"""The whole way round: a change leaves by the relay, comes back by the bus, and changes the grade once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.outbox import Relay
from tests.factories.customer import RunningCustomer


@asynccontextmanager
async def working(service: RunningCustomer) -> AsyncIterator[None]:
    """The loops of a worker, beside the api."""
    stop = asyncio.Event()
    parts = service.parts
    loops = [Relay(parts.name, parts.database, parts.transport).run, *(each.run for each in parts.consumers)]
    tasks = [asyncio.create_task(loop(stop)) for loop in loops]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def graded_at(service: RunningCustomer, customer: str, version: int) -> dict[str, object]:
    """The grade as soon as it stands on this version of the file."""
    async with asyncio.timeout(30):
        while True:
            answer = await service.get(f"/v1/customers/{customer}/grade")
            if answer.status_code == 200 and answer.json()["customer_version"] == version:
                return answer.json()
            await asyncio.sleep(0.05)


@pytest.mark.req("R0.3")
async def test_a_change_comes_back_as_a_grade(service: RunningCustomer) -> None:
    async with working(service):
        customer = await service.register(credit_level="A", business_area=90, settlement_method="electronic")
        first = await graded_at(service, customer["id"], 1)
        await service.patch(customer["id"], 1, credit_level="D", business_area=1, settlement_method="credit")
        second = await graded_at(service, customer["id"], 2)
        assert (first["serial"], second["serial"]) == (1, 2)
        async with asyncio.timeout(30):
            while await service.outbox():  # noqa: ASYNC110 - another connection empties it
                await asyncio.sleep(0.05)
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM grade_change") == 2
        assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 0
