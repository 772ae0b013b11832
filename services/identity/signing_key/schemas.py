"""Signing keys over HTTP."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class JsonWebKeys(BaseModel):
    """RFC 7517 §5."""

    keys: list[dict[str, Any]]


class SigningKey(BaseModel):
    """A key that was just made: published at once, signing from `active_from` on."""

    kid: str
    created_at: datetime
    active_from: datetime
