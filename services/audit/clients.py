"""Questions to peer services: the customer service opens sealed values, with the reader's own token.

So authority is decided by the owner of the values, and keys never travel. A peer that is away is no error here: the
entry is shown without values. After a failure the peer is left alone for a few seconds.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ValidationError

from shared.telemetry import current_traceparent, log

_PATIENCE_S = 2.0
_LEFT_ALONE_S = 5.0

UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The values of one event, as they stand in it."""

    event_id: str
    subject: str
    sealed: str


class _Opened(BaseModel):
    """`values` by item code, as far as the reader may see them; null unless `state` is open."""

    event_id: str
    state: Literal["open", "erased", "unopenable"]
    values: dict[str, Any] | None


class _Answer(BaseModel):
    items: list[_Opened]


class CustomerValues:
    """`POST /v1/values/open` of the customer service."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S, trust_env=False)
        self._again_at = 0.0

    async def open(self, token: str, wanted: Sequence[Sealed]) -> Mapping[str, Any]:
        """By event id: the opened values, or one word why there are none. Events that the owner hides are missing."""
        clock = asyncio.get_running_loop().time
        if not wanted:
            return {}
        if clock() < self._again_at:
            return {each.event_id: UNAVAILABLE for each in wanted}
        headers = {"Authorization": f"Bearer {token}", "traceparent": current_traceparent() or ""}
        body = {"items": [{"event_id": w.event_id, "subject": w.subject, "sealed": w.sealed} for w in wanted]}
        try:
            answer = await self._http.post("/v1/values/open", json=body, headers=headers)
            if answer.status_code in (401, 403):
                return {}
            opened = _Answer.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, ValidationError) as error:
            self._again_at = clock() + _LEFT_ALONE_S
            log(part="clients").warning("values_unavailable", error=type(error).__name__)
            return {each.event_id: UNAVAILABLE for each in wanted}
        return {each.event_id: each.values if each.state == "open" else each.state for each in opened.items}

    async def close(self) -> None:
        await self._http.aclose()
