"""Explanations tell who reaches a subject why, and nobody else that it is there, nor what fields it has (R2.2)."""

from typing import Any

import pytest

from tests.shared.web.conftest import Site

pytestmark = pytest.mark.req("R2.2")


@pytest.fixture
def known(site: Site) -> Site:
    """The site, which knows somebody with the tester's role."""
    held = [{"role": "tester", "unit": "unit-1", "from_on": "2020-01-01"}]
    person = {"name": "lu", "unit": "unit-1", "state": "active", "held": held, "first_day": "2020-01-01", "version": 1}
    site.authenticator.roster.take([{"kind": "person", "id": "lu", "data": person, "serial": 1}])
    return site


async def ask(site: Site, **query: str) -> tuple[int, dict[str, Any]]:
    asked = {"name": "lu", "action": "thing.read", **query}
    answer = await site.client.get("/v1/decisions", params=asked, headers=site.bearer())
    return answer.status_code, answer.json()


async def test_who_reaches_a_subject_is_told_why(known: Site) -> None:
    status, yes = await ask(known, subject="thing/unit-1", field="weight")
    assert (status, yes["allowed"], yes["reasons"][-1]["code"]) == (200, True, "shown")
    assert (await ask(known, subject="thing/unit-1", field="price"))[1]["reasons"][-1]["code"] == "above_clearance"
    assert (await ask(known, subject="thing/unit-1", field="colour"))[1]["code"] == "unknown_field"


async def test_out_of_reach_and_not_there_are_told_alike_whatever_field_is_asked_for(known: Site) -> None:
    answers = [
        await ask(known, subject=f"thing/{thing}", **field)
        for thing in ("unit-2", "nothing")
        for field in ({}, {"field": "weight"}, {"field": "colour"})
    ]
    assert {(status, body["code"], body["detail"]) for status, body in answers} == {
        (404, "not_found", "There is no such record, or it is not yours to see.")
    }
    assert await known.rows("outbox") == len(answers), "each is recorded, and so none is quicker"
