"""A company in the directory, and callers of any role and reach: what tests of units, people and lines start from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from services.identity.signing_key.service import SigningKeys
from shared.clock import CHINA, day_of, now
from shared.events import Envelope, Event, Standing
from shared.events.directory import StaffEvent
from tests.factories.identity import PASSWORD_HASH, RunningIdentity, directory_file, running
from tests.factories.regimes import with_roles

TODAY = day_of(now())
DAY = timedelta(days=1)
BRANCH_ADMIN = """
id: branch_admin
title: {zh: 分公司管理员, en: Administrator of a branch}
requirement: R2.2
effective_from: 2025-01-01
owner: admin
units: subtree
clearance: secret
grants:
  - {resource: line, actions: [read, assign]}
  - {resource: staff, actions: [read, change, role.grant, leaving.announce, history.read, values.open, import]}
  - {resource: unit, actions: [read, change, move]}
examples:
  - {action: staff.change, allowed: true}
  - {action: customer.read, allowed: false}
"""

BRANCH_CLERK = """
id: branch_clerk
title: {zh: 分公司文员, en: Clerk of a branch}
requirement: R2.2
effective_from: 2025-01-01
owner: admin
units: own
clearance: internal
grants:
  - {resource: customer, actions: [read]}
examples:
  - {action: customer.read, allowed: true}
  - {action: customer.change, allowed: false}
"""


def _unit(name: str, parent: str | None, kind: str) -> dict[str, Any]:
    return {"id": name, "parent": parent, "kind": kind, "title": {"zh": f"{name}（虚构）", "en": f"{name} (fictional)"}}


def _person(name: str, role: str, unit: str, **more: Any) -> dict[str, Any]:
    known = {"name": name, "full_name": f"{name}（虚构）", "roles": [role], "unit": unit, "first_day": "2020-01-01"}
    return {**known, "password_hash": PASSWORD_HASH, **more}


COMPANY: dict[str, Any] = {
    "units": [
        _unit("hq", None, "company"),
        _unit("north", "hq", "branch"),
        _unit("north-1", "north", "team"),
        _unit("south", "hq", "branch"),
        _unit("south-1", "south", "team"),
    ],
    "people": [
        _person("root", "admin", "hq"),
        _person("guard", "security_officer", "hq"),
        _person("chief", "department_manager", "north", title="经理"),
        _person("clerk", "customer_manager", "north-1", title="业务员"),
        _person("peer", "customer_manager", "north-1", title="业务员"),
        _person("other", "customer_manager", "south-1"),
    ],
}
"""`branch` (see `Directory.branch`) is no person of the file: an administrator of the north with no record."""


@cache
def _regimes() -> Path:
    return with_roles({"branch_admin": BRANCH_ADMIN, "branch_clerk": BRANCH_CLERK})


@dataclass
class Directory:
    """The running service with the company, and ways to call it."""

    identity: RunningIdentity
    keys: SigningKeys

    @property
    def http(self) -> httpx.AsyncClient:
        return self.identity.http

    async def token(
        self, name: str, role: str, unit: str, *below: str, signed_in_ago_s: int = 0, **more: str
    ) -> dict[str, str]:
        """Headers with a token that says so; `below` are the units under the caller's, `more` further claims."""
        at = int(now().timestamp())
        claims = {
            "iss": self.identity.settings.issuer, "aud": self.identity.settings.audience, "sub": name, "iat": at,
            "exp": at + 900, "auth_time": at - signed_in_ago_s, "roles": [role], "unit": unit,
            "units": list(below), **more,
        }  # fmt: skip
        async with self.identity.database.transaction() as tx:
            signer = await self.keys.signer(tx, now())
        return {"Authorization": f"Bearer {signer.sign(claims, kind='at+jwt')}"}

    async def service(self) -> dict[str, str]:
        """What another service of the suite sends along when it asks for somebody."""
        own = await self.token("audit-service", "peer_service", "hq", client_id="audit-service")
        return {"Service-Authorization": own["Authorization"]}

    async def root(self, **more: int) -> dict[str, str]:
        return await self.token("root", "admin", "hq", **more)

    async def guard(self, **more: int) -> dict[str, str]:
        return await self.token("guard", "security_officer", "hq", **more)

    async def branch(self, **more: int) -> dict[str, str]:
        """An administrator of the north, who may do everything there and nothing in the south."""
        return await self.token("branch", "branch_admin", "north", "north-1", **more)

    async def call(
        self, who: dict[str, str], method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        return await self.http.request(method, path, json=body, headers={**who, **headers})

    async def person(self, name: str) -> dict[str, Any]:
        """A person as an administrator sees them."""
        answer = await self.call(await self.root(), "GET", f"/v1/staff/{name}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def events(self, *subjects: str) -> list[tuple[Envelope, Event]]:
        """What was published about these subjects, oldest first."""
        return [fact for fact in await self.identity.outbox() if fact[0].subject in subjects]

    async def types(self, subject: str) -> list[str]:
        return [envelope.type for envelope, _ in await self.events(subject)]

    async def standing(self, name: str) -> Standing:
        """Where a person stands by the last event about them."""
        _, event = (await self.events(f"staff/{name}"))[-1]
        assert isinstance(event, StaffEvent)
        return event.standing

    async def let_pass(self, day: date) -> int:
        """Let what is due by a day take effect, as the job does on that day; for how many people."""
        (job,) = (each for each in self.identity.parts.jobs if each.name == "people-by-date")
        moment = datetime.combine(day, datetime.min.time(), CHINA)
        done = 0
        while True:
            async with self.identity.database.transaction() as tx:
                round_ = await job.due(tx, moment)
            done += round_
            if not round_:
                return done


@asynccontextmanager
async def running_directory(dsn: str, folder: Path, content: Any = None, **settings: Any) -> AsyncIterator[Directory]:
    """`folder`: with measures of the test's own in `regimes`, or without."""
    regimes = own if (own := folder / "regimes").exists() else _regimes()
    file = directory_file(folder, COMPANY if content is None else content)
    async with running(dsn, directory_file=file, regimes_path=regimes, **settings) as identity:
        chosen = identity.settings
        keys = SigningKeys(
            identity.parts.outbox, chosen.key_ring, lifetime=chosen.token_lifetime, prepublish=chosen.key_prepublish
        )
        yield Directory(identity, keys)


def problem(answer: httpx.Response, status: int, code: str) -> list[tuple[str, str]]:
    """Pointers and codes of the faults of a problem document, which is of this status and code."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]
