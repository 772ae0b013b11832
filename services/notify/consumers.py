"""Every input from the bus: each event that a declared message names. A new message needs no line here."""

from services.notify.delivery import rules
from services.notify.delivery.service import Deliveries
from shared.events import EVENTS, Event, MessageDelivered
from shared.inbox import Consumer, dispatch
from shared.process import Parts
from shared.regime import Message, Regimes

GROUP = "notify"
_GATHER_S = 0.05


class UnusableMessages(Exception):
    """Declared messages that can never be sent; the text names each."""


def events_of(regimes: Regimes) -> list[type[Event]]:
    """The events that send messages, in any version of the measures.

    Raises: UnusableMessages
    """
    messages = [each for each in regimes.definitions if isinstance(each, Message)]
    flaws = [flaw for message in messages for flaw in rules.flaws(message, EVENTS.get(message.event))]
    # That event would answer a delivery by a delivery, for ever.
    flaws += [f"{m.id}: {m.event} may not send a message" for m in messages if m.event == MessageDelivered.type]
    if flaws:
        raise UnusableMessages("; ".join(flaws))
    return [EVENTS[name] for name in sorted({message.event for message in messages})]


def build(parts: Parts, deliveries: Deliveries) -> list[Consumer]:
    events = events_of(parts.regimes)
    if not events:
        return []
    topics = parts.topics(*sorted({producer for event in events for producer in event.producers}))
    handle = dispatch(GROUP, dict.fromkeys(events, deliveries.on_event))
    return [Consumer(GROUP, topics, handle, database=parts.database, transport=parts.transport, gather_s=_GATHER_S)]
