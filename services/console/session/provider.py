"""The OpenID issuer as the console is its client: where to send a browser, what a code and a refresh token are worth.

Authlib's building blocks make the requests and judge the ID token, joserfc its signature. Authlib's ready-made client
is not used: it is one object a token, and warns that httpx is deprecated. Called by `signing` and `renewal`.
"""

import asyncio
from datetime import datetime
from typing import Any, TypeVar

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact
from pydantic import BaseModel, SecretStr, ValidationError

from services.console.session import errors
from services.console.session.rules import Flow
from services.console.session.schemas import Grant, GrantError, Metadata
from shared.auth import ALGORITHMS, Keys
from shared.telemetry import log

M = TypeVar("M", bound=BaseModel)

SCOPE = "openid"
_PATIENCE_S = 5.0
_FRESH_S = 600.0
_RETRY_S = 5.0
_LEEWAY_S = 30
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


class Provider:
    """`url` is the console's own address; without a `secret` it is a public client, which PKCE protects."""

    def __init__(self, issuer: str, url: str, client: str, secret: SecretStr | None, keys: Keys) -> None:
        self.issuer = issuer
        self._url = url.rstrip("/")
        self._client = client
        self._secret = secret
        self._keys = keys
        self._http = httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False)
        self._known: Metadata | None = None
        self._due_at = 0.0

    @property
    def _back(self) -> str:
        return f"{self._url}/sign-in/callback"

    async def metadata(self) -> Metadata:
        """What the issuer says of itself; what it said before, while it is away. Raises: Unavailable"""
        clock = asyncio.get_running_loop().time
        if self._known is None or clock() >= self._due_at:
            answer = await self._answer("GET", get_well_known_url(self.issuer, external=True))
            found = _read(Metadata, answer) if answer is not None and answer.is_success else None
            if found is not None and found.issuer == self.issuer:
                self._known, self._due_at = found, clock() + _FRESH_S
            else:
                self._due_at = clock() + _RETRY_S
                _warn("issuer_metadata_unusable", status=answer.status_code if answer is not None else None)
        if self._known is None:
            raise errors.unavailable()
        return self._known

    async def address(self, flow: Flow, longest_s: int, locale: str, hint: str | None) -> str:
        """Where the browser is to go to sign in. Raises: Unavailable

        `longest_s`: how old a sign-in may be that the issuer has already. `hint`: whom we expect.
        """
        found: str = prepare_grant_uri(
            (await self.metadata()).authorization_endpoint,
            self._client,
            "code",
            redirect_uri=self._back,
            scope=SCOPE,
            state=flow.state,
            nonce=flow.nonce,
            code_challenge=create_s256_code_challenge(flow.verifier),
            code_challenge_method="S256",
            max_age=str(longest_s),
            prompt="login" if flow.fresh else None,
            login_hint=hint,
            ui_locales=locale,
        )
        return found

    async def redeem(self, code: str, verifier: str) -> Grant:
        """Tokens for a code. Raises: Malformed (sign_in_declined), Unavailable"""
        asked = {"redirect_uri": self._back, "code": code, "code_verifier": verifier}
        found = await self._ask_token("authorization_code", asked)
        if isinstance(found, GrantError):
            raise errors.declined()
        return found

    async def renew(self, refresh_token: str) -> Grant:
        """Tokens for a refresh token. Raises: Ended, Unavailable"""
        found = await self._ask_token("refresh_token", {"refresh_token": refresh_token})
        if isinstance(found, GrantError):
            raise errors.Ended
        return found

    async def _ask_token(self, grant_type: str, asked: dict[str, str]) -> Grant | GrantError:
        """The tokens, or that the grant is worth nothing. Any other refusal is no fault of the person."""
        metadata = await self.metadata()
        secret = self._secret.get_secret_value() if self._secret is not None else None
        method = "none" if secret is None else _method(metadata)
        body = prepare_token_request(grant_type, **asked)
        url, headers, body = ClientAuth(self._client, secret, method).prepare(
            "POST", metadata.token_endpoint, dict(_FORM), body
        )
        answer = await self._answer("POST", url, headers=headers, content=body)
        if answer is not None and answer.is_success:
            if (grant := _read(Grant, answer)) is not None:
                return grant
        elif (refusal := _read(GrantError, answer)) is not None and refusal.error == "invalid_grant":
            return refusal
        _warn("issuer_gave_no_tokens", status=answer.status_code if answer is not None else None)
        raise errors.unavailable()

    async def proven(self, grant: Grant, now: datetime, *, nonce: str | None) -> dict[str, Any]:
        """The claims of the ID token, which is this issuer's, for this console and (if given) for this nonce.

        Raises: Malformed (sign_in_unproven), Unavailable
        """
        token = grant.id_token or ""
        try:
            keys = await self._keys.get(extract_compact(token.encode()).headers().get("kid"))
            found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            options = {"iss": {"value": self.issuer}, "aud": {"value": self._client}}
            expected = {"nonce": nonce, "client_id": self._client, "access_token": grant.access_token}
            claims = CodeIDToken(found.claims, found.header, options, expected)
            claims.validate(int(now.timestamp()), _LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            _warn("id_token_refused", error=type(error).__name__)
            raise errors.unproven() from None
        return dict(claims)

    async def way_out(self, id_token: str | None, locale: str) -> str | None:
        """Where the browser goes to end the sign-in at the issuer; None if that is not offered. Raises: Unavailable"""
        endpoint = (await self.metadata()).end_session_endpoint
        if endpoint is None or id_token is None:
            return None
        return str(
            httpx.URL(endpoint).copy_merge_params(
                {
                    "id_token_hint": id_token,
                    "client_id": self._client,
                    "post_logout_redirect_uri": f"{self._url}/signed-out",
                    "ui_locales": locale,
                }
            )
        )

    async def _answer(self, method: str, url: str, **more: Any) -> httpx.Response | None:
        """None if the issuer is silent."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._http.request(method, url, **more)
        except (httpx.HTTPError, TimeoutError) as error:
            _warn("issuer_away", error=type(error).__name__)
            return None

    async def close(self) -> None:
        await self._http.aclose()


def _method(metadata: Metadata) -> str:
    """How a client with a secret shows it."""
    offered = metadata.token_endpoint_auth_methods_supported
    return "client_secret_post" if "client_secret_basic" not in offered else "client_secret_basic"


def _read(kind: type[M], answer: httpx.Response | None) -> M | None:
    try:
        return kind.model_validate_json(answer.content) if answer is not None else None
    except ValidationError:
        return None


def _warn(event: str, **more: Any) -> None:
    log(part="session").warning(event, **more)
