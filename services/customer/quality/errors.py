"""Refusals of quality."""

from __future__ import annotations

from shared.errors import Fault, Forbidden, Invalid, NotFound


def not_judged() -> NotFound:
    """The file has no quality: it was opened just now, its status exempts it, or it is closed."""
    return NotFound("not_judged", "The quality of this file is not judged, or not yet.")


def unknown_item(seen: str) -> Invalid:
    """Nothing of that name is looked at."""
    fault = Fault(
        "query:item", "unknown_item", seen[:80], "an item, rule or review that counts in the quality of a file"
    )
    return Invalid("unknown_item", "Choose something that is looked at.", [fault])


def filter_refused(item: str) -> Forbidden:
    """Whoever may not see an item may not find customers by it."""
    fault = Fault("query:item", "filter_not_cleared", item, "an item that you may see")
    return Forbidden("filter_not_cleared", "You may not filter by this item.", [fault])
