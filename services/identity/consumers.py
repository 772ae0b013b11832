"""Every input from the bus: services tell when they let a partner's key in."""

from uuid import UUID

from services.identity.partner_key.service import PartnerKeys
from shared.db import Transaction
from shared.events import Envelope, KeyUsed
from shared.inbox import Consumer, dispatch
from shared.process import Parts

KEY_USE = "identity-key-use"


def table(parts: Parts, keys: PartnerKeys) -> list[Consumer]:
    """The consumers of this service, beside the roster's."""

    async def note(tx: Transaction, envelope: Envelope, event: KeyUsed) -> None:
        await keys.note_use(tx, UUID(event.key_id), envelope.time)

    handle, topics = dispatch(KEY_USE, {KeyUsed: note}), parts.topics(*KeyUsed.producers)
    return [Consumer(KEY_USE, topics, handle, database=parts.database, transport=parts.transport)]
