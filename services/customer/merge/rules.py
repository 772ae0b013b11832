"""Pure rules of merges: what may be taken, and what can be put back (R5.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from shared.edits import differing
from shared.errors import Fault
from shared.regime import Catalogue, FieldType, Maintenance

LOSER, SURVIVOR = "loser", "survivor"
Json = Any
Values = Mapping[str, Json]


def wrong_choices(catalogue: Catalogue, take: Iterable[str]) -> Iterator[Fault]:
    """Items that no file of the kind has, and those that follow by themselves from what moves."""
    for code in take:
        item = catalogue.items.get(code)
        if item is None:
            yield Fault(f"/take/{code[:80]}", "unknown_item", code[:80], f"an item of kind {catalogue.kind}")
        elif item.maintenance is Maintenance.SYSTEM:
            yield Fault(f"/take/{code}", "system_item", code, "no choice: the system computes this item")


def pictures(catalogue: Catalogue) -> frozenset[str]:
    """The items whose values name a picture."""
    return frozenset(code for code, item in catalogue.items.items() if item.type is FieldType.PHOTO)


def not_to_be_put_back(taken: Mapping[str, Values], current: Values, keep: Collection[str]) -> Iterator[Fault]:
    """Taken items that somebody changed since, unless they are to stay; and items to stay that nobody changed."""
    changed = {code for code, was in taken.items() if _is_changed(was, current.get(code))}
    for code in sorted(changed.difference(keep)):
        yield Fault(f"/keep/{code}", "changed_since", code, "the value that was taken, or this item in `keep`")
    for code in sorted(set(keep) - changed):
        yield Fault(f"/keep/{code[:80]}", "not_changed", code[:80], "only items that were changed after the merge")


def put_back(taken: Mapping[str, Values], current: Values) -> dict[str, Json]:
    """The values that a survivor gets again: of taken items that are as the merge left them."""
    former = {code: was["before"] for code, was in taken.items() if not _is_changed(was, current.get(code))}
    return differing(current, former)


def astray(pictures_of: Collection[str], remaining: Values, moving: Collection[str]) -> Iterator[Fault]:
    """Image items of a survivor whose picture goes back with the other file."""
    for code in sorted(pictures_of):
        if remaining.get(code) in moving:
            yield Fault(f"/survivor/{code}", "picture_goes_back", code, "a picture that stays with the survivor")


def _is_changed(was: Values, current: Json) -> bool:
    """Neither as the merge left it, nor as it was before."""
    return bool(differing({"": was["after"]}, {"": current})) and bool(differing({"": was["before"]}, {"": current}))
