"""What is left of failures after a while."""

from datetime import timedelta

from services.identity.app import compose
from shared.clock import now
from tests.factories.identity import RunningIdentity


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
        await tx.execute("UPDATE sign_in_failure SET failures = 40, last_failed_at = now() - interval '2 hours'")
    await identity.sign_in("staff", "wrong password")
    async with identity.database.reading() as tx:
        assert {row["failures"] for row in await tx.fetch("SELECT failures FROM sign_in_failure")} == {1}
