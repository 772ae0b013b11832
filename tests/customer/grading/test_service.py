"""Explanations, rounds over all customers, and checks that do not interleave."""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from services.customer.grading.service import Grading
from shared.events import GradeChanged
from tests.factories.customer import RunningCustomer, Served

GRADED = GradeChanged.type
NOVEMBER = datetime(2026, 11, 24, 8, tzinfo=UTC)
JANUARY = datetime(2027, 1, 2, 8, tzinfo=UTC)
JULY, OCTOBER = datetime(2026, 7, 2, 8, tzinfo=UTC), datetime(2026, 10, 2, 8, tzinfo=UTC)
POLICY = "retail-customer/grade/quarterly.yaml"


def grading_of(service: RunningCustomer) -> Grading:
    """The service's own grading, as its job holds it."""
    [job] = [job for job in service.parts.jobs if job.name == "grades_due"]
    return job.due.__self__


async def rounds(service: RunningCustomer, at: datetime, limit: int = 500) -> list[int]:
    done = []
    while True:
        async with service.database.transaction() as tx:
            done.append(await grading_of(service).round_due(tx, at, limit=limit))
        if not done[-1]:
            return done


@pytest.mark.req("R1.5")
async def test_a_grade_explains_itself_in_two_languages(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A", business_area=90)
    await service.run_consumers()
    grade = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    assert f"等级 {grade['grade']}" in grade["text"]["zh"]
    assert f"grade {grade['grade']}" in grade["text"]["en"]
    level = next(each for each in grade["indicators"] if each["id"] == "credit_level")
    assert (level["value"], level["points"], level["withheld"]) == ("A", "100", False)
    assert level["text"] == {"zh": "诚信等级：A，100 分，权重 10", "en": "Credit level: A, 100 points, weight 10"}
    trend = next(each for each in grade["indicators"] if each["id"] == "purchase_trend")
    assert (trend["value"], trend["points"]) == (None, None)
    assert "不计入" in trend["text"]["zh"]
    assert "credit_level" in (await service.outbox("access.read"))[-1][1].items


@pytest.mark.req("R1.5")
async def test_every_change_of_grade_is_kept_with_its_explanation(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A", business_area=90, settlement_method="electronic")
    await service.run_consumers()
    await service.patch(customer["id"], 1, credit_level="D", business_area=1, settlement_method="credit")
    await service.run_consumers()
    page = (await service.get(f"/v1/customers/{customer['id']}/grades", limit=1)).json()
    [latest] = page["items"]
    rest = (await service.get(f"/v1/customers/{customer['id']}/grades", cursor=page["next_cursor"])).json()
    [first] = rest["items"]
    assert (first["serial"], first["before"], first["customer_version"]) == (1, None, 1)
    assert (latest["serial"], latest["before"], latest["customer_version"]) == (2, first["grade"], 2)
    assert rest["next_cursor"] is None
    events = await service.outbox(GRADED)
    assert [(envelope.sequence, event.before, event.grade) for envelope, event in events] == [
        (1, None, first["grade"]),
        (2, first["grade"], latest["grade"]),
    ]


async def test_a_check_on_demand_counts_like_any_other(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A", business_area=90, settlement_method="electronic")
    path = f"/v1/customers/{customer['id']}/grade/recheck"
    first = await service.http.post(path, headers=service.as_("department_manager"))
    assert (first.status_code, first.json()["serial"], first.json()["customer_version"]) == (200, 1, 1)
    await service.patch(customer["id"], 1, credit_level="D", business_area=1, settlement_method="credit")
    second = await service.http.post(path, headers=service.as_("department_manager"))
    assert (second.json()["serial"], second.json()["customer_version"]) == (2, 2)
    assert second.json()["grade"] != first.json()["grade"]
    await service.run_consumers()
    assert len(await service.outbox(GRADED)) == 2, "the bus brings nothing new"
    refused = await service.http.post(path, headers=service.as_("customer_manager"))
    assert refused.status_code == 403


@pytest.mark.req("R1.5")
async def test_each_quarter_every_customer_is_checked_once_batch_by_batch(service: RunningCustomer) -> None:
    for _ in range(5):
        await service.register(credit_level="A")
    assert await rounds(service, NOVEMBER, limit=2) == [2, 2, 1, 0]
    assert len(await service.outbox(GRADED)) == 5
    assert await rounds(service, NOVEMBER, limit=2) == [0]
    assert await rounds(service, JANUARY, limit=2) == [2, 2, 1, 0]
    assert len(await service.outbox(GRADED)) == 5, "same grades, no news"
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM grade WHERE checked_at = $1", JANUARY) == 5


async def test_a_round_goes_on_where_it_was_stopped(service: RunningCustomer) -> None:
    for _ in range(4):
        await service.register()
    async with service.database.transaction() as tx:
        assert await grading_of(service).round_due(tx, NOVEMBER, limit=2) == 2
    with pytest.raises(RuntimeError):
        async with service.database.transaction() as tx:
            await grading_of(service).round_due(tx, NOVEMBER, limit=2)
            raise RuntimeError("stopped before the commit")
    assert await rounds(service, NOVEMBER, limit=2) == [2, 0]
    assert len(await service.outbox(GRADED)) == 4


@pytest.mark.req("R0.3")
async def test_checks_of_one_customer_do_not_interleave_and_changes_meanwhile_are_seen(
    service: RunningCustomer,
) -> None:
    customer = await service.register(credit_level="A", business_area=90)

    async def check() -> None:
        async with service.database.transaction() as tx:
            await grading_of(service).recheck(tx, [ids], NOVEMBER)

    async with service.database.reading() as tx:
        ids = await tx.fetchval("SELECT id FROM customer")
    levels = ("B", "C", "D", "A", "D")
    patches = (service.patch(customer["id"], n, credit_level=level) for n, level in enumerate(levels, start=1))

    async def changes() -> None:
        for patch in patches:
            assert (await patch).status_code == 200
            await check()

    await asyncio.gather(changes(), *(check() for _ in range(6)))
    events = await service.outbox(GRADED)
    assert [envelope.sequence for envelope, _ in events] == list(range(1, len(events) + 1))
    for (_, one), (_, after) in itertools.pairwise(events):
        assert after.before == one.grade
        assert after.customer_version >= one.customer_version
    grade = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    assert grade["customer_version"] == 6
    assert grade["grade"] == events[-1][1].grade == (await service.file(customer["id"]))["grade"]


@pytest.mark.req("R1.5")
async def test_each_quarter_keeps_the_grade_that_its_round_gave(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A", business_area=90, settlement_method="electronic")
    await rounds(service, NOVEMBER)
    await service.patch(customer["id"], 1, credit_level="D", business_area=1, settlement_method="credit")
    await service.run_consumers()
    await rounds(service, NOVEMBER)
    await rounds(service, JANUARY)
    path = f"/v1/customers/{customer['id']}/grades/quarters"
    page = (await service.get(path, limit=1)).json()
    [first] = (await service.get(path, cursor=page["next_cursor"])).json()["items"]
    [latest] = page["items"]
    assert (first["quarter"], first["customer_version"], first["serial"]) == ("2026Q4", 1, 1)
    assert (latest["quarter"], latest["customer_version"]) == ("2027Q1", 2)
    assert latest["policy_version"] == "2027-01-01"
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM grade_quarter") == 2


async def test_a_check_that_finds_nothing_different_writes_only_its_moment(service: RunningCustomer) -> None:
    await service.register(credit_level="A")
    await rounds(service, NOVEMBER)
    query = "SELECT to_jsonb(g) - 'checked_at' FROM grade g"
    async with service.database.transaction() as tx:
        before = await tx.fetchval(query)
        await tx.execute("UPDATE grade SET digest = 'not written again'")
        [customer_id] = [row["id"] for row in await tx.fetch("SELECT id FROM customer")]
        await grading_of(service).recheck(tx, [customer_id], JANUARY.replace(year=2026, month=12))
        assert {**await tx.fetchval(query), "digest": before["digest"]} == before
        assert await tx.fetchval("SELECT digest FROM grade") == "not written again"


@pytest.mark.req("R1.5")
async def test_a_policy_in_yaml_alone_holds_back_a_grade_explains_it_and_moves_it_with_the_quarter(
    served: Served,
) -> None:
    patience = "hysteresis:\n  up: {margin: 2, quarterly: true}\n  down: {margin: 20}\n\nexamples:"
    async with served((POLICY, "\nexamples:", f"\n{patience}"), begins="2026-04-01") as service:
        customer = await service.register(settlement_method="electronic", business_area=90)
        await rounds(service, JULY)
        path = f"/v1/customers/{customer['id']}/grade"
        assert (await service.get(path)).json()["grade"] == "E"
        await service.patch(customer["id"], 1, credit_level="A", model_shop=True, terminal_equipped=True)
        await service.run_consumers()
        held = (await service.get(path, lang="zh")).json()
        assert (held["grade"], held["by_score"], held["settled"]) == ("E", "D", "E")
        assert "只在季度评定时变动" in held["course"]["zh"]
        assert held["course"]["zh"] in held["sentences"]
        assert (held["next"]["grade"], held["next"]["missing"]) == ("D", "0")
        await rounds(service, JULY)
        assert (await service.get(path)).json()["grade"] == "E", "the round of this quarter has been"
        await rounds(service, OCTOBER)
        moved = await service.http.get(path, headers={**service.as_("department_manager"), "Accept-Language": "zh-CN"})
        assert moved.json()["grade"] == "D"
        assert "已越过等级界限" in moved.json()["course"]["zh"]
        assert moved.json()["sentences"][0] == moved.json()["text"]["zh"]
