"""The due list and its counts: states, filters, pages, reach, who inherits; the same by whatever way it is read."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.customer.review import listing
from services.customer.review.listing import Span, Wanted
from shared.auth import Scope
from tests.customer.review.conftest import THIRD_QUARTER, TODAY, Register
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, stand

pytestmark = pytest.mark.req("R1.2")


async def tasks(service: RunningCustomer, role: str = "customer_manager", **query: Any) -> list[dict[str, Any]]:
    answer = await service.get("/v1/reviews", role, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def places(found: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return sorted((task["cadence"].partition("-")[0], task["due_on"], task["days_overdue"]) for task in found)


async def test_what_is_due_since_when_and_what_is_overdue(service: RunningCustomer, register: Register) -> None:
    found = await register(promotion="member", customer_manager="lu")
    overdue = await tasks(service, state="overdue")
    assert places(overdue) == [("file", "2026-09-30", 55), ("quarterly", "2026-09-30", 55)]
    quarterly = next(task for task in overdue if task["items"])
    assert (quarterly["customer"], quarterly["name"], quarterly["items"], quarterly["since"]) == (
        found["id"], "示例便利店", ["promotion"], "2026-07-01",
    )  # fmt: skip
    [static] = await tasks(service, state="due")
    assert (static["due_on"], static["since"], static["manager"]) == ("2026-12-31", "2026-07-01", "lu")
    assert {"shop_name", "address", "contact_person", "customer_code"} == set(static["items"])
    assert await tasks(service, state="upcoming") == []


async def test_values_whose_metadata_are_the_rows_default_count_like_any_other(
    service: RunningCustomer, register: Register
) -> None:
    found = await register(THIRD_QUARTER, promotion="member", visit_cycle=7)
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT meta FROM customer") == {}
    await service.patch(found["id"], 1, promotion="display")
    await service.run_consumers()
    due = {task["cadence"].partition("-")[0]: task["items"] for task in await tasks(service, state="due")}
    assert due == {"quarterly": ["visit_cycle"], "file": []}


async def test_filters_pages_and_order(service: RunningCustomer, register: Register) -> None:
    for manager in ("lu", "fang", "lu"):
        await register(customer_manager=manager, promotion="member")
    assert len(await tasks(service, state="overdue", manager="lu")) == 4
    assert len(await tasks(service, state="overdue", kind="retail", unit=UNIT)) == 6
    assert await tasks(service, state="overdue", kind="supplier") == []
    assert await tasks(service, state="overdue", unit=OTHER_UNIT) == []
    cadences = {task["cadence"] for task in await tasks(service, state="overdue")}
    [first] = [each for each in cadences if each.startswith("file")]
    assert {task["cadence"] for task in await tasks(service, state="overdue", cadence=first)} == {first}
    seen, cursor = [], None
    while True:
        query = {"state": "overdue", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await service.get("/v1/reviews", "customer_manager", **query)).json()
        seen += [(task["due_on"], task["customer"], task["cadence"]) for task in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert (len(seen), seen) == (6, sorted(set(seen)))
    for bad in ({"state": "late"}, {"cadence": "nope"}, {"cursor": "x"}):
        assert (await service.get("/v1/reviews", "customer_manager", **bad)).status_code == 422


async def test_a_new_manager_inherits_the_tasks_and_the_counts(service: RunningCustomer, register: Register) -> None:
    found = await register(customer_manager="lu")
    await service.patch(found["id"], 1, customer_manager="fang")
    await service.run_consumers()
    assert await tasks(service, state="overdue", manager="lu") == []
    assert len(await tasks(service, state="overdue", manager="fang")) == 1, "no quarterly item has a value"
    summary = (await service.get("/v1/reviews/summary", "customer_manager")).json()
    assert [row["manager"] for row in summary["items"]] == ["fang"]


async def test_counts_by_unit_and_manager_agree_with_the_list(service: RunningCustomer, register: Register) -> None:
    for manager, at in (("lu", None), ("lu", THIRD_QUARTER), ("fang", TODAY)):
        await register(*([at] if at else []), customer_manager=manager, promotion="member")
    summary = (await service.get("/v1/reviews/summary", "customer_manager")).json()
    for state in ("overdue", "due", "upcoming"):
        found = await tasks(service, state=state)
        assert summary[state] == len(found) > 0
        for row in summary["items"]:
            assert row[state] == len([task for task in found if task["manager"] == row["manager"]])
            assert row[state] == sum(each[state] for each in row["cadences"].values())
    one = (await service.get("/v1/reviews/summary", "customer_manager", manager="lu")).json()
    assert [row["manager"] for row in one["items"]] == ["lu"]


async def test_only_what_is_within_reach_is_listed_and_counted(service: RunningCustomer, register: Register) -> None:
    await register(customer_manager="lu")
    stranger = service.as_("customer_manager", OTHER_UNIT)
    for state in ("overdue", "due"):
        assert (await service.http.get("/v1/reviews", params={"state": state}, headers=stranger)).json()["items"] == []
    assert (await service.http.get("/v1/reviews/summary", headers=stranger)).json()["items"] == []
    stand(service, "lu", ("customer_manager", OTHER_UNIT))
    assert (await service.http.get("/v1/reviews", headers=service.as_("x", name="lu"))).json()["items"] == []
    assert (await service.get("/v1/reviews", "admin")).status_code == 403


async def test_an_erased_file_has_no_tasks(service: RunningCustomer, register: Register) -> None:
    found = await register()
    path, body = f"/v1/customers/{found['id']}/key", {"reason": "asked for"}
    answer = await service.http.request("DELETE", path, json=body, headers=service.as_("security_officer"))
    assert answer.status_code == 204
    assert await tasks(service, state="overdue") == []
    await service.run_consumers()
    summary = (await service.get("/v1/reviews/summary", "customer_manager")).json()
    assert (summary["overdue"], summary["items"]) == (0, [])


async def test_every_way_of_reading_gives_the_same_page(
    service: RunningCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, days = [f"u{n}" for n in range(7)], [date(2026, 9, 30), date(2026, 12, 31), date(2027, 3, 31)]
    async with service.database.transaction() as tx:
        await tx.execute("ALTER TABLE review_due DROP CONSTRAINT review_due_customer_id_fkey")
        rows = [
            (uuid4(), name, "retail", units[n % 7], f"m{n % 5}", day, day, False)
            for n, name in enumerate(("one", "two") * 60)
            for day in (days[n % 3],)
        ]
        columns = ("customer_id", "cadence", "kind", "unit", "manager", "opens_on", "due_on", "told")
        await tx.copy("review_due", columns, rows)
        spans = [Span("one", days[0], days[1]), Span("two", None, days[2])]
        for reach in (
            Scope(units=frozenset(units[1:4])),
            Scope(units=frozenset(units[:2]), assigned_to=frozenset({"m1"})),
        ):
            for manager in (None, "m1"):
                wanted = Wanted(reach, spans, manager=manager)
                whole = [
                    place(row) for row in rows
                    if reach.reaches(row[3], row[4]) and (manager is None or row[4] == manager)
                    and (row[6] <= days[1] if row[1] == "one" else True)
                ]  # fmt: skip
                for walk in (4_000, 3):
                    monkeypatch.setattr(listing, "_WALK", walk)
                    assert await walked(tx, wanted) == sorted(whole), (reach, manager, walk)


def place(row: tuple[Any, ...]) -> tuple[date, UUID, str]:
    return row[6], row[0], row[1]


async def walked(tx: Any, wanted: Wanted) -> list[tuple[date, UUID, str]]:
    """All pages of seven, one after the other."""
    found: list[tuple[date, UUID, str]] = []
    while True:
        after = found[-1] if found else None
        asked = Wanted(wanted.scope, wanted.spans, wanted.manager, after=after)
        rows = await listing.page(tx, asked, 7)
        found += [(row["due_on"], UUID(str(row["customer_id"])), row["cadence"]) for row in rows]
        if len(rows) < 7:
            return found
