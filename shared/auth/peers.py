"""Services that ask each other: the person's token says for whom, the service's own token says who asks.

A service gets its token by client credentials like any client of the issuer; no secret is shared between two services.
The asked one demands both on routes that only services may call (`may(action, peer=True)`), so that a person's token
that got lost opens nothing there.
"""

from __future__ import annotations

import asyncio

import httpx
from pydantic import BaseModel, PositiveFloat

from shared.settings import ServiceSettings

HEADER = "Service-Authorization"
_PATIENCE_S = 3.0
_EARLY_S = 30.0


class NoOwnToken(Exception):
    """The issuer gave no token, or none that can be read."""


class _Discovery(BaseModel):
    token_endpoint: str


class _Answer(BaseModel):
    access_token: str
    expires_in: PositiveFloat


class OwnToken:
    """This service's own access token; got when first needed, and anew before it expires."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._issuer = settings.issuer.rstrip("/")
        self._client = settings.service_client
        self._secret = settings.service_secret
        self._endpoint: str | None = None
        self._token = ""
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """What to send along; nothing if the settings name no client. Raises: NoOwnToken"""
        if self._client is None or self._secret is None:
            return {}
        clock = asyncio.get_running_loop().time
        async with self._lock:
            if clock() >= self._until:
                try:
                    got = await self._fetch(self._client, self._secret.get_secret_value())
                except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # pydantic's refusal is a ValueError
                    raise NoOwnToken(type(error).__name__) from error
                self._token, self._until = got.access_token, clock() + max(1.0, got.expires_in - _EARLY_S)
        return {HEADER: f"Bearer {self._token}"}

    async def _fetch(self, client: str, secret: str) -> _Answer:
        async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as http:
            if self._endpoint is None:
                discovery = await http.get(f"{self._issuer}/.well-known/openid-configuration")
                found = _Discovery.model_validate_json(discovery.raise_for_status().content)
                self._endpoint = found.token_endpoint
            grant = {"grant_type": "client_credentials"}
            answer = await http.post(self._endpoint, data=grant, auth=(client, secret))
            return _Answer.model_validate_json(answer.raise_for_status().content)
