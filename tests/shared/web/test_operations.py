"""Operations staff list, replay and discard dead letters over HTTP; each act is an event with its actor."""

import json
import uuid
from collections.abc import Callable, Sequence

import pytest

from shared.bus import Delivery
from shared.db import Transaction
from shared.deadletters import park
from shared.errors import NotFound
from shared.events import DealingsRecorded, Envelope
from shared.inbox import Handle, dispatch
from tests.factories.events import dealings, delivery, envelope
from tests.shared.web.conftest import Site

pytestmark = pytest.mark.req("R0.2")


class Group:
    """A consumer group whose handler fails with `fault` until it is mended."""

    def __init__(self) -> None:
        self.fault: Callable[[], Exception] | None = None
        self.meanwhile: Callable[[], None] = lambda: None
        self._apply = dispatch("g", {DealingsRecorded: self._effect})

    async def _effect(self, tx: Transaction, _envelope: Envelope, event: DealingsRecorded) -> None:
        await tx.execute("INSERT INTO thing (name, amount) VALUES ($1, 1)", event.customer_id)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> None:
        await self._apply(tx, batch)
        self.meanwhile()
        if self.fault is not None:
            raise self.fault()


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def handlers(group: Group) -> dict[str, Handle]:
    return {"g": group.handle}


async def parked(site: Site, position: int = 0, group: str = "g") -> str:
    """Park one event; the id of its letter."""
    event = dealings(f"c-{position}")
    async with site.database.transaction() as tx:
        await park(tx, group, delivery(envelope(event, f"c-{position}"), event, position=position), ValueError("张三"))
        return str(await tx.fetchval("SELECT id FROM dead_letter WHERE position = $1", position))


async def handled(site: Site) -> list[dict[str, object]]:
    async with site.database.reading() as tx:
        return [json.loads(row["value"]) for row in await tx.fetch("SELECT value FROM outbox ORDER BY id")]


async def test_letters_are_listed_newest_first_page_by_page_and_show_no_content(site: Site) -> None:
    letters = [await parked(site, position) for position in range(5)]
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        parameters = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await site.client.get("/v1/dead-letters", params=parameters, headers=site.bearer())).json()
        seen += [each["id"] for each in page["items"]]
        assert all("value" not in each and "张三" not in str(each) for each in page["items"])
        cursor = page["next_cursor"]
    assert seen == letters[::-1]
    assert cursor is None
    one = await site.client.get(f"/v1/dead-letters/{letters[0]}", headers=site.bearer())
    assert one.json()["subject"] == "customer/c-0"
    assert one.json()["error"] == "ValueError"


async def test_a_mended_event_is_replayed_once_and_recorded(site: Site) -> None:
    letter = await parked(site)
    answer = await site.client.post(f"/v1/dead-letters/{letter}/replay", headers=site.bearer("li"))
    again = await site.client.post(f"/v1/dead-letters/{letter}/replay", headers=site.bearer("li"))
    assert (answer.status_code, again.status_code) == (200, 404)
    assert await site.rows() == 1
    assert await site.rows("dead_letter") == 0
    (event,) = await handled(site)
    assert event == {
        "group": "g",
        "letter_id": letter,
        "event_id": answer.json()["event_id"],
        "outcome": "replayed",
    }


@pytest.mark.parametrize(
    "fault", [lambda: ValueError("张三"), lambda: KeyError("张三"), lambda: NotFound("no_such_thing", "张三")]
)
async def test_an_event_that_fails_again_stays_parked_without_any_effect(
    site: Site, group: Group, fault: Callable[[], Exception]
) -> None:
    letter = await parked(site)
    group.fault = fault
    answer = await site.client.post(f"/v1/dead-letters/{letter}/replay", headers=site.bearer())
    assert (answer.status_code, answer.json()["code"]) == (409, "still_failing")
    assert "张三" not in answer.text
    assert await site.rows() == 0
    shown = (await site.client.get(f"/v1/dead-letters/{letter}", headers=site.bearer())).json()
    assert (shown["attempts"], shown["error"]) == (2, type(fault()).__name__)
    assert await handled(site) == []
    group.fault = None
    assert (await site.client.post(f"/v1/dead-letters/{letter}/replay", headers=site.bearer())).status_code == 200
    assert await site.rows() == 1


@pytest.mark.req("R2.2")
async def test_whoever_loses_the_role_while_a_replay_runs_has_replayed_nothing(site: Site, group: Group) -> None:
    letter = await parked(site)
    group.meanwhile = lambda: take_away(site, "li")
    answer = await site.client.post(f"/v1/dead-letters/{letter}/replay", headers=site.bearer("li"))
    assert (answer.status_code, answer.json()["code"]) == (403, "authority_changed")
    assert [await site.rows(table) for table in ("thing", "dead_letter")] == [0, 1]
    assert [each.get("code") for each in await handled(site)] == ["authority_changed"]


def take_away(site: Site, name: str) -> None:
    """As if the directory had said that somebody holds no role any more."""
    standing = {"name": name, "unit": "unit-1", "state": "active", "first_day": "2020-01-01", "version": 2}
    site.authenticator.roster.take([{"kind": "person", "id": name, "data": standing, "serial": 1}])


async def test_a_passing_fault_during_replay_changes_nothing(site: Site, group: Group) -> None:
    letter = await parked(site)
    group.fault = lambda: TimeoutError("peer")
    answer = await site.client.post(f"/v1/dead-letters/{letter}/replay", headers=site.bearer())
    assert answer.status_code == 503
    shown = (await site.client.get(f"/v1/dead-letters/{letter}", headers=site.bearer())).json()
    assert shown["attempts"] == 1


async def test_a_letter_of_a_group_that_is_gone_says_so(site: Site) -> None:
    letter = await parked(site, group="former")
    answer = await site.client.post(f"/v1/dead-letters/{letter}/replay", headers=site.bearer())
    assert (answer.status_code, answer.json()["code"]) == (409, "no_such_group")
    assert await site.rows("dead_letter") == 1


async def test_a_discarded_event_is_gone_and_recorded(site: Site) -> None:
    letter = await parked(site)
    answer = await site.client.post(f"/v1/dead-letters/{letter}/discard", headers=site.bearer())
    assert answer.status_code == 204
    assert await site.rows("dead_letter") == 0
    assert await site.rows() == 0
    assert [each["outcome"] for each in await handled(site)] == ["discarded"]


@pytest.mark.parametrize("act", ["replay", "discard"])
async def test_an_unknown_letter_is_not_found(site: Site, act: str) -> None:
    answer = await site.client.post(f"/v1/dead-letters/{uuid.uuid4()}/{act}", headers=site.bearer())
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_dead_letter")


async def test_only_who_may_handles_letters(site: Site) -> None:
    letter = await parked(site)
    stranger = site.bearer("stranger", ())
    assert (await site.client.get("/v1/dead-letters", headers=stranger)).status_code == 403
    for act in ("replay", "discard"):
        assert (await site.client.post(f"/v1/dead-letters/{letter}/{act}", headers=stranger)).status_code == 403
    assert await site.rows("dead_letter") == 1
