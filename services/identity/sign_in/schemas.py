"""Signing in over HTTP, for machines."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Tokens(BaseModel):
    """RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3; `expires_in` in seconds; the last three for people only."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    refresh_token: str | None = None
    id_token: str | None = None
    scope: str | None = None


class Introspection(BaseModel):
    """RFC 7662 §2.2; of a token that is not in force nothing but that is told."""

    model_config = ConfigDict(extra="allow")

    active: bool


class UserInfo(BaseModel):
    """OpenID Connect Core §5.3; the names only within the scope `profile`."""

    sub: str
    name: str | None = None
    preferred_username: str | None = None


class TokenError(BaseModel):
    """RFC 6749 §5.2."""

    error: str
    error_description: str | None = None


class Discovery(BaseModel):
    """OpenID Connect Discovery 1.0 / RFC 8414: what this issuer offers, and nothing that it does not."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    revocation_endpoint: str
    introspection_endpoint: str
    end_session_endpoint: str
    scopes_supported: list[str]
    claims_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    prompt_values_supported: list[str]
    subject_types_supported: list[str]
    ui_locales_supported: list[str]
    code_challenge_methods_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool
    claims_parameter_supported: bool
    request_parameter_supported: bool
    request_uri_parameter_supported: bool


class OwnSession(BaseModel):
    """A browser in which the caller is signed in. `present`: the one that the token of this request comes from."""

    id: UUID
    present: bool
    method: str
    agent: str
    apps: list[str]
    signed_in_at: datetime
    seen_at: datetime
    ends_at: datetime


class OwnSessions(BaseModel):
    items: list[OwnSession]
