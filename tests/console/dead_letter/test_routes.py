"""Dead letters of every service on one page; replayed, or given up after a second question."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from services.notify.app import compose
from shared import deadletters
from shared.db import Database
from tests.factories import console
from tests.factories.audit import garbage
from tests.factories.console import RunningConsole
from tests.factories.notify import settings_of
from tests.factories.serving import serve
from tests.fakes.issuer import Issuer


@pytest.fixture
async def letter(dsn: Callable[[str], str], issuer: Issuer) -> AsyncIterator[tuple[RunningConsole, UUID, Database]]:
    """A console beside a real notify service that parked one event, the letter's id, and notify's database."""
    address = dsn("notify")
    parts = compose(settings_of(address, address, issuer.url))
    async with serve(parts.app()) as url, console.running(dsn("console"), issuer, notify_url=url) as running:
        async with parts.database.transaction() as tx:
            await deadletters.park(tx, parts.consumers[0].group, garbage(), ValueError("no event"))
            letter_id = await tx.fetchval("SELECT id FROM dead_letter")
        yield running, letter_id, parts.database


Letter = tuple[RunningConsole, UUID, Database]


async def count(database: Database) -> int:
    async with database.reading() as tx:
        found: int = await tx.fetchval("SELECT count(*) FROM dead_letter")
        return found


@pytest.mark.req("R15.4")
async def test_the_start_page_and_the_list_show_what_is_parked_and_who_is_silent(letter: Letter) -> None:
    running, letter_id, _ = letter
    await running.sign_in("admin")
    start = await running.page("/")
    assert '<span class="tag warn">1</span>' in start
    assert start.count('<span class="tag bad">No answer</span>') == 4
    page = await running.page("/dead-letters")
    assert f'href="/dead-letters/notify/{letter_id}"' in page
    assert "The customer service does not answer" in page


@pytest.mark.req("R15.4")
async def test_a_letter_is_discarded_after_a_second_question(letter: Letter) -> None:
    running, letter_id, database = letter
    await running.sign_in("admin")
    path = f"/dead-letters/notify/{letter_id}"
    assert f'href="{path}/discard"' in await running.page(path)
    assert await count(database) == 1, "asking decides nothing"
    answer = await running.submit(f"{path}/discard", f"{path}/discard", once="key-1")
    assert answer.headers["location"] == "/dead-letters?done=discard"
    assert "Discarded." in await running.page("/dead-letters?done=discard")
    assert await count(database) == 0
    await running.page(path, 404)


@pytest.mark.req("R15.4")
async def test_a_letter_that_still_fails_stays_and_says_so(letter: Letter) -> None:
    running, letter_id, database = letter
    await running.sign_in("admin")
    path = f"/dead-letters/notify/{letter_id}"
    answer = await running.submit(path, f"{path}/replay", once="key-1")
    assert answer.status_code == 409
    assert "Still failing" in answer.text
    assert await count(database) == 1


@pytest.mark.req("R2.2")
async def test_who_may_only_read_is_not_offered_and_not_obeyed(letter: Letter) -> None:
    running, letter_id, database = letter
    await running.sign_in("auditor")
    path = f"/dead-letters/notify/{letter_id}"
    assert "Replay</button>" not in await running.page(path)
    answer = await running.submit(f"{path}/discard", f"{path}/discard", once="key-1")
    assert answer.status_code == 403
    assert await count(database) == 1


@pytest.mark.req("R15.4")
async def test_the_consoles_own_letters_stand_beside_the_others(alone: RunningConsole) -> None:
    await alone.sign_in("admin")
    async with alone.database.transaction() as tx:
        await deadletters.park(tx, "console-roster", garbage(), ValueError("no event"))
        letter_id = await tx.fetchval("SELECT id FROM dead_letter")
    path = f"/dead-letters/console/{letter_id}"
    assert f'href="{path}"' in await alone.page("/dead-letters")
    await alone.submit(f"{path}/discard", f"{path}/discard", once="key-1")
    assert await count(alone.database) == 0


async def test_a_service_that_has_no_letters_is_not_there(alone: RunningConsole) -> None:
    await alone.sign_in("admin")
    await alone.page("/dead-letters/nobody/01939d5e-7a3c-7b21-9c55-0f6b5d3a8e10", 404)
    await alone.page("/dead-letters/http:%2F%2Fevil.example/01939d5e-7a3c-7b21-9c55-0f6b5d3a8e10", 404)
