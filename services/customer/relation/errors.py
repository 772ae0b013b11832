"""Refusals of relations."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from shared.edits import etag_of
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, PreconditionFailed
from shared.regime import WHOLE


def no_such_relation() -> NotFound:
    """The customer's file has none such."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def unknown_kind(kind: str, known: Sequence[str]) -> Invalid:
    """No such kind is declared."""
    fault = Fault("/kind", "unknown_kind", kind[:80], list(known))
    return Invalid("unknown_relation", "Choose one of the kinds of relation.", [fault])


def bad_relation(faults: Sequence[Fault]) -> Invalid:
    """Some of it cannot be so."""
    return Invalid("bad_relation", "Correct what is named in errors; nothing was stored.", faults)


def with_itself() -> Invalid:
    """Two sides are two."""
    fault = Fault("/customer_id", "same_customer", None, "another customer")
    return Invalid("bad_relation", "Correct what is named in errors; nothing was stored.", [fault])


def more_than_whole(share: Decimal, others: Decimal) -> Conflict:
    """The other shares leave less."""
    fault = Fault("/share", "more_than_whole", str(share), f"at most {(WHOLE - others).normalize():f}")
    return Conflict("shares_exceed_whole", "The shares of a customer are at most 100 percent together.", [fault])


def there_already() -> Conflict:
    """The two are related so."""
    return Conflict("relation_exists", "The two customers have this relation already.")


def over() -> Conflict:
    """It has ended."""
    return Conflict("relation_ended", "This relation has ended; add a new one.")


def party_not_cleared() -> Forbidden:
    """Who may not read who somebody is may not write it blindly either."""
    fault = Fault("/party", "not_cleared", None, "a party within your clearance")
    return Forbidden("party_not_cleared", "Who this party is, is above your clearance, so you cannot set it.", [fault])


def outdated(version: int) -> PreconditionFailed:
    """Somebody changed it meanwhile."""
    detail = "Somebody changed this relation since you read it. Read it again, then send the new ETag."
    return PreconditionFailed("relation_changed", detail, headers={"ETag": etag_of(version)})
