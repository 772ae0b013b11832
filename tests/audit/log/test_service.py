"""Appending over a real PostgreSQL: once, in order, whatever is delivered again; checkpoints and proofs over it."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from services.audit.log import repository, rules, service, tree
from services.audit.log.note import Checkpoint, open_note
from services.audit.log.tiles import unpack
from shared.db import Database, is_passing
from shared.errors import Invalid, NotFound
from tests.factories import audit
from tests.factories.audit import AT, ORIGIN, append, change, changes, garbage, publish


async def leaves_of(database: Database) -> list[bytes]:
    async with database.reading() as tx:
        return [leaf for row in await tx.fetch("SELECT data FROM leaf ORDER BY first") for leaf in unpack(row["data"])]


async def head_of(database: Database) -> tree.Frontier:
    async with database.reading() as tx:
        return await repository.head(tx, ORIGIN)


@pytest.mark.req("R0.2")
async def test_batches_of_any_size_make_the_tree_of_their_leaves(database: Database) -> None:
    events = changes(900)
    for start, end in ((0, 1), (1, 256), (256, 257), (257, 300), (300, 900)):
        appended = await append(database, *events[start:end])
        assert (appended.before, appended.size) == (start, end)
    leaves = await leaves_of(database)
    frontier, levels = tree.append(tree.Frontier(), [tree.leaf_hash(leaf) for leaf in leaves])
    assert await head_of(database) == frontier
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT level, number, length(hashes) AS length FROM tile ORDER BY 1, 2")
        ids = [row["event_id"] for row in await tx.fetch("SELECT event_id FROM entry ORDER BY index")]
    assert [tuple(row) for row in rows] == [(0, 0, 8192), (0, 1, 8192), (0, 2, 8192), (0, 3, 132 * 32), (1, 0, 96)]
    assert [str(each) for each in ids] == [dict(event.headers)["ce_id"].decode() for event in events]
    assert len(levels[0]) == 900


@pytest.mark.req("R0.2")
async def test_a_batch_delivered_again_leaves_the_log_as_it_is(database: Database) -> None:
    events = changes(50)
    await append(database, *events)
    before = await head_of(database)
    again = await append(database, *events)
    assert (again.size, again.duplicates, again.contradicting) == (50, 50, ())
    assert await head_of(database) == before


@pytest.mark.req("R0.2")
async def test_only_what_is_new_of_an_overlapping_batch_is_appended(database: Database) -> None:
    events = changes(60)
    await append(database, *events[:40])
    overlapping = await append(database, *events[20:60], *events[50:55])
    assert (overlapping.before, overlapping.size, overlapping.duplicates) == (40, 60, 25)
    async with database.reading() as tx:
        indexes = [row["index"] for row in await tx.fetch("SELECT index FROM entry ORDER BY index")]
    assert indexes == list(range(60))


async def test_another_event_under_a_stored_id_contradicts(database: Database) -> None:
    first = change(version=2)
    await append(database, first)
    event_id = rules.record_of(first, AT, b"").columns.event_id
    other = change("c2", 9, event_id=rules.UUID(event_id))
    appended = await append(database, other, change(version=3))
    assert [record.delivery for record in appended.contradicting] == [other]
    assert appended.size == 2


async def test_another_event_for_the_same_version_of_a_subject_contradicts(database: Database) -> None:
    await append(database, change(version=2))
    rival = change(version=2)
    assert [record.delivery for record in (await append(database, rival)).contradicting] == [rival]
    both = [change("c5", 2), change("c5", 2)]
    assert [record.delivery for record in (await append(database, *both)).contradicting] == both[1:]


async def test_events_without_a_sequence_never_contradict(database: Database) -> None:
    events = [audit.delivered(e := audit.changed(), audit.envelope(e)) for _ in range(3)]
    assert (await append(database, *events)).size == 3


@pytest.mark.req("R0.2")
async def test_an_undecodable_message_is_an_entry_with_its_raw_bytes(database: Database) -> None:
    message = garbage(b"\xff\x00 no json")
    appended = await append(database, message, change())
    assert (appended.size, [record.delivery for record in appended.undecodable]) == (2, [message])
    async with database.reading() as tx:
        row = await tx.fetchrow("SELECT class, payload FROM entry WHERE index = 0")
    assert row is not None and row["class"] == "undecodable"
    assert orjson.loads(row["payload"])["value"] == "/wAgbm8ganNvbg=="
    again = await append(database, message)
    assert (again.size, again.duplicates, again.undecodable) == (2, 1, ())


@pytest.mark.req("R0.2")
async def test_receiving_parks_the_undecodable_and_refuses_the_contradicting(database: Database) -> None:
    async with database.transaction() as tx:
        await service.receive(tx, ORIGIN, "audit", [change(version=2), garbage()], AT)
    async with database.reading() as tx:
        letters = await tx.fetch("SELECT consumer_group, error FROM dead_letter")
    assert [tuple(row) for row in letters] == [("audit", "Undecodable")]
    with pytest.raises(service.errors.Contradiction):
        async with database.transaction() as tx:
            await service.receive(tx, ORIGIN, "audit", [change(version=3), change(version=2)], AT)
    assert (await head_of(database)).size == 2


async def test_two_writers_at_once_make_one_log(database: Database) -> None:
    batches = [[change(f"w{w}b{b}", 2 + i) for i in range(20)] for w in range(4) for b in range(5)]
    await asyncio.gather(*(append(database, *batch) for batch in batches))
    frontier, _ = tree.append(tree.Frontier(), [tree.leaf_hash(leaf) for leaf in await leaves_of(database)])
    assert frontier.size == 400
    assert await head_of(database) == frontier


async def test_a_writer_whose_head_moved_changes_nothing(database: Database) -> None:
    await append(database, *changes(3))
    stale = tree.Frontier()
    with pytest.raises(repository.HeadMoved):
        async with database.transaction() as tx:
            await repository.move_head(tx, ORIGIN, stale, tree.append(stale, [b"x" * 32])[0])
    assert (await head_of(database)).size == 3


async def test_the_log_stands_still_when_its_tiles_do_not_fit_its_head(database: Database) -> None:
    await append(database, *changes(3))
    async with database.transaction() as tx:
        await tx.execute("UPDATE tile SET hashes = substr(hashes, 1, 64)")
    with pytest.raises(repository.HeadMoved) as refusal:
        await append(database, change("c9", 2))
    assert is_passing(refusal.value), "the consumer must wait for people, not park events"
    assert (await head_of(database)).size == 3


async def test_an_append_that_is_not_committed_leaves_nothing(database: Database) -> None:
    class Crash(Exception):
        pass

    with pytest.raises(Crash):
        async with database.transaction() as tx:
            await service.append(tx, ORIGIN, changes(10), AT)
            raise Crash
    assert await leaves_of(database) == []
    assert (await append(database, *changes(10))).size == 10


async def test_a_checkpoint_is_signed_once_for_each_size(database: Database, dsn: str) -> None:
    settings = audit.settings_of(dsn)
    await append(database, *changes(5))
    note = await publish(database, settings)
    async with database.transaction() as tx:
        assert not await service.publish_checkpoint(tx, settings.signer, AT)
    checkpoint = Checkpoint.parse(open_note(note, settings.verifiers).text)
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 5)
    assert checkpoint.root == (await head_of(database)).root
    await append(database, change("later", 2))
    assert Checkpoint.parse(open_note(await publish(database, settings), settings.verifiers).text).size == 6
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM checkpoint") == 2


async def test_an_empty_log_has_no_checkpoint_yet(database: Database) -> None:
    async with database.reading() as tx:
        with pytest.raises(NotFound, match="no_checkpoint"):
            await service.checkpoint(tx)


async def test_every_entry_is_proved_at_every_later_size(database: Database) -> None:
    await append(database, *changes(300))
    leaves = [tree.leaf_hash(leaf) for leaf in await leaves_of(database)]
    async with database.reading() as tx:
        for index, size in ((0, 1), (0, 300), (299, None), (255, 256), (256, 257), (17, 290)):
            proof = await service.inclusion(tx, ORIGIN, index, size)
            assert proof.leaf_hash == leaves[index]
            assert proof.root == tree.append(tree.Frontier(), leaves[: proof.size])[0].root
            assert tree.includes(proof.root, proof.size, index, proof.leaf_hash, proof.path)
        for old, new in ((1, 300), (256, 257), (255, None), (300, 300)):
            grown = await service.consistency(tx, ORIGIN, old, new)
            assert tree.extends(grown.old_root, grown.old, grown.new_root, grown.new, grown.path)
            assert grown.old_root == tree.append(tree.Frontier(), leaves[:old])[0].root


@pytest.mark.parametrize(("index", "size"), [(3, 3), (0, 4), (1, 1)])
async def test_a_proof_at_a_size_without_the_entry_is_refused(database: Database, index: int, size: int) -> None:
    await append(database, *changes(3))
    async with database.reading() as tx:
        with pytest.raises((Invalid, NotFound)):
            await service.inclusion(tx, ORIGIN, index, size)


async def test_tiles_and_bundles_are_served_as_far_as_the_tree_has_grown(database: Database) -> None:
    await append(database, *changes(300))
    leaves = await leaves_of(database)
    hashes = b"".join(tree.leaf_hash(leaf) for leaf in leaves)
    async with database.reading() as tx:
        assert await service.tile(tx, ORIGIN, "0/000") == hashes[: 256 * 32]
        assert await service.tile(tx, ORIGIN, "0/001.p/44") == hashes[256 * 32 :]
        assert await service.tile(tx, ORIGIN, "0/001.p/3") == hashes[256 * 32 : 259 * 32]
        assert unpack(await service.tile(tx, ORIGIN, "entries/000")) == leaves[:256]
        assert unpack(await service.tile(tx, ORIGIN, "entries/001.p/44")) == leaves[256:]
        for missing in ("0/001", "0/001.p/45", "2/000.p/1", "entries/002.p/1", "63/009"):
            with pytest.raises(NotFound, match="tile_not_found"):
                await service.tile(tx, ORIGIN, missing)


async def test_entries_lie_in_the_partition_of_their_month(database: Database) -> None:
    now = rules.datetime.now(tz=AT.tzinfo)
    async with database.transaction() as tx:
        await service.prepare_months(tx, now + timedelta(days=70))
        await service.prepare_months(tx, now + timedelta(days=70))
    await append(database, change(), change("odd", 2, event_id=rules.UUID(int=7)))
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT tableoid::regclass::text AS partition FROM entry ORDER BY index")
    assert [row["partition"] for row in rows] == [f"entry_{now:%Y_%m}", "entry_default"]


async def test_entries_and_leaves_cannot_be_changed_by_a_slip(database: Database) -> None:
    await append(database, change())
    for statement in (
        "UPDATE entry SET actor = 'x'",
        "DELETE FROM entry",
        "DELETE FROM leaf",
        "UPDATE leaf SET first = 5",
    ):
        with pytest.raises(Exception, match="append-only"):
            async with database.transaction() as tx:
                await tx.execute(statement)
