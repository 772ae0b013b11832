"""People within one's reach: the list, one person, and what somebody who leaves hands over."""

from datetime import timedelta

import pytest

from tests.factories.console import RunningConsole
from tests.factories.directory import TODAY, Directory

pytestmark = [pytest.mark.req("R15.3"), pytest.mark.req("R2.6")]
Staffed = tuple[RunningConsole, Directory]


async def as_root(staffed: Staffed, language: str = "en") -> RunningConsole:
    running, company = staffed
    await running.be("root", await company.root(), language)
    return running


async def announce(company: Directory, name: str, **more: str) -> None:
    body = {"last_day": (TODAY + timedelta(days=5)).isoformat(), **more}
    answer = await company.call(await company.root(), "POST", f"/v1/staff/{name}/leaving", body)
    assert answer.status_code == 200, answer.text


async def test_people_are_listed_within_ones_reach_and_filtered(staffed: Staffed) -> None:
    running, company = staffed
    page = await (await as_root(staffed)).page("/people")
    assert 'aria-current="page">People</a>' in page
    for name in ("root", "chief", "clerk", "other"):
        assert f'href="/people/{name}"' in page
    assert "north-1 (fictional)" in page
    page = await running.page("/people", role="customer_manager", unit="south-1")
    assert 'href="/people/other"' in page
    assert 'href="/people/clerk"' not in page
    assert '<option value="customer_manager" selected>' in page
    assert "Nobody fits" in await running.page("/people", state="left")
    await running.be("chief", await company.token("chief", "department_manager", "north", "north-1"), "zh-CN")
    page = await running.page("/people")
    assert 'href="/people/clerk"' in page
    assert 'href="/people/other"' not in page
    assert "在职" in page


async def test_a_filter_that_cannot_be_is_explained(staffed: Staffed) -> None:
    page = await (await as_root(staffed)).page("/people", state="asleep")
    assert 'role="alert"' in page
    assert 'name="unit"' in page


async def test_a_person_is_shown_with_posts_roles_lines_and_history(staffed: Staffed) -> None:
    _, company = staffed
    line = {"channel": "phone", "value": "0571-8888 0000", "holder": "clerk"}
    assert (await company.call(await company.root(), "POST", "/v1/lines", line)).status_code == 201
    page = await (await as_root(staffed)).page("/people/clerk")
    assert "<h1>clerk（虚构）</h1>" in page
    for shown in ("业务员", "Customer manager", "north-1 (fictional)", "Telephone", "Particulars", "In service"):
        assert shown in page, shown
    assert "8888" in page
    assert "To hand over" not in page
    history = page[page.index('id="history"') :]
    assert "Person joined" in history
    assert "Role: Customer manager, Unit: north-1 (fictional)" in history
    page = await (await as_root(staffed, "zh-CN")).page("/people/clerk")
    for shown in ("岗位", "客户经理", "电话", "员工登记", "按角色"):
        assert shown in page, shown
    assert "{" not in page[page.index('id="history"') :], "parts of values are told in words"


async def test_somebody_who_leaves_has_a_list_of_what_to_hand_over(staffed: Staffed) -> None:
    running, company = staffed
    await announce(company, "clerk")
    page = await (await as_root(staffed)).page("/people/clerk")
    assert "To hand over" in page
    assert f"{TODAY + timedelta(days=5)} is the last day" in page
    handed = page[page.index('id="hand-over"') : page.index('id="posts"')]
    assert "Nobody yet" in handed, "there is no successor"
    assert "Role: Customer manager" in handed
    await announce(company, "clerk", successor="peer")
    page = await running.page("/people/clerk")
    assert 'href="/people/peer"' in page
    assert '<span class="tag warn">Leaving</span>' in page


async def test_people_out_of_reach_are_not_there(staffed: Staffed) -> None:
    running, company = staffed
    await running.be("chief", await company.token("chief", "department_manager", "north", "north-1"))
    assert 'id="history"' not in await running.page("/people/clerk"), "the history is not for everybody"
    await running.page("/people/other", 404)
    await running.page("/people/nobody", 404)
    await running.page("/people/..%2Fme", 404)
    await running.page("/people/No%20Name", 422)


async def test_who_may_not_read_people_is_told_so_and_not_offered_it(staffed: Staffed) -> None:
    running, company = staffed
    await running.be("clerk", await company.token("clerk", "customer_manager", "north-1"))
    assert 'href="/people"' not in await running.page("/")
    assert "Not allowed" in await running.page("/people")
    await running.page("/people/peer", 403)


async def test_while_identity_is_away_the_page_says_so(alone: RunningConsole) -> None:
    await alone.sign_in("admin")
    page = await alone.page("/people")
    assert "The identity service does not answer" in page
    assert 'name="unit"' in page
