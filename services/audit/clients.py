"""Questions to peer services: the owner of a subject opens its sealed values, with the reader's own token.

So authority is decided by the owner of the values, and keys never travel. A peer that is away is no error here: the
entry is shown without values. After a failure the peer is left alone for a few seconds.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from shared.auth import NoOwnToken, OwnToken, Principal
from shared.telemetry import current_traceparent, log
from shared.web.sealed import OpenAnswer

_PATIENCE_S = 2.0
_LEFT_ALONE_S = 5.0

UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The values of one event, as they stand in it; `subject` is "<kind>/<id>"."""

    event_id: str
    subject: str
    sealed: str

    @property
    def kind(self) -> str:
        return self.subject.partition("/")[0]


class Values:
    """Sealed values, opened by their owners; `owners`: kind of subject -> address of the service that keeps it.

    A reader whose roles cannot open a kind does not ask for it, since each refused question would itself become an
    entry.
    """

    def __init__(self, owners: Mapping[str, str], own_token: OwnToken) -> None:
        self._owners = {kind: _Owner(url, own_token) for kind, url in owners.items()}

    async def open(self, who: Principal, wanted: Sequence[Sealed]) -> Mapping[str, Any]:
        """By event id: the opened values, or one word why there are none. Events that the owner hides are missing."""
        found: dict[str, Any] = {}
        for kind, owner in self._owners.items():
            theirs = [each for each in wanted if each.kind == kind]
            if theirs and who.may(f"{kind}.values.open"):
                found |= await owner.open(who.token, theirs)
        return found

    async def close(self) -> None:
        for owner in self._owners.values():
            await owner.close()


class _Owner:
    """`POST /v1/values/open` of one service."""

    def __init__(self, url: str, own_token: OwnToken) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S, trust_env=False)
        self._own_token = own_token
        self._again_at = 0.0

    async def open(self, token: str, wanted: Sequence[Sealed]) -> Mapping[str, Any]:
        clock = asyncio.get_running_loop().time
        if clock() < self._again_at:
            return {each.event_id: UNAVAILABLE for each in wanted}
        body = {"items": [{"event_id": w.event_id, "subject": w.subject, "sealed": w.sealed} for w in wanted]}
        try:
            headers = {"Authorization": f"Bearer {token}", "traceparent": current_traceparent() or ""}
            headers |= await self._own_token.headers()
            answer = await self._http.post("/v1/values/open", json=body, headers=headers)
            if answer.status_code in (401, 403):
                return {}
            opened = OpenAnswer.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, NoOwnToken, ValueError) as error:  # a refusal of pydantic is a ValueError
            self._again_at = clock() + _LEFT_ALONE_S
            log(part="clients").warning("values_unavailable", error=type(error).__name__)
            return {each.event_id: UNAVAILABLE for each in wanted}
        return {str(each.event_id): each.values if each.state == "open" else each.state for each in opened.items}

    async def close(self) -> None:
        await self._http.aclose()
