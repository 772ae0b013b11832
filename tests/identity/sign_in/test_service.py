"""What is left of failures after a while."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.identity.account.guard import Guard
from services.identity.app import compose
from shared.clock import now
from tests.factories.identity import KEK, RunningIdentity, directory_file, patient, regimes_with, running

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


async def test_old_failures_are_forgotten_by_the_job(identity: RunningIdentity) -> None:
    await identity.sign_in("staff", "wrong password")
    job = next(job for job in compose(identity.settings).jobs if job.name == "forget-failed-sign-ins")
    async with identity.database.transaction() as tx:
        assert await job.due(tx, now()) == 0
        assert await job.due(tx, now() + timedelta(hours=2)) == 2
        assert await tx.fetchval("SELECT count(*) FROM sign_in_failure") == 0


async def test_after_a_while_without_failures_counting_starts_afresh(identity: RunningIdentity) -> None:
    await identity.sign_in("staff", "wrong password")
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE sign_in_failure SET failures = 40, forgotten_at = now()")
    await identity.sign_in("staff", "wrong password")
    async with identity.database.reading() as tx:
        assert {row["failures"] for row in await tx.fetch("SELECT failures FROM sign_in_failure")} == {1}


@pytest.mark.req("R4.5")
async def test_an_address_that_many_people_share_does_not_add_up_their_failures_for_ever(
    identity: RunningIdentity,
) -> None:
    """One of many fails every few minutes, all day: the address never waits. Each hour is counted by itself."""
    guard = Guard(identity.parts.regimes, lambda: b"key", queue=1)
    async with identity.database.transaction() as tx:
        for turn in range(160):
            moment = AT + turn * timedelta(minutes=3)
            assert await guard.wait_of(tx, f"name-{turn}", "192.0.2.1", moment) == 0
            await guard.failed(tx, f"name-{turn}", "192.0.2.1", moment)
        for turn in range(50):
            await guard.failed(tx, f"guess-{turn}", "192.0.2.2", AT + turn * timedelta(minutes=1))
        assert await guard.wait_of(tx, "anybody", "192.0.2.2", AT + timedelta(minutes=49)) > 0


@pytest.mark.req("R4.5")
async def test_a_name_that_fails_again_and_again_is_not_forgotten(identity: RunningIdentity) -> None:
    guard = Guard(identity.parts.regimes, lambda: b"key", queue=1)
    moment = AT
    async with identity.database.transaction() as tx:
        for turn in range(20):
            moment += timedelta(minutes=50)
            assert await guard.wait_of(tx, "staff", f"192.0.2.{turn}", moment) == 0
            await guard.failed(tx, "staff", f"192.0.2.{turn}", moment)
        assert await guard.wait_of(tx, "staff", "192.0.2.99", moment) == 15 * 60


@pytest.mark.req("R4.5")
async def test_another_key_encryption_key_opens_nothing_that_is_locked(identity_dsn: str, tmp_path: Path) -> None:
    fresh = f"k2:{base64.b64encode(b'identity test key number two 32!').decode()}"
    figures = {"free_failures_of_name": 1, "lock_first": 600}
    async with patient(identity_dsn, tmp_path, **figures) as identity:
        assert (await identity.knock("staff", "wrong password")).status_code == 401
    file, regimes = directory_file(tmp_path), regimes_with(tmp_path, **figures)
    for kek in (f"{fresh},{KEK}", fresh):
        async with running(identity_dsn, directory_file=file, regimes_path=regimes, kek=kek) as identity:
            assert (await identity.knock("staff")).status_code == 429
            async with identity.database.transaction() as tx:
                for job in compose(identity.settings).jobs:
                    if job.name == "rewrap-seed":
                        await job.due(tx, now())
                await tx.execute("DELETE FROM signing_key")  # another one is due by the way that is documented
