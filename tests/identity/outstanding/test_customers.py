"""The leaver's list shows customers, as the customer service tells of them (R2.6, R5.7)."""

from datetime import timedelta

import pytest

from services.identity.consumers import OUTSTANDING
from shared.bus import Delivery, unpack_headers
from shared.clock import now
from shared.events import Event, HandoverFellDue, HandoverOmitted, HandoverSettled
from tests.factories.directory import TODAY, Directory

LAST = TODAY + timedelta(days=3)
OF = {"person": "clerk", "unit": "north-1", "customers": 7, "last_day": LAST}


async def hear(directory: Directory, *events: Event) -> None:
    """Let the consumer apply what the customer service published."""
    parts = directory.identity.parts
    [consumer] = [each for each in parts.consumers if each.group == OUTSTANDING]
    batch = []
    for place, event in enumerate(events):
        envelope = parts.outbox.envelope(
            event, feature="handover", subject="staff/clerk", actor="system/customer", at=now()
        )
        row = parts.outbox.row(envelope, event)
        batch.append(Delivery(row[1], 0, place, row[2], row[3], unpack_headers(row[4])))
    async with directory.identity.database.transaction() as tx:
        await consumer.handle(tx, batch)


async def customers(directory: Directory) -> list[tuple[str, bool]]:
    answer = await directory.call(await directory.root(), "GET", "/v1/staff/clerk/hand-over")
    return [(each["unit"], each["done"]) for each in answer.json()["items"] if each["kind"] == "customers"]


@pytest.mark.req("R2.6", "R5.7")
async def test_customers_stand_on_the_list_until_somebody_has_them(directory: Directory) -> None:
    body = {"last_day": str(LAST)}
    await directory.call(await directory.root(), "POST", "/v1/staff/clerk/leaving", body)
    assert await customers(directory) == []
    await hear(directory, HandoverFellDue(**OF), HandoverFellDue(**{**OF, "unit": "south-1"}))
    assert await customers(directory) == [("north-1", False), ("south-1", False)]
    await hear(directory, HandoverSettled(**OF, stays=False))
    assert await customers(directory) == [("north-1", True), ("south-1", False)]
    await hear(directory, HandoverOmitted(**OF), HandoverSettled(**{**OF, "unit": "south-1"}, stays=True))
    assert await customers(directory) == [("north-1", False)], "given back; and not known to be handed over"
