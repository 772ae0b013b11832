"""What was kept long enough goes: answers after a day, seen event ids after a month; all else stays."""

from datetime import timedelta

from shared.clock import now
from shared.db import Database
from shared.ids import first_id_at, new_id, time_of
from shared.upkeep import drop_old

_ANSWER = """
INSERT INTO idempotency (caller, key, request_sha256, status, headers, body, at) VALUES ('a', $1, '', 201, '{}', '', $2)
"""


async def test_old_answers_and_seen_ids_are_dropped_and_nothing_else(database: Database) -> None:
    moment = now()
    old_id, young_id = first_id_at(moment - timedelta(days=31)), new_id()
    async with database.transaction() as tx:
        await tx.execute(_ANSWER, "old", moment - timedelta(hours=25))
        await tx.execute(_ANSWER, "young", moment - timedelta(hours=23))
        for group, event_id in (("ours", old_id), ("ours", young_id), ("theirs", old_id)):
            await tx.execute("INSERT INTO consumed (consumer_group, event_id) VALUES ($1, $2)", group, event_id)
    assert await drop_old(database, ["ours"]) == 2
    async with database.reading() as tx:
        assert [row[0] for row in await tx.fetch("SELECT key FROM idempotency")] == ["young"]
        left = await tx.fetch("SELECT consumer_group, event_id FROM consumed ORDER BY 1")
        assert [tuple(map(str, row.values())) for row in left] == [("ours", str(young_id)), ("theirs", str(old_id))]


def test_the_first_id_of_a_moment_sorts_before_the_ids_made_then() -> None:
    fresh = new_id()
    made_at = time_of(fresh)
    assert made_at is not None
    assert first_id_at(made_at) < fresh < first_id_at(made_at + timedelta(milliseconds=1))
