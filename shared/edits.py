"""When two people edit the same thing at once: edits of different items are merged, of the same item they clash.

Pure. The features that keep a version and a history of items decide by it what a change on an older version means. The
version travels as an ETag; a change says in If-Match which one it was made on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Fault, Invalid, PreconditionFailed, PreconditionRequired

Json = Any
_ETAG = re.compile(r'"([1-9][0-9]{0,8})"')


@dataclass(frozen=True, slots=True)
class Edit:
    """What one later version did to some items."""

    version: int
    changes: Mapping[str, Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Clash:
    """An item that two people changed to different values, starting from the same one."""

    item: str
    yours: Json
    current: Json
    original: Json


def differing(before: Mapping[str, Json], wanted: Mapping[str, Json]) -> dict[str, Json]:
    """Those of the wanted values that differ from the present ones; None stands for no value on both sides."""
    return {item: value for item, value in wanted.items() if not _same(before.get(item), value)}


def before_and_after(before: Mapping[str, Json], changed: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """What a history keeps of a change."""
    return {item: {"before": before.get(item), "after": value} for item, value in changed.items()}


def clashes(wanted: Mapping[str, Json], current: Mapping[str, Json], since: Sequence[Edit]) -> list[Clash]:
    """Items of `wanted` that an edit since the caller's version set to something else.

    Edits of different items do not clash, nor do two edits to the same value, nor an edit that was taken back.
    `since` holds the edits after the caller's version, oldest first.
    """
    found = []
    for item, yours in wanted.items():
        touched = [edit.changes[item] for edit in since if item in edit.changes]
        if not touched or _same(current.get(item), yours):
            continue
        original = touched[0].get("before")
        if not _same(original, current.get(item)):
            found.append(Clash(item, yours, current.get(item), original))
    return found


def touched_since(since: Iterable[Edit]) -> set[str]:
    """All items that some edit touched."""
    return {item for edit in since for item in edit.changes}


def _same(left: Json, right: Json) -> bool:
    return type(left) is type(right) and bool(left == right)


def etag_of(version: int) -> str:
    """The ETag of a version: it in quotes."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int:
    """The version that a change was made on. Raises: PreconditionRequired, Invalid (bad_if_match)"""
    if if_match is None:
        raise PreconditionRequired("if_match_required", 'Send If-Match with the ETag that you read, such as "3".')
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        fault = Fault("header:If-Match", "bad_etag", if_match[:80], 'the ETag that you read, such as "3"')
        raise Invalid("bad_if_match", "Read it again and send its ETag unchanged.", [fault])
    return int(found[1])


def known_version(if_none_match: str | None) -> int | None:
    """The version that a reader has already, if it is one of ours."""
    found = _ETAG.search(if_none_match or "")
    return int(found[1]) if found else None


def version_ahead(current: int) -> PreconditionFailed:
    """If-Match names a version that does not exist yet."""
    headers = {"ETag": etag_of(current)}
    return PreconditionFailed("version_unknown", "No such version exists; read it again.", headers=headers)


def clashing(found: Sequence[Clash], current: int, below: str = "") -> PreconditionFailed:
    """The same items were changed meanwhile: three values each, for the caller to choose.

    `below`: JSON pointer of the member of a request that holds the items.
    """
    return PreconditionFailed(
        "changed_meanwhile",
        "Somebody changed the same items since you read them. Decide which values hold, then send the new ETag.",
        [Fault(f"{below}/{each.item}", "changed_meanwhile", each.yours, each.current) for each in found],
        members={
            "yours": {each.item: each.yours for each in found},
            "current": {each.item: each.current for each in found},
            "original": {each.item: each.original for each in found},
        },
        headers={"ETag": etag_of(current)},
    )
