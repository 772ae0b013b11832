"""The roster: what a service knows of the directory, how fast, and whom it lets in (R2.6, R4.5)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from shared.auth import EFFECTS, Authenticator, Follower, Roster, forget_ended, roster_table
from shared.bus import Message, Transport, connect
from shared.db import Database
from shared.errors import Forbidden, Unauthenticated, Unavailable
from shared.events import (
    AccessRevoked,
    ClientChanged,
    Event,
    Held,
    OrgChanged,
    SessionEnded,
    StaffChanged,
    StaffJoined,
    StaffLeaving,
    StaffLeft,
    Standing,
)
from shared.inbox import Consumer, dispatch, inbox_tables
from shared.outbox import Outbox
from shared.regime import Regimes, Secrecy, load
from shared.settings import ServiceSettings
from tests.factories.waiting import until
from tests.fakes.issuer import Issuer

DAY = date(2026, 11, 24)
MOMENT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # 10:00 in China
REGIMES: Regimes = load(Path(__file__).parents[3] / "regimes")
pytestmark = pytest.mark.req("R2.6")


@pytest.fixture
async def database(fresh_database: Callable[[], str]) -> AsyncIterator[Database]:
    database = Database(fresh_database(), pool=4)
    await database.start()
    async with database.transaction() as tx:
        for table in (roster_table(MetaData()), *inbox_tables(MetaData())):
            await tx.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))
    yield database
    await database.close()


@pytest.fixture
async def transport(bus_dsn: str) -> AsyncIterator[Transport]:
    transport = connect("postgres", bus_dsn, partitions=1)
    await transport.start()
    yield transport
    await transport.close()


@pytest.fixture
def consumer(database: Database, transport: Transport, topic: str) -> Consumer:
    """Who fills the table, in a worker."""
    return Consumer("roster", [topic], dispatch("roster", EFFECTS), database=database, transport=transport)


async def tell(database: Database, *events: Event) -> None:
    """As the consumer does."""
    for event in events:
        envelope = Outbox("identity").envelope(event, feature="staff", subject="staff/x", actor="staff/admin")
        async with database.transaction() as tx:
            await EFFECTS[type(event)](tx, envelope, event)


async def known(database: Database, *events: Event) -> Roster:
    await tell(database, *events)
    return await follow(database, Roster())


async def follow(database: Database, roster: Roster) -> Roster:
    """Take in what is new in the table."""
    async with database.reading() as tx:
        roster.take(await tx.fetch("SELECT * FROM roster WHERE serial > $1 ORDER BY serial", roster.serial))
    return roster


def standing(name: str = "lu", version: int = 1, **more: Any) -> Standing:
    held = (Held(role="customer_manager", unit="east", from_on=date(2026, 1, 1)),)
    return Standing(**{"name": name, "unit": "east", "state": "active", "held": held, "first_day": date(2026, 1, 1),
                       "version": version, **more})  # fmt: skip


def org(unit: str, parent: str | None, version: int = 1) -> OrgChanged:
    return OrgChanged(unit=unit, parent=parent, kind="team", title={"zh": unit, "en": unit}, version=version)


def asker(
    issuer: Issuer, roster: Roster, moment: datetime | None = None, clock: Callable[[], datetime] | None = None
) -> Authenticator:
    known = {"database_url": "postgresql://nowhere", "bus_url": "postgresql://nowhere", "issuer": issuer.url}
    settings = ServiceSettings.model_validate(known)
    at = clock or (lambda: moment or datetime.now(UTC))  # noqa: TID251
    return Authenticator(settings, REGIMES, roster=roster, clock=at)


@pytest.fixture
def issuer() -> Any:
    with Issuer() as running:
        yield running


async def test_the_directory_counts_and_not_what_a_token_says_of_somebody_it_knows(
    database: Database, issuer: Issuer
) -> None:
    roster = await known(database, StaffJoined(standing=standing()))
    who = await asker(issuer, roster).principal(f"Bearer {issuer.token('lu', ['admin', 'auditor'], 'company')}")
    assert (who.unit, who.roles) == ("east", ("customer_manager",))
    assert not who.may("staff.change")


@pytest.mark.req("R2.2")
async def test_whoever_is_not_in_the_directory_may_nothing_whatever_their_token_says(
    database: Database, issuer: Issuer
) -> None:
    token = f"Bearer {issuer.token('fang', ['admin', 'auditor'], 'company')}"
    program = f"Bearer {issuer.token('p9', ['partner_reporter'], client_id='p9')}"
    roster = await known(database, StaffJoined(standing=standing()))
    for stranger in (token, program):
        with pytest.raises(Unavailable) as wait:
            await asker(issuer, roster).principal(stranger)
        assert (wait.value.code, wait.value.headers["Retry-After"]) == ("directory_incomplete", "2")
    roster.is_whole = True
    for stranger in (token, program):
        with pytest.raises(Forbidden) as refusal:
            await asker(issuer, roster).principal(stranger)
        assert refusal.value.code == "not_in_directory"


async def test_somebody_whose_row_can_no_longer_be_read_is_known_no_longer_and_all_others_are(
    database: Database, issuer: Issuer
) -> None:
    roster = await known(database, StaffJoined(standing=standing()), org("east", "company"), org("team", "east"))
    authenticator, token = asker(issuer, roster), f"Bearer {issuer.token('lu')}"
    roster.is_whole = True
    assert (await authenticator.principal(token)).may("customer.read")
    news = [
        {"kind": "person", "id": "lu", "data": {**standing(version=2).model_dump(mode="json"), "state": "lent"}},
        {"kind": "person", "id": "shen", "data": {**standing("shen").model_dump(mode="json"), "clearance": "cosmic"}},
        {"kind": "client", "id": "p1", "data": {"kind": "partner"}},
        {"kind": "unit", "id": "team", "data": None},
        {"kind": "key", "id": "00", "data": {}},
        {"kind": "session", "id": "s1", "data": {"until": "soon"}},
        {"kind": "revoked", "id": "gu", "data": []},
        {"kind": "planet", "id": "x", "data": {}},
        {"kind": "person", "id": "fang", "data": standing("fang").model_dump(mode="json")},
    ]
    roster.take({**row, "serial": 100 + number} for number, row in enumerate(news))
    assert (roster.serial, set(roster.people), roster.clients, roster.below("east")) == (108, {"fang"}, {}, {"east"})
    assert roster.is_revoked("anybody", "s1", 0)
    assert roster.is_revoked("gu", None, MOMENT.timestamp())
    with pytest.raises(Forbidden):
        await authenticator.principal(token)
    assert (await authenticator.principal(f"Bearer {issuer.token('fang')}")).may("customer.read")


async def test_it_is_usable_once_it_has_all_that_was_on_the_bus_and_only_while_it_is_read(
    database: Database, consumer: Consumer, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = Roster()
    follower = Follower(database, roster, consumer, poll_s=0.02)
    await follower.start()
    await asyncio.sleep(0.2)
    assert not roster.is_usable(), "nobody is known"
    (topic,) = consumer.topics
    await transport.ensure_topics([topic])
    await transport.publish([Message(topic, b"k", b"{}")])
    await tell(database, org("company", None))
    await asyncio.sleep(0.2)
    assert roster.serial
    assert not roster.is_usable(), "one event waits on the bus"
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO consumer_offset VALUES ($1, $2, 0, 1)", consumer.group, topic)

    async def is_usable() -> bool:
        return roster.is_usable()

    await until(is_usable)
    await transport.publish([Message(topic, b"k", b"{}")])
    await asyncio.sleep(0.1)
    assert roster.is_usable(), "what comes later is followed, not waited for"
    await follower.stop()
    monkeypatch.setattr("shared.auth.roster._STALE_S", 0.05)
    await asyncio.sleep(0.1)
    assert not roster.is_usable(), "nobody reads any more"


async def test_powers_are_worked_out_anew_for_those_alone_whom_the_news_concern(
    database: Database, issuer: Issuer
) -> None:
    roster = await known(database, org("east", None), StaffJoined(standing=standing()))
    authenticator, token = asker(issuer, roster), f"Bearer {issuer.token('lu', sid='s1')}"
    until = datetime.now(UTC) + timedelta(minutes=15)  # noqa: TID251
    before = await authenticator.principal(token)
    await tell(
        database,
        StaffJoined(standing=standing("fang")),
        SessionEnded(name="lu", session="s2", reason="signed_out", until=until),
        AccessRevoked(name="fang", issued_until=until, reason="password", until=until),
    )
    await follow(database, roster)
    assert await authenticator.principal(token) is before
    for news in (StaffChanged(standing=standing(version=2)), org("west", "east")):
        await tell(database, news)
        await follow(database, roster)
        after = await authenticator.principal(token)
        assert after is not before
        before = after
    assert before.scope("customer.read").units == {"east"}
    await tell(database, SessionEnded(name="lu", session="s1", reason="signed_out", until=until))
    await follow(database, roster)
    with pytest.raises(Unauthenticated):
        await authenticator.principal(token)


async def test_the_tree_grows_and_moves(database: Database) -> None:
    roster = await known(database, org("company", None), org("sales", "company"), org("east", "sales"))
    assert roster.below("company") == {"company", "sales", "east"}
    await tell(database, org("east", "company", 2), org("west", "east"))
    await follow(database, roster)
    assert roster.below("sales") == {"sales"}
    assert roster.below("east") == {"east", "west"}
    assert roster.below("nowhere") == {"nowhere"}


async def test_a_circle_in_the_tree_does_not_hang_anybody(database: Database) -> None:
    roster = await known(database, org("a", "b"), org("b", "a"))
    assert roster.below("a") == {"a", "b"}


async def test_news_that_comes_late_does_not_undo_what_is_newer(database: Database) -> None:
    left = standing(version=5, state="left")
    roster = await known(database, StaffLeft(standing=left), StaffChanged(standing=standing(version=4)))
    assert roster.people["lu"] == left


@pytest.mark.parametrize(
    ("more", "may"),
    [
        ({"last_day": DAY, "state": "leaving"}, True),
        ({"last_day": DAY - timedelta(days=1), "state": "leaving"}, False),
        ({"state": "left"}, False),
        ({"first_day": DAY}, True),
        ({"first_day": DAY + timedelta(days=1), "state": "expected"}, False),
    ],
)
async def test_a_leaver_reads_on_the_last_day_and_not_on_the_next(
    database: Database, issuer: Issuer, more: dict[str, Any], may: bool
) -> None:
    roster = await known(database, StaffLeaving(standing=standing(**more)))
    at = int(MOMENT.timestamp())
    token = issuer.token("lu", ["admin"], iat=at, auth_time=at, exp=at + 600)
    if may:
        assert (await asker(issuer, roster, MOMENT).principal(f"Bearer {token}")).may("customer.read")
        return
    with pytest.raises(Unauthenticated) as refusal:
        await asker(issuer, roster, MOMENT).principal(f"Bearer {token}")
    assert refusal.value.code == "access_ended"


async def test_a_remembered_token_ends_with_the_day_in_china(database: Database, issuer: Issuer) -> None:
    roster = await known(database, StaffLeaving(standing=standing(last_day=DAY, state="leaving")))
    moment = datetime(2026, 11, 24, 15, 59, 50, tzinfo=UTC)  # 23:59:50 in China
    at = int(moment.timestamp())
    token = f"Bearer {issuer.token('lu', iat=at, auth_time=at, exp=at + 600)}"
    authenticator = asker(issuer, roster, clock=lambda: moment)
    assert (await authenticator.principal(token)).may("customer.read")
    moment += timedelta(seconds=20)
    with pytest.raises(Unauthenticated):
        await authenticator.principal(token)


async def test_a_role_counts_from_its_first_day_to_its_last(database: Database, issuer: Issuer) -> None:
    held = (
        Held(role="auditor", unit="company", from_on=DAY + timedelta(days=1)),
        Held(role="admin", unit="company", from_on=date(2026, 1, 1), until_on=DAY - timedelta(days=1)),
        Held(role="department_manager", unit="east", from_on=DAY, until_on=DAY, deputy_for="shen"),
    )
    roster = await known(database, StaffChanged(standing=standing(held=held, clearance="internal")))
    at = int(MOMENT.timestamp())
    who = await asker(issuer, roster, MOMENT).principal(f"Bearer {issuer.token('lu', iat=at, exp=at + 600)}")
    assert who.roles == ("department_manager",)
    assert not who.clears("customer.read", Secrecy.CONFIDENTIAL)


@pytest.mark.req("R4.5")
async def test_a_deputy_does_not_act_as_custodian(database: Database, issuer: Issuer) -> None:
    """Whatever lent it: a directory file, or a role that has been kept in custody only since."""
    lent = Held(role="report_entry", unit="east", from_on=DAY, until_on=DAY, deputy_for="shen")
    at = int(MOMENT.timestamp())
    for held, may in ((lent, False), (lent.model_copy(update={"deputy_for": None}), True)):
        roster = await known(database, StaffChanged(standing=standing(held=(held,), version=1 + may)))
        who = await asker(issuer, roster, MOMENT).principal(f"Bearer {issuer.token('lu', iat=at, exp=at + 600)}")
        assert who.may("submission.create") is may


@pytest.mark.req("R4.5")
async def test_an_ended_sign_in_is_refused_at_once_and_a_new_one_is_not(
    database: Database, issuer: Issuer, consumer: Consumer
) -> None:
    roster = await known(database, StaffJoined(standing=standing()))
    authenticator = asker(issuer, roster)
    old, other = (f"Bearer {issuer.token('lu', sid=sid)}" for sid in ("s1", "s2"))
    await authenticator.principal(old)
    until = datetime.now(UTC) + timedelta(minutes=15)  # noqa: TID251
    await tell(database, SessionEnded(name="lu", session="s1", reason="signed_out", until=until))
    follower = Follower(database, roster, consumer, poll_s=0.02)
    await follower.start()
    with pytest.raises(Unauthenticated) as refusal:
        await authenticator.principal(old)
    assert refusal.value.code == "access_ended"
    assert (await authenticator.principal(other)).name == "lu"
    issued_until = datetime.now(UTC) + timedelta(seconds=1)  # noqa: TID251
    await tell(database, AccessRevoked(name="lu", issued_until=issued_until, reason="password", until=until))
    await asyncio.sleep(0.3)
    with pytest.raises(Unauthenticated):
        await authenticator.principal(other)
    later = int(issued_until.timestamp()) + 1
    assert (await authenticator.principal(f"Bearer {issuer.token('lu', iat=later, exp=later + 600)}")).name == "lu"
    await follower.stop()


@pytest.mark.req("R4.5")
async def test_a_revocation_tells_tokens_of_its_own_second_apart_if_their_issuer_does(
    database: Database, issuer: Issuer
) -> None:
    """The first of two revocations within a second must not save what was given between them from the second one."""
    second = int(datetime.now(UTC).timestamp())  # noqa: TID251
    first, last = (datetime.fromtimestamp(second + part, UTC) for part in (0.25, 0.2500005))
    until = first + timedelta(hours=8)
    revoked = [AccessRevoked(name="lu", issued_until=each, reason="locked", until=until) for each in (first, last)]
    by = asker(issuer, await known(database, StaffJoined(standing=standing()), *revoked))

    async def is_in(**claims: float) -> bool:
        try:
            return bool(await by.principal(f"Bearer {issuer.token('lu', iat=second, **claims)}"))
        except Unauthenticated as refusal:
            assert refusal.code == "access_ended"
            return False

    given = [last.timestamp() + part for part in (-0.1, 0, 0.1)]
    assert [await is_in(issued_at=each) for each in given] == [False, False, True]
    assert not await is_in(), "whole seconds only: it may have been given before"


@pytest.mark.req("R0.4")
async def test_a_closed_client_is_refused(database: Database, issuer: Issuer) -> None:
    client = ClientChanged(name="p1", kind="partner", unit="east", roles=("partner_reporter",), version=1)
    roster = await known(database, client)
    token = f"Bearer {issuer.token('p1', ['admin'], client_id='p1')}"
    assert (await asker(issuer, roster).principal(token)).roles == ("partner_reporter",)
    open_one = asker(issuer, roster).stand_in("p1", MOMENT)
    roster = await known(database, client.model_copy(update={"active": False, "version": 2}))
    closed = asker(issuer, roster).stand_in("p1", MOMENT)
    assert open_one is not None and closed is not None
    assert (bool(open_one.powers), bool(closed.powers)) == (True, False), "an explanation says what the door does"
    with pytest.raises(Unauthenticated):
        await asker(issuer, roster).principal(token)


async def test_revocations_are_forgotten_once_their_tokens_have_expired(database: Database) -> None:
    ended = SessionEnded(name="lu", session="s1", reason="signed_out", until=MOMENT)
    await tell(database, ended, ended.model_copy(update={"session": "s2", "until": MOMENT + timedelta(hours=1)}))
    async with database.transaction() as tx:
        assert await forget_ended(tx, MOMENT + timedelta(seconds=1)) == 1
    await tell(database, org("company", None))
    assert (await known(database)).serial == 3  # numbers of forgotten rows do not come again


async def test_memory_forgets_revocations_once_their_tokens_have_expired(database: Database) -> None:
    until = MOMENT + timedelta(minutes=15)
    ended = SessionEnded(name="lu", session="s1", reason="signed_out", until=until)
    revoked = AccessRevoked(name="lu", issued_until=MOMENT, reason="password", until=until)
    roster = await known(database, ended, revoked)
    for seconds, is_known in ((0, True), (1, False)):
        roster.forget_ended(until.timestamp() + seconds)
        assert roster.is_revoked("x", "s1", until.timestamp()) is is_known
        assert roster.is_revoked("lu", None, MOMENT.timestamp()) is is_known
