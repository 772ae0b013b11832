"""Whether a published version of an event is still what it was: readers and stored events outlive every release.

Allowed is one thing: another optional member. A removed or renamed member, another type or bound, a member that
becomes required or optional: each breaks a reader that was written before, or an event that was stored before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_DOCUMENTATION = {"title", "description", "examples", "$id", "$schema"}
Schema = Mapping[str, Any]


def breaks(published: Schema, now: Schema) -> list[str]:
    """What is no longer as published, one line each; empty if nothing is."""
    return list(_object_breaks("", _plain(published, published), _plain(now, now)))


def _plain(schema: Any, document: Schema) -> Any:
    """The schema without documentation and with references replaced by what they name."""
    if isinstance(schema, list):
        return [_plain(each, document) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return _plain(document["$defs"][schema["$ref"].rpartition("/")[2]], document)
    members = {name: _plain(each, document) for name, each in schema.get("properties", {}).items()}
    rest = {k: _plain(v, document) for k, v in schema.items() if k not in _DOCUMENTATION | {"$defs", "properties"}}
    return rest | ({"properties": members} if members else {})


def _object_breaks(place: str, before: Schema, after: Schema) -> Iterator[str]:
    old, new = before.get("properties", {}), after.get("properties", {})
    for name in old.keys() - new.keys():
        yield f"{place}/{name} is gone"
    was, is_ = set(before.get("required", ())), set(after.get("required", ()))
    for name in sorted((is_ - was) & old.keys()):
        yield f"{place}/{name} was optional and is required"
    for name in sorted(is_ - old.keys()):
        yield f"{place}/{name} is new and required"
    for name in sorted((was - is_) & new.keys()):
        yield f"{place}/{name} was required and is optional"
    for name in sorted(old.keys() & new.keys()):
        if "properties" in old[name] and "properties" in new[name]:
            yield from _object_breaks(f"{place}/{name}", old[name], new[name])
        elif old[name] != new[name]:
            yield f"{place}/{name} has another type: {old[name]} became {new[name]}"
    rest = {"properties", "required"}
    if {k: v for k, v in before.items() if k not in rest} != {k: v for k, v in after.items() if k not in rest}:
        yield f"{place or '/'} takes other members or values than before"
