"""A roster that lost events is whole again once the directory was published anew."""

from collections import Counter

import pytest

from shared.auth import EFFECTS
from shared.events import Envelope, Event
from tests.factories.directory import Directory

PATH = "/v1/directory/restatements"
Facts = list[tuple[Envelope, Event]]


async def roster(directory: Directory) -> dict[str, str]:
    """What the roster says of each subject, without the version."""
    async with directory.identity.database.reading() as tx:
        rows = await tx.fetch("SELECT kind, id, data - 'version' AS said FROM roster")
    return {f"{row['kind']}/{row['id']}": str(row["said"]) for row in rows}


async def hear(directory: Directory, facts: Facts) -> None:
    async with directory.identity.database.transaction() as tx:
        for envelope, event in facts:
            if type(event) in EFFECTS:
                await EFFECTS[type(event)](tx, envelope, event)


async def lose(directory: Directory) -> None:
    async with directory.identity.database.transaction() as tx:
        await tx.execute("DELETE FROM roster")


@pytest.mark.req("R0.2", "R2.6")
async def test_a_roster_that_lost_everything_is_whole_again(directory: Directory) -> None:
    before = await directory.identity.outbox()
    await hear(directory, before)
    whole = await roster(directory)
    answer = await directory.call(await directory.root(), "POST", PATH)
    assert answer.status_code == 201
    said = (await directory.identity.outbox())[len(before) :]
    kinds = Counter(envelope.subject.partition("/")[0] for envelope, _ in said)
    assert answer.json() == {
        "units": kinds["unit"], "people": kinds["staff"], "clients": kinds["client"], "keys": kinds["key"],
    }  # fmt: skip
    assert (kinds["unit"], kinds["staff"]) == (5, 6)
    await lose(directory)
    await hear(directory, said)
    assert await roster(directory) == whole


@pytest.mark.req("R0.2")
async def test_each_subject_gets_the_version_after_its_last(directory: Directory) -> None:
    for _ in range(2):
        assert (await directory.call(await directory.root(), "POST", PATH)).status_code == 201
    found: dict[str, list[int | None]] = {}
    for envelope, _ in await directory.identity.outbox():
        if envelope.sequence is not None:
            found.setdefault(envelope.subject, []).append(envelope.sequence)
    assert all(each == list(range(1, len(each) + 1)) for each in found.values()), found
    history = await directory.call(await directory.root(), "GET", "/v1/staff/clerk/history")
    assert [each["version"] for each in history.json()["items"]] == found["staff/clerk"][::-1]


@pytest.mark.req("R2.2")
async def test_only_an_administrator_who_signed_in_of_late_may(directory: Directory) -> None:
    old = await directory.call(await directory.root(signed_in_ago_s=3600), "POST", PATH)
    other = await directory.call(await directory.guard(), "POST", PATH)
    assert (old.status_code, old.json()["code"]) == (401, "sign_in_too_old")
    assert (other.status_code, other.json()["code"]) == (403, "not_allowed")
