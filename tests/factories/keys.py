"""Keys of partner systems as services know them: events of the directory, and rows of a roster made from them."""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from shared.auth import Roster
from shared.auth.keys import digest_of
from shared.events import ClientChanged, Event, KeyIssued, OrgChanged

_serials = count(1)


def new_key() -> str:
    return f"kehu_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"


def issued(key: str, client: str = "partner1", **more: Any) -> KeyIssued:
    """The event that made a key known; it lives for a day more unless told otherwise."""
    known = {
        "key_id": str(uuid4()),
        "prefix": key[5:13],
        "digest": digest_of(key),
        "client": client,
        "expires_at": datetime.now(UTC) + timedelta(days=1),  # noqa: TID251 - the tests' own clock
        "version": 1,
    }
    return KeyIssued.model_validate({**known, **more})


def client(
    name: str = "partner1", unit: str = "south", roles: tuple[str, ...] = ("partner_reporter",), **more: Any
) -> ClientChanged:
    return ClientChanged.model_validate(
        {"name": name, "kind": "partner", "unit": unit, "roles": roles, "version": 1, **more}
    )


def unit(name: str, parent: str | None = None) -> OrgChanged:
    return OrgChanged(unit=name, parent=parent, kind="branch", title={"zh": name, "en": name}, version=1)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def tell(roster: Roster, *events: Event) -> None:
    """As the service's own table would."""
    for event in events:
        data = event.model_dump(mode="json")
        kind, key = {
            "org.changed": ("unit", data.get("unit")),
            "client.changed": ("client", data.get("name")),
        }.get(event.type, ("key", data.get("digest")))
        roster.take([{"kind": kind, "id": key, "data": data, "serial": next(_serials)}])
