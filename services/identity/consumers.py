"""Every input from the bus: where a partner's key was let in, and which customers leavers have to hand over."""

from uuid import UUID

from services.identity.outstanding.service import Customers
from services.identity.partner_key.service import PartnerKeys
from shared.db import Transaction
from shared.events import Envelope, Event, HandoverFellDue, HandoverOmitted, HandoverSettled, KeyUsed
from shared.inbox import Consumer, Effect, dispatch
from shared.process import Parts

KEY_USE, OUTSTANDING = "identity-key-use", "identity-outstanding"


def table(parts: Parts, keys: PartnerKeys, customers: Customers) -> list[Consumer]:
    """The consumers of this service, beside the roster's."""

    async def note(tx: Transaction, envelope: Envelope, event: KeyUsed) -> None:
        await keys.note_use(tx, UUID(event.key_id), envelope.time)

    left: dict[type[Event], Effect] = {HandoverFellDue: customers.due, HandoverOmitted: customers.due}
    left[HandoverSettled] = customers.settled
    groups = {
        KEY_USE: (dispatch(KEY_USE, {KeyUsed: note}), KeyUsed.producers),
        OUTSTANDING: (dispatch(OUTSTANDING, left), HandoverFellDue.producers),
    }
    return [
        Consumer(group, parts.topics(*producers), handle, database=parts.database, transport=parts.transport)
        for group, (handle, producers) in groups.items()
    ]
