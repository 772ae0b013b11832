"""A job does what is due once, wherever it runs, and survives its own failures."""

import asyncio
from datetime import datetime

import pytest

from shared.db import Database, Transaction
from shared.jobs import Job
from tests.factories.waiting import until_query

pytestmark = pytest.mark.req("R0.2")


@pytest.fixture
async def database(database: Database) -> Database:
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE due (id int)")
        await tx.execute("CREATE TABLE done (id int, at timestamptz)")
        await tx.execute("INSERT INTO due SELECT generate_series(1, 20)")
    return database


async def one_of_them(tx: Transaction, at: datetime) -> int:
    number = await tx.fetchval("DELETE FROM due WHERE ctid = (SELECT ctid FROM due LIMIT 1) RETURNING id")
    if number is None:
        return 0
    return await tx.execute("INSERT INTO done VALUES ($1, $2)", number, at)


async def test_all_that_is_due_is_done_once_by_several_processes(database: Database) -> None:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(Job("j", 0.05, one_of_them).run(database, stop)) for _ in range(3)]
    await until_query(database, "SELECT count(*) FROM done", 20)
    stop.set()
    await asyncio.gather(*tasks)
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(DISTINCT id) FROM done") == 20


async def test_a_second_process_stands_by_while_one_is_in_its_round(database: Database) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction, _at: datetime) -> int:
        entered.set()
        await leave.wait()
        return 1

    first = asyncio.create_task(Job("j", 1, slow).once(database))
    await entered.wait()
    assert await Job("j", 1, one_of_them).once(database) == 0
    assert await Job("another", 1, one_of_them).once(database) == 1
    leave.set()
    assert await first == 1


async def test_a_failing_round_changes_nothing_and_is_tried_again(database: Database) -> None:
    rounds = 0

    async def failing(tx: Transaction, at: datetime) -> int:
        nonlocal rounds
        rounds += 1
        found = await one_of_them(tx, at)
        if rounds == 1:
            raise ValueError("first round")
        return found

    stop = asyncio.Event()
    task = asyncio.create_task(Job("j", 0.05, failing).run(database, stop))
    await until_query(database, "SELECT count(*) FROM done", 20)
    stop.set()
    await task
    assert rounds >= 21
