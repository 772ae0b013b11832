"""Facts about relations of customers (R4.1). Who somebody outside is travels sealed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event, RegimeRef


class RelationEvent(Event):
    """What all of them say: in whose file it stands, of which kind, with whom, as it is now.

    `other_id`: the other side, if a customer; else `party` (person or company), and who that is, `sealed` under the
    key of the customer. `share` is in percent, days are ISO dates.
    """

    producers: ClassVar[tuple[str, ...]] = ("customer",)

    relation_id: str
    customer_id: str
    version: int = Field(ge=1)
    kind: str
    other_id: str | None
    party: str | None
    share: str | None
    since: str | None
    ended_on: str | None
    sealed: str | None
    definition: RegimeRef


class RelationAdded(RelationEvent):
    """A relation was entered in the file of a customer."""

    type: ClassVar[str] = "relation.added"


class RelationChanged(RelationEvent):
    """Share, first day or party of a relation are others now."""

    type: ClassVar[str] = "relation.changed"


class RelationEnded(RelationEvent):
    """A relation is over since `ended_on`."""

    type: ClassVar[str] = "relation.ended"
