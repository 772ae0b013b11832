"""Refusals of merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.edits import etag_of
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, PreconditionFailed


def no_such_merge() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def with_itself() -> Invalid:
    """One file cannot be two."""
    fault = Fault("/loser/id", "same_file", None, "another file than the survivor")
    return Invalid("merge_with_itself", "Name two different files.", [fault])


def other_kind(survivor: str, loser: str) -> Conflict:
    """Their items differ, so that nothing says what becomes of what."""
    fault = Fault("/loser/id", "other_kind", loser, survivor)
    return Conflict("other_kind", "Only customers of the same kind can be merged.", [fault])


def not_open(faults: Sequence[Fault], merged_into: UUID | None) -> Conflict:
    """One of the files, or both, is closed: erased, or merged already."""
    if merged_into is not None:
        detail = "One of these files was merged into another and is closed; go on with that one."
        return Conflict("customer_merged", detail, faults, members={"merged_into": str(merged_into)})
    return Conflict("customer_erased", "The personal data of a customer were erased; the file is closed.", faults)


def stale(versions: Mapping[str, tuple[int, int]]) -> PreconditionFailed:
    """Somebody changed one of the files, or both, after they were read: given and current version by place."""
    faults = [
        Fault(f"/{place}/version", "changed_meanwhile", given, current) for place, (given, current) in versions.items()
    ]
    current = {place: etag_of(version) for place, (_, version) in versions.items()}
    detail = "A file was changed since you read it. Read it again, then decide what is taken from where."
    return PreconditionFailed("merge_on_old_version", detail, faults, members={"current": current})


def bad_choice(faults: Sequence[Fault]) -> Invalid:
    """Some items cannot be taken."""
    return Invalid("bad_choice", "Correct the items named in errors; nothing was merged.", faults)


def not_readable(codes: Sequence[str]) -> Forbidden:
    """Nobody moves values that they may not see."""
    faults = [Fault(f"/take/{code}", "not_cleared", code, "an item within your clearance") for code in codes]
    return Forbidden("item_not_cleared", "Some items are above your clearance, so you cannot take them.", faults)


def undone_already() -> Conflict:
    """Somebody was quicker, or sends it again."""
    return Conflict("merge_undone", "This merge was undone already.")


def term_over(until: datetime) -> Conflict:
    """Too late."""
    detail = "The term in which a merge can be undone is over."
    return Conflict("undo_term_over", detail, members={"undo_until": until.isoformat()})


def changed_since(faults: Sequence[Fault]) -> Conflict:
    """What was taken is not what stands there now, so that nobody knows what is to be put back."""
    detail = "Some items were changed after the merge; name in `keep` those that are to stay as they are now."
    return Conflict("merge_conflicts", detail, faults)
