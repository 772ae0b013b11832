"""Operations staff read the audit log: searched, page by page, one entry with its proof."""

import re
from datetime import timedelta

import pytest

from shared.clock import now
from tests.factories.audit import RunningAudit, append, change, delivered, envelope, grade_changed, publish
from tests.factories.console import RunningConsole
from tests.factories.customer import RunningCustomer

_ROW = re.compile(r'<a href="/entries/(\d+)">')


def rows(page: str) -> list[int]:
    return [int(index) for index in _ROW.findall(page)]


@pytest.mark.req("R0.4")
async def test_entries_are_shown_newest_first_page_by_page(beside: RunningConsole, log: RunningAudit) -> None:
    await append(log.database, *(change(f"c{number}") for number in range(60)))
    await beside.sign_in("auditor")
    first = await beside.page("/entries")
    assert rows(first) == list(range(59, 9, -1))
    [following] = re.findall(r'<a href="([^"]+)" rel="next">', first)
    second = await beside.page(following.replace("&amp;", "&"))
    assert rows(second) == list(range(9, -1, -1))
    assert "Back to the first page" in second


@pytest.mark.req("R0.4")
async def test_entries_are_filtered_by_subject_type_actor_and_day(beside: RunningConsole, log: RunningAudit) -> None:
    await append(log.database, change("c1"), change("c2"), change("c1", 3))
    await beside.sign_in("auditor")
    page = await beside.page("/entries", subject="customer/c1", type="customer.changed", actor="", since="x")
    assert rows(page) == [2, 0]
    assert 'value="customer/c1"' in page
    assert '<option value="customer.changed" selected>' in page
    assert rows(await beside.page("/entries", actor="staff/nobody")) == []
    tomorrow = (now() + timedelta(days=2)).date().isoformat()
    assert "No entry fits." in await beside.page("/entries", since=tomorrow)


@pytest.mark.req("R2.2")
async def test_a_grade_that_the_person_may_not_see_is_named_and_not_shown(
    beside: RunningConsole, log: RunningAudit
) -> None:
    event = grade_changed(grade="GRADE-1")
    await append(log.database, delivered(event, envelope(event, sequence=2)))
    await beside.sign_in("auditor")
    page = await beside.page("/entries/0")
    assert '<dt>Grade</dt><dd><span class="muted">not shown</span></dd>' in page
    assert "GRADE-1" not in page
    await beside.sign_in("general_manager")
    assert "GRADE-1" in await beside.page("/entries/0")


@pytest.mark.req("R0.4")
async def test_an_entry_is_shown_with_a_proof_that_the_console_verified(
    beside: RunningConsole, log: RunningAudit
) -> None:
    await append(log.database, *(change(f"c{number}") for number in range(9)))
    await beside.sign_in("auditor")
    assert "newer than the newest signed checkpoint" in await beside.page("/entries/3")
    await publish(log.database, log.settings)
    page = await beside.page("/entries/3")
    assert "The proof holds" in page
    assert "entry 3 is in the audit tree of 9 entries" in page
    assert "newest signed checkpoint of the log kehu.test/audit" in page


@pytest.mark.req("R2.1")
async def test_a_changed_tree_is_reported_not_hidden(beside: RunningConsole, log: RunningAudit) -> None:
    await append(log.database, *(change(f"c{number}") for number in range(4)))
    await publish(log.database, log.settings)
    async with log.database.transaction() as tx:
        await tx.execute("UPDATE tile SET hashes = set_byte(hashes, 64, get_byte(hashes, 64) # 255)")
    await beside.sign_in("auditor", "zh-CN")
    page = await beside.page("/entries/2")
    assert "证明不成立" in page
    assert "证明成立" not in page


@pytest.mark.req("R2.2")
async def test_values_are_shown_to_those_who_may_see_them(
    beside: RunningConsole, files: RunningCustomer, log: RunningAudit
) -> None:
    await append(log.database, change("c1"))
    await beside.sign_in("auditor")
    page = await beside.page("/entries/0")
    assert "Contact phone" in page
    assert "not shown" in page
    assert "The service that keeps the values does not answer" in page, "audit has no customer service beside it here"


@pytest.mark.req("R2.2")
async def test_who_may_not_read_entries_is_told_so(beside: RunningConsole, log: RunningAudit) -> None:
    await append(log.database, change("c1"))
    await beside.sign_in("customer_manager")
    for path in ("/entries", "/entries/live"):
        page = await beside.page(path)
        assert "Not allowed" in page
        assert rows(page) == []
    await beside.page("/entries/0", 403)
    assert 'href="/entries"' not in await beside.page("/"), "what one may not do is not offered"


async def test_an_entry_that_is_not_there_says_so(beside: RunningConsole) -> None:
    await beside.sign_in("auditor")
    assert "No such entry" in await beside.page("/entries/7", 404)


async def test_pages_stand_while_the_audit_service_is_away(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    for path in ("/entries", "/entries/live"):
        page = await alone.page(path)
        assert "The audit service does not answer" in page
        assert 'name="subject"' in page
