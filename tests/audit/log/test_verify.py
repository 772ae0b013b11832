"""What the verifier finds in a log that somebody with full access to the database has worked on."""

from collections.abc import Awaitable, Callable

import orjson
import pytest

from services.audit.log import rules, service, tiles, tree
from services.audit.log.note import Checkpoint, Signer, sign
from services.audit.log.verify import Report, verify
from shared.db import Database, Transaction
from tests.factories import audit
from tests.factories.audit import AT, ORIGIN, append, change, changes, garbage, publish

SIZE = 700
Tamper = Callable[[Transaction], Awaitable[None]]
Leaves = dict[int, bytes]


@pytest.fixture
async def log(database: Database, dsn: str) -> Database:
    """A log of 700 entries, one of them undecodable, under a checkpoint; its tables open to tampering."""
    settings = audit.settings_of(dsn)
    await append(database, *changes(300))
    await publish(database, settings)
    await append(database, *changes(322, prefix="d"), garbage(), *changes(77, prefix="e"))
    async with database.transaction() as tx:
        for table in ("entry", "leaf", "checkpoint"):
            await tx.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
    return database


async def checked(database: Database, *kept: str) -> Report:
    return await verify(database, ORIGIN, [Signer.of(ORIGIN, audit.SEED_BYTES).verifier], kept)


async def tampered(database: Database, *statements: str) -> Report:
    async with database.transaction() as tx:
        for statement in statements:
            assert await tx.execute(statement) > 0
    return await checked(database)


async def with_leaves(log: Database, edit: Callable[[Leaves], object]) -> Report:
    async with log.transaction() as tx:
        await edit_leaves(tx, edit)
    return await checked(log)


async def edit_leaves(tx: Transaction, edit: Callable[[Leaves], object]) -> Leaves:
    """Edit the leaves, by index, and store them again; the answer is what is stored now."""
    leaves: Leaves = {}
    for row in await tx.fetch("SELECT first, data FROM leaf"):
        leaves.update(enumerate(tiles.unpack(row["data"]), row["first"]))
    edit(leaves)
    await tx.execute("DELETE FROM leaf")
    await tx.copy("leaf", ("first", "data"), [(index, tiles.pack([leaf])) for index, leaf in leaves.items()])
    return leaves


def kinds(report: Report) -> dict[str, int | None]:
    """Each kind that was found, with its first index."""
    found: dict[str, int | None] = {}
    for finding in report.findings:
        found.setdefault(finding.kind, finding.index)
    return found


async def test_an_untouched_log_is_whole(log: Database) -> None:
    report = await checked(log)
    assert (report.findings, report.size, report.checkpoints, report.ok) == ([], SIZE, 1, True)
    async with log.reading() as tx:
        assert report.root == (await service.repository.head(tx, ORIGIN)).root.hex()


async def test_an_empty_log_is_whole(database: Database) -> None:
    report = await checked(database)
    assert (report.ok, report.size, report.root) == (True, 0, tree.EMPTY_ROOT.hex())


@pytest.mark.req("R0.2")
@pytest.mark.parametrize("index", [0, 255, 256, 511, 513, SIZE - 1])
async def test_one_changed_payload_byte_is_found(log: Database, index: int) -> None:
    report = await tampered(log, f"UPDATE entry SET payload = set_byte(payload, 9, 65) WHERE index = {index}")
    assert (kinds(report), report.first_bad_index) == ({"payload_changed": index}, index)


async def test_a_changed_salt_is_found(log: Database) -> None:
    report = await tampered(log, "UPDATE entry SET salt = set_byte(salt, 0, get_byte(salt, 0) # 1) WHERE index = 7")
    assert kinds(report) == {"payload_changed": 7}


@pytest.mark.parametrize(
    "change",
    ["subject = 'customer/other'", "actor = 'staff/other'", "type = 'customer.registered'", "sequence = 99",
     "source = '/x'", "occurred_at = occurred_at + interval '1 s'", "received_at = received_at - interval '1 s'",
     "class = 'other'"],
)  # fmt: skip
async def test_a_changed_search_column_is_found(log: Database, change: str) -> None:
    assert kinds(await tampered(log, f"UPDATE entry SET {change} WHERE index = 42")) == {"column_changed": 42}


@pytest.mark.parametrize("index", [3, 600])
async def test_a_changed_leaf_is_found(log: Database, index: int) -> None:
    report = await with_leaves(log, lambda leaves: leaves.update({index: leaves[index].replace(b"commit", b"commix")}))
    assert kinds(report) == {"leaf_changed": index}


async def test_a_run_of_leaves_that_cannot_be_read_is_found(log: Database) -> None:
    report = await tampered(log, "UPDATE leaf SET data = substring(data FROM 1 FOR length(data) - 1) WHERE first = 300")
    assert (kinds(report), report.counts["leaf_missing"]) == ({"leaf_missing": 300}, 212)


async def test_a_second_leaf_at_an_index_is_found(log: Database) -> None:
    report = await tampered(log, "INSERT INTO leaf VALUES (7, '\\x000178')")
    assert kinds(report)["leaf_extra"] == 7


async def test_a_run_that_is_longer_than_its_bundle_is_found(log: Database) -> None:
    report = await tampered(log, "UPDATE leaf SET data = data || '\\x000178' WHERE first = 256")
    assert kinds(report) == {"leaf_extra": 300, "leaf_changed": 300}


@pytest.mark.parametrize(("level", "number", "index"), [(0, 0, 1), (0, 2, 513), (1, 0, 0)])
async def test_a_changed_tile_is_found(log: Database, level: int, number: int, index: int) -> None:
    byte = 40 if level == 0 else 4
    report = await tampered(
        log,
        f"UPDATE tile SET hashes = set_byte(hashes, {byte}, get_byte(hashes, {byte}) # 255)"
        f" WHERE level = {level} AND number = {number}",
    )
    assert kinds(report) == {"tile_changed": index}


async def test_a_missing_tile_is_found(log: Database) -> None:
    assert kinds(await tampered(log, "DELETE FROM tile WHERE level = 0 AND number = 1")) == {"tile_changed": 256}


@pytest.mark.req("R0.2")
@pytest.mark.parametrize("index", [0, 400, SIZE - 1])
async def test_a_deleted_entry_is_found(log: Database, index: int) -> None:
    report = await tampered(log, f"DELETE FROM entry WHERE index = {index}")
    assert (kinds(report), report.counts["entry_missing"]) == ({"entry_missing": index}, 1)


async def test_a_deleted_entry_and_leaf_are_found(log: Database) -> None:
    await tampered(log, "DELETE FROM entry WHERE index = 5")
    report = await with_leaves(log, lambda leaves: leaves.pop(5))
    assert kinds(report) == {"leaf_missing": 5}


async def test_two_swapped_entries_are_found(log: Database) -> None:
    report = await tampered(log, "UPDATE entry SET index = 31 - index WHERE index IN (10, 21)")
    assert [(each.kind, each.index) for each in report.findings] == [("entry_misplaced", 10), ("entry_misplaced", 21)]


async def test_two_entries_swapped_with_their_leaves_are_found(log: Database) -> None:
    await tampered(log, "UPDATE entry SET index = 31 - index WHERE index IN (10, 21)")
    report = await with_leaves(log, lambda leaves: leaves.update({10: leaves[21], 21: leaves[10]}))
    assert [(each.kind, each.index) for each in report.findings] == [("leaf_changed", 10), ("leaf_changed", 21)]


async def test_a_second_entry_at_an_index_is_found(log: Database) -> None:
    report = await tampered(
        log,
        "INSERT INTO entry SELECT gen_random_uuid(), index, class, type, source, 'x', sequence, actor, occurred_at,"
        " received_at, salt, payload FROM entry WHERE index = 6",
    )
    assert kinds(report)["entry_extra"] == 6


async def test_an_entry_slipped_in_behind_the_head_is_found(log: Database) -> None:
    report = await tampered(log, "INSERT INTO leaf VALUES (9000, '\\x000178')")
    assert kinds(report) == {"beyond_head": 9000}


async def test_a_changed_head_is_found(log: Database) -> None:
    assert kinds(await tampered(log, "UPDATE head SET root = set_byte(root, 0, 1)")) == {"root_changed": None}


async def test_a_tail_cut_off_carelessly_is_found(log: Database) -> None:
    await tampered(log, "DELETE FROM entry WHERE index >= 690")
    report = await with_leaves(log, lambda leaves: [leaves.pop(index) for index in range(690, SIZE)])
    assert (kinds(report), report.counts["leaf_missing"]) == ({"leaf_missing": 690}, 10)


async def rebuild(database: Database, size: int, edit: Tamper) -> None:
    """What an insider would do: edit, then make leaves, tiles and head fit again."""
    async with database.transaction() as tx:
        await edit(tx)
        await tx.execute(f"DELETE FROM entry WHERE index >= {size}")
        left = await edit_leaves(tx, lambda leaves: [leaves.pop(index) for index in range(size, SIZE)])
        await tx.execute("DELETE FROM tile")
        await tx.execute("DELETE FROM head")
        frontier, levels = tree.append(tree.Frontier(), [tree.leaf_hash(left[index]) for index in range(size)])
        await service.repository.lock_head(tx, ORIGIN)
        await service.repository.move_head(tx, ORIGIN, tree.Frontier(), frontier)
        for row in tiles.tile_rows(0, levels):
            await tx.execute("INSERT INTO tile VALUES ($1, $2, $3)", row.tile.level, row.tile.number, row.hashes)


async def nothing(_tx: Transaction) -> None:
    return


async def rewrite_entry_12(tx: Transaction) -> None:
    row = await tx.fetchrow("SELECT salt, payload, received_at FROM entry WHERE index = 12")
    assert row is not None
    document = {**orjson.loads(row["payload"]), "actor": "staff/somebody-else"}
    payload, columns = rules.canonical(document), rules.columns_of(document)
    leaf = rules.leaf_of(columns, row["received_at"], rules.commitment(row["salt"], payload))
    await tx.execute("UPDATE entry SET payload = $1, actor = $2 WHERE index = 12", payload, columns.actor)
    await edit_leaves(tx, lambda leaves: leaves.update({12: leaf}))


@pytest.mark.req("R0.2")
async def test_a_tail_cut_off_cleanly_is_found_by_the_stored_checkpoint(log: Database, dsn: str) -> None:
    await publish(log, audit.settings_of(dsn))
    await rebuild(log, 650, nothing)
    assert kinds(await checked(log)) == {"truncated": 650}


@pytest.mark.req("R0.2")
async def test_a_tail_cut_off_with_its_checkpoints_is_found_by_an_old_one_in_hand(log: Database, dsn: str) -> None:
    in_hand = await publish(log, audit.settings_of(dsn))
    await rebuild(log, 650, nothing)
    assert kinds(await tampered(log, "DELETE FROM checkpoint WHERE size > 650")) == {}
    assert kinds(await checked(log, in_hand)) == {"truncated": 650}


@pytest.mark.req("R0.2")
async def test_a_rewritten_and_signed_tree_is_found_by_an_old_checkpoint_in_hand(log: Database, dsn: str) -> None:
    settings = audit.settings_of(dsn)
    async with log.reading() as tx:
        in_hand = await service.checkpoint(tx)
    await rebuild(log, SIZE, rewrite_entry_12)
    assert kinds(await checked(log)) == {"checkpoint_contradicted": None}
    async with log.transaction() as tx:
        await tx.execute("DELETE FROM checkpoint")
    await publish(log, settings)
    assert (await checked(log)).ok, "an insider with the key can rewrite everything: nothing inside shows it"
    assert kinds(await checked(log, in_hand)) == {"checkpoint_contradicted": None}


async def test_a_checkpoint_of_another_log_or_key_is_no_evidence(log: Database) -> None:
    foreign = sign(str(Checkpoint(ORIGIN, 5, b"r" * 32)), Signer.of(ORIGIN, b"x" * 32))
    other = sign(str(Checkpoint("other.log", 5, b"r" * 32)), Signer.of(ORIGIN, audit.SEED_BYTES))
    report = await checked(log, foreign, other, "no note")
    assert report.counts == {"checkpoint_invalid": 3}


@pytest.mark.req("R15.1")
async def test_content_dropped_on_the_record_is_erased_and_not_broken(log: Database) -> None:
    at = audit.AT_ID_MONTH
    event = {"month": f"{at:%Y-%m}"}
    await append(log, audit.raw_event(rules.CONTENT_ERASED, event))
    async with log.transaction() as tx:
        record = await tx.fetchrow("SELECT * FROM entry WHERE index = 700")
        assert record is not None
        await tx.execute(f"DROP TABLE entry_{at:%Y_%m}")
        # the record itself is of a later month in real life; here it moves to the default partition
        await tx.execute(
            "INSERT INTO entry SELECT $1, 700, $2, $3, $4, $5, NULL, $6, $7, $8, $9, $10",
            record["event_id"], record["class"], record["type"], record["source"], record["subject"],
            record["actor"], record["occurred_at"], record["received_at"], record["salt"], record["payload"],
        )  # fmt: skip
    report = await checked(log)
    assert (report.findings, report.erased) == ([], SIZE - 1), "the undecodable entry has no month"


async def test_content_dropped_without_a_record_is_missing(log: Database) -> None:
    async with log.transaction() as tx:
        await tx.execute(f"DROP TABLE entry_{audit.AT_ID_MONTH:%Y_%m}")
    report = await checked(log)
    assert (kinds(report), report.counts["entry_missing"]) == ({"entry_missing": 0}, SIZE - 1)


async def test_many_findings_are_counted_and_some_listed(log: Database) -> None:
    report = await tampered(log, "UPDATE entry SET actor = 'x'")
    assert (report.counts["column_changed"], len(report.findings)) == (SIZE, 100)


def test_the_leaf_is_canonical_json() -> None:
    record = rules.record_of(change(), AT, b"s" * 32)
    assert orjson.dumps(orjson.loads(record.leaf), option=orjson.OPT_SORT_KEYS) == record.leaf
