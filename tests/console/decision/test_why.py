"""Why somebody may do something, or not: as the service that would decide says."""

import pytest

from tests.factories.console import RunningConsole
from tests.factories.customer import RunningCustomer
from tests.factories.directory import Directory

pytestmark = [pytest.mark.req("R2.2"), pytest.mark.req("R15.3")]
Staffed = tuple[RunningConsole, Directory]


async def ask(staffed: Staffed, status: int = 200, language: str = "en", **asked: str) -> str:
    running, company = staffed
    await running.be("root", await company.root(), language)
    return await running.page("/why", status, **asked)


async def test_the_form_offers_what_is_declared_in_words(staffed: Staffed) -> None:
    page = await ask(staffed)
    assert 'aria-current="page">Why?</a>' in page
    assert '<optgroup label="Staff"><option value="staff.read">Staff: Look at people</option>' in page
    assert "They may" not in page
    assert "员工：查看" in await ask(staffed, language="zh-CN")


async def test_a_yes_and_a_no_are_explained_step_by_step(staffed: Staffed) -> None:
    page = await ask(staffed, name="chief", action="staff.read")
    assert "They may</strong>" in page
    assert page.count("<li>") >= 1
    assert "<code>department_manager</code>" in page
    assert '<option value="staff.read" selected>' in page
    page = await ask(staffed, name="clerk", action="staff.role.grant", language="zh-CN")
    assert "不可以</strong>" in page


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ({"name": "nobody", "action": "staff.read"}, "Nobody of that name"),
        ({"name": "chief", "action": "staff.fly"}, "No such action"),
        ({"name": "chief", "action": "no_such.read"}, "No such action"),
        ({"name": "chief", "action": "staff.read", "field": "x"}, "No subject"),
    ],
)
async def test_a_question_that_has_no_answer_is_told_why(staffed: Staffed, asked: dict[str, str], title: str) -> None:
    page = await ask(staffed, **asked)
    assert f"<strong>{title}</strong>" in page
    assert f'value="{asked["name"]}"' in page


async def test_the_service_that_keeps_the_resource_is_asked(staffed: Staffed) -> None:
    assert "The customer service does not answer" in await ask(staffed, name="clerk", action="customer.read")
    assert "The reporting service does not answer" in await ask(staffed, name="clerk", action="submission.read")
    assert "They may" in await ask(staffed, name="clerk", action="console.open"), "the console asks identity for itself"


async def test_a_question_about_one_customer_goes_to_the_customer_service(
    beside: RunningConsole, files: RunningCustomer
) -> None:
    customer = await files.register()
    await beside.sign_in("admin")
    page = await beside.page("/why", name="clerk", action="customer.read", id=customer["id"], field="contact_phone")
    assert "Nobody of that name" in page, "this customer service has an empty roster"


async def test_who_may_not_ask_is_told_so(staffed: Staffed) -> None:
    running, company = staffed
    await running.be("chief", await company.token("chief", "department_manager", "north"))
    assert 'href="/why' not in await running.page("/people/chief")
    assert "Not allowed" in await running.page("/why", name="clerk", action="staff.read")
