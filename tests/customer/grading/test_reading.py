"""Grades as far as their reader is cleared: what is withheld can neither be read nor be reckoned back."""

from typing import Any

import pytest

from tests.factories.customer import RunningCustomer, Served

MANAGEMENT = "retail-customer/dictionary/management.yaml"
RULE = "secrecy: {0}\n    maintained_by: customer_manager\n  - code: watchlisted"
LEVEL = (MANAGEMENT, RULE.format("confidential"), RULE.format("secret"))
"""The credit level becomes secret; customer managers are cleared for confidential."""
pytestmark = [pytest.mark.req("R2.2"), pytest.mark.req("R5.5")]


async def graded(service: RunningCustomer) -> str:
    """A customer with a grade, to which the credit level and the model shop count."""
    found = await service.register(credit_level="B", model_shop=True, business_area=90)
    await service.run_consumers()
    return f"/v1/customers/{found['id']}"


async def seen(service: RunningCustomer, path: str, role: str = "customer_manager") -> list[dict[str, Any]]:
    """The check as each surface shows it."""
    latest = (await service.get(f"{path}/grade", role)).json()
    [change] = (await service.get(f"{path}/grades", role)).json()["items"]
    return [latest, change]


def indicator(check: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in check["indicators"] if each["id"] == name)


async def test_a_withheld_value_cannot_be_told_from_points_words_or_score(served: Served) -> None:
    async with served(LEVEL) as service:
        path = await graded(service)
        for check in await seen(service, path):
            level = indicator(check, "credit_level")
            assert (level["value"], level["points"], level["withheld"]) == (None, None, True)
            assert level["text"] == {"zh": "诚信等级：（不公开），权重 10", "en": "Credit level: (withheld), weight 10"}
            assert (check["grade"], check["score"]) == ("E", None)
            assert "得分不公开" in check["text"]["zh"]
            assert "score withheld" in check["text"]["en"]
        [whole, _] = await seen(service, path, "department_manager")
        assert (indicator(whole, "credit_level")["points"], whole["text"]["en"][:6]) == ("80", "Score ")
        assert all(whole["score"] not in str(check) for check in await seen(service, path))


async def test_grades_of_a_policy_that_is_not_declared_any_more_tell_only_the_grade(service: RunningCustomer) -> None:
    path = await graded(service)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE grade SET policy_hash = 'former'")
    check = (await service.get(f"{path}/grade")).json()
    assert (check["grade"], check["score"], check["text"]) == ("E", None, None)
    assert {(each["value"], each["points"], each["text"]) for each in check["indicators"]} == {(None, None, None)}


async def test_grades_obey_the_level_that_an_item_has_today(served: Served) -> None:
    async with served() as service:
        path = await graded(service)
        for check in await seen(service, path):
            assert (indicator(check, "credit_level")["value"], check["score"] is None) == ("B", False)
    async with served(LEVEL, begins="2026-07-01") as service:
        assert "credit_level" in (await service.get(path, "customer_manager")).json()["withheld"]
        for check in await seen(service, path):
            assert (indicator(check, "credit_level")["value"], check["score"]) == (None, None)
            assert indicator(check, "model_shop")["value"] is True


async def test_an_item_that_the_dictionary_has_no_more_is_withheld_in_grades(served: Served) -> None:
    async with served() as service:
        path = await graded(service)
    async with served((MANAGEMENT, "code: model_shop", "code: model_store"), begins="2026-07-01") as service:
        for check in await seen(service, path, "department_manager"):
            assert (indicator(check, "model_shop")["value"], check["score"]) == (None, None)
            assert indicator(check, "credit_level")["value"] == "B"
