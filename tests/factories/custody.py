"""A company with a custodian, an heir and people who supervise: what tests of the change-over start from."""

from dataclasses import dataclass
from typing import Any

import httpx

from shared.events import Envelope, Event
from tests.factories.directory import COMPANY, Directory
from tests.factories.identity import PASSWORD_HASH

ROLE, UNIT = "report_entry", "north-1"
FRESH = {"keeper": "Handed-over-2026", "heir": "Taken-over-2026"}
"""The passwords that the two will have."""
STAFF: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "root": ("admin", "hq", ()),
    "guard": ("security_officer", "hq", ()),
    "chief": ("department_manager", "north", ("north-1",)),
    "keeper": (ROLE, UNIT, ()),
    "heir": ("customer_manager", "north-1", ()),
    "peer": ("customer_manager", "north-1", ()),
    "southern": ("department_manager", "south", ("south-1",)),
}
"""Role, unit, and the units below that the role reaches."""


def _entry(name: str, role: str, unit: str) -> dict[str, Any]:
    known = {"name": name, "full_name": f"{name}（虚构）", "unit": unit, "first_day": "2020-01-01"}
    return {**known, "roles": [role], "password_hash": PASSWORD_HASH}


CONTENT: dict[str, Any] = {
    "units": COMPANY["units"],
    "people": [_entry(name, role, unit) for name, (role, unit, _) in STAFF.items()],
    "clients": [{"name": "kehu-cli", "kind": "app", "full_name": "命令行", "redirect_uris": ["http://127.0.0.1/"]}],
}
USUAL = {"role": ROLE, "unit": UNIT, "leaver": "keeper", "successor": "heir", "supervisor": "chief"}


@dataclass
class Custody:
    """Calls of the change-over, by people of the company."""

    directory: Directory

    async def who(self, name: str, **more: int) -> dict[str, str]:
        """Headers of somebody; `signed_in_ago_s` for a sign-in that is not of late."""
        role, unit, below = STAFF[name]
        return await self.directory.token(name, role, unit, *below, **more)

    async def call(self, name: str, method: str, path: str = "", body: Any = None, **headers: str) -> httpx.Response:
        path = f"/v1/custody-changes{path}"
        return await self.directory.call(await self.who(name), method, path, body, **headers)

    async def propose(self, by: str = "guard", **changes: Any) -> httpx.Response:
        return await self.call(by, "POST", "", {**USUAL, **changes})

    async def begun(self, **changes: Any) -> str:
        """The id of a fresh one."""
        answer = await self.propose(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def confirm(self, change: str, name: str, part: str, password: str | None = None) -> httpx.Response:
        """Confirm with the usual new password, if the part has one."""
        body = {"as": part}
        given = password or (FRESH.get(name, "Another-one-2026") if part != "supervisor" else None)
        if given is not None:
            body["password"] = given
        return await self.call(name, "POST", f"/{change}/confirmations", body)

    async def handed_over(self, change: str) -> None:
        """Let the leaver and the successor confirm."""
        for name, part in (("keeper", "leaver"), ("heir", "successor")):
            answer = await self.confirm(change, name, part)
            assert answer.status_code == 201, answer.text

    async def complete(self, change: str) -> httpx.Response:
        """All three confirm; the last answer."""
        await self.handed_over(change)
        return await self.confirm(change, "chief", "supervisor")

    async def state(self, change: str, name: str = "guard") -> dict[str, Any]:
        answer = await self.call(name, "GET", f"/{change}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def roles(self, name: str) -> list[tuple[str, str]]:
        """What a person holds now or later."""
        return [(row["role"], row["unit"]) for row in (await self.directory.person(name))["roles"]]

    async def events(self, change: str) -> list[tuple[Envelope, Event]]:
        return await self.directory.events(f"custody/{change}")

    async def types(self, change: str) -> list[str]:
        return [envelope.type for envelope, _ in await self.events(change)]

    async def hashes(self) -> int:
        """How many passwords to come are kept."""
        async with self.directory.identity.database.reading() as tx:
            return int(await tx.fetchval("SELECT count(*) FROM custody_confirmation WHERE secret_hash IS NOT NULL"))

    async def let_expire(self, change: str) -> None:
        """Put its end into the past; the job has not run yet."""
        async with self.directory.identity.database.transaction() as tx:
            await tx.execute("UPDATE custody_change SET expires_at = now() WHERE id::text = $1", change)
