"""Old grades reckoned anew from what was kept: exactly, without the folder, and with every tampering seen."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from shared.events import GradeChanged
from tests.factories.customer import RunningCustomer, Served

GRADE = "retail-customer/grade/quarterly.yaml"
pytestmark = pytest.mark.req("R1.5")


async def graded(service: RunningCustomer) -> str:
    """A customer with purchases and two changes of grade."""
    found = await service.register(credit_level="A", business_area=90, settlement_method="electronic")
    rows = [
        {
            "source_id": f"{found['id']}-{month}", "customer_id": found["id"], "month": f"2026-{month:02}",
            "quantity": 90, "amount_fen": 9_000_001, "varieties": 31, "orders": 4, "orders_planned": 5,
            "payments_late": 1,
        }
        for month in range(3, 9)
    ]  # fmt: skip
    answer = await service.http.post(
        "/v1/dealings", json={"purchases": rows}, headers=service.as_("department_manager")
    )
    assert answer.status_code == 200, answer.text
    await service.run_consumers()
    await service.patch(found["id"], 1, credit_level="D", business_area=1, settlement_method="credit")
    await service.run_consumers()
    return str(found["id"])


async def reproduce(service: RunningCustomer, customer: str, serial: int, role: str = "auditor") -> dict[str, Any]:
    path = f"/v1/customers/{customer}/grades/{serial}/reproduce"
    answer = await service.http.post(path, headers=service.as_(role))
    return {"status": answer.status_code, **answer.json()}


async def tamper(service: RunningCustomer, *statements: str) -> None:
    """What somebody with the database's own password could do."""
    async with service.database.transaction() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await tx.execute(statement)


@pytest.fixture
def superuser(postgres: Any, dsn: str) -> None:
    """Only a superuser gets around the triggers that keep history."""
    postgres.execute(f"ALTER ROLE {urlsplit(dsn).username} SUPERUSER")


async def test_each_change_comes_out_as_it_was_stored(service: RunningCustomer) -> None:
    customer = await graded(service)
    for serial in (1, 2):
        found = await reproduce(service, customer, serial)
        assert (found["status"], found["reproduced"], found["differences"]) == (200, True, [])
        assert found["declared"] is True
    digests = [event.digest for _, event in await service.outbox(GradeChanged.type)]
    assert digests == [(await reproduce(service, customer, serial))["digest"] for serial in (1, 2)]


async def test_corrected_dealings_and_later_changes_leave_old_grades_as_they_were(service: RunningCustomer) -> None:
    customer = await graded(service)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE purchase SET amount_fen = 1, quantity = 1")
    await service.patch(customer, 2, business_area=300, credit_level="B")
    await service.run_consumers()
    assert [(await reproduce(service, customer, serial))["reproduced"] for serial in (1, 2)] == [True, True]


async def test_a_policy_that_left_the_folder_still_reckons(served: Served) -> None:
    async with served() as service:
        customer = await graded(service)
    changed = "below: 40, label"
    async with served((GRADE, changed, "below: 41, label")) as service:
        found = await reproduce(service, customer, 1)
        assert (found["reproduced"], found["declared"]) == (True, False)
        assert (await service.get(f"/v1/customers/{customer}/grades")).json()["items"][0]["score"] is None


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("UPDATE grade_change SET totals = jsonb_set(totals, '{3}', '\"999999.00\"')", "digest"),
        ("UPDATE grade_change SET grade = 'A'", "grade"),
        ("UPDATE grade_change SET score = score + 0.01", "score"),
        ("UPDATE grade_change SET course = jsonb_set(course, '{held}', '\"B\"')", "digest"),
        ("UPDATE grade_change SET indicators = jsonb_set(indicators, '{0,points}', '\"100\"')", "indicators"),
        ("UPDATE customer_event SET sealed = sealed || '\\x00'::bytea", "items"),
        (
            "UPDATE regime_text SET wording = jsonb_set(wording, '{least_weight}', '1') WHERE kind = 'grade'",
            "policy_text",
        ),
    ],
    ids=lambda each: each.split("SET")[-1][:20].strip() if " " in each else each,
)
async def test_tampering_is_seen(service: RunningCustomer, superuser: None, statement: str, seen: str) -> None:
    customer = await graded(service)
    await tamper(service, statement)
    found = await reproduce(service, customer, 1)
    assert (found["reproduced"], seen in found["differences"]) == (False, True), found


async def test_what_cannot_be_reckoned_anew_is_refused(service: RunningCustomer) -> None:
    customer = await graded(service)
    assert (await reproduce(service, customer, 9))["status"] == 404
    assert (await reproduce(service, customer, 1, "customer_manager"))["code"] == "not_allowed"
    elsewhere = service.as_("department_manager", "unit-2")
    path = f"/v1/customers/{customer}/grades/1/reproduce"
    assert (await service.http.post(path, headers=elsewhere)).status_code == 404
    erased = await service.http.request(
        "DELETE", f"/v1/customers/{customer}/key", json={"reason": "asked"}, headers=service.as_("security_officer")
    )
    assert erased.status_code < 300, erased.text
    assert (await reproduce(service, customer, 1))["code"] == "customer_erased"


async def test_a_grade_from_before_inputs_were_kept_says_so(service: RunningCustomer, superuser: None) -> None:
    customer = await graded(service)
    await tamper(service, "UPDATE grade_change SET basis = NULL")
    assert (await reproduce(service, customer, 1))["code"] == "grade_inputs_not_kept"


async def test_texts_are_kept_once(service: RunningCustomer) -> None:
    await graded(service)
    await graded(service)
    async with service.database.reading() as tx:
        kinds = [row["kind"] for row in await tx.fetch("SELECT kind FROM regime_text ORDER BY kind")]
        assert await tx.fetchval("SELECT count(*) FROM grade_basis") == 1
    assert kinds == ["dictionary"] * 6 + ["grade"]
