"""Signing keys and discovery over HTTP."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class JsonWebKeys(BaseModel):
    """RFC 7517 §5."""

    keys: list[dict[str, Any]]


class Discovery(BaseModel):
    """OpenID Connect Discovery 1.0 / RFC 8414: what this issuer offers."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]


class SigningKey(BaseModel):
    """A key that was just made: published at once, signing from `active_from` on."""

    kid: str
    created_at: datetime
    active_from: datetime
