"""The OAuth and OpenID Connect endpoints for apps and systems; who asks proves it in the request."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from services.identity.sign_in import forms
from services.identity.sign_in.discovery import discovery
from services.identity.sign_in.provider import Caller, Provider
from services.identity.sign_in.schemas import Discovery, Introspection, TokenError, Tokens, UserInfo
from services.identity.sign_in.server import INTROSPECTION, REVOCATION, Answer
from services.identity.sign_in.visits import address_of
from shared.auth import SignedIn
from shared.clock import now
from shared.errors import TooManyRequests
from shared.web import Later, Router, Tx, problem_responses

_REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": TokenError} for status in (400, 401, 429)}
_RESPONSES = {**_REFUSALS, **problem_responses(503)}
_CACHED = "public, max-age=60"
_CLIENT = ("client_id", "client_secret")
_GRANT = ("code", "redirect_uri", "code_verifier", "refresh_token", "scope", *_CLIENT)


def build(provider: Provider, issuer: str) -> Router:
    router = Router(tags=["sign-in"])

    @router.get("/.well-known/openid-configuration", summary="What this issuer offers")
    async def get_discovery(response: Response) -> Discovery:
        response.headers["Cache-Control"] = _CACHED
        return discovery(issuer)

    @router.post(
        "/oauth/token",
        summary="Tokens for a code, for a refresh token, or for a system in its own name",
        response_model=Tokens,
        responses=_RESPONSES,
        openapi_extra=forms.openapi(["grant_type"], _GRANT),
    )
    async def issue_token(request: Request, work: Later) -> Response:
        return await _answered(request, "grant_type", lambda form, caller: provider.token(work, form, caller, now()))

    @router.post(
        "/oauth/revoke",
        summary="Take a token back (RFC 7009)",
        responses=_RESPONSES,
        openapi_extra=forms.openapi(["token"], ("token_type_hint", *_CLIENT)),
    )
    async def revoke_token(request: Request, work: Later) -> Response:
        return await _answered(
            request, "token", lambda form, caller: provider.about(work, REVOCATION, form, caller, now())
        )

    @router.post(
        "/oauth/introspect",
        summary="What a token is, for systems that can keep a secret (RFC 7662)",
        response_model=Introspection,
        responses=_RESPONSES,
        openapi_extra=forms.openapi(["token"], ("token_type_hint", *_CLIENT)),
    )
    async def introspect_token(request: Request, work: Later) -> Response:
        return await _answered(
            request, "token", lambda form, caller: provider.about(work, INTROSPECTION, form, caller, now())
        )

    @router.get("/oauth/userinfo", summary="Who signed in (OpenID Connect)", responses=problem_responses(403))
    async def get_userinfo(tx: Tx, who: SignedIn) -> UserInfo:
        return UserInfo(**await provider.userinfo(tx, who))

    @router.post("/oauth/userinfo", summary="Who signed in, by POST", responses=problem_responses(403))
    async def post_userinfo(tx: Tx, who: SignedIn) -> UserInfo:
        return UserInfo(**await provider.userinfo(tx, who))

    return router


async def _answered(
    request: Request, needed: str, decide: Callable[[list[tuple[str, str]], Caller], Awaitable[Answer]]
) -> Response:
    authorization = request.headers.get("authorization")
    content_type = request.headers.get("content-type", "")
    try:
        form = forms.read_form(content_type, await request.body(), authorization, needed)
        answer = await decide(form, Caller(authorization, address_of(request)))
    except forms.Refused as error:
        return _refusal(error.error, error.description, error.status)
    except TooManyRequests as error:
        return _refusal("temporarily_unavailable", error.detail, 429, dict(error.headers))
    return JSONResponse(answer.body, answer.status, answer.headers)


def _refusal(error: str, description: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(TokenError(error=error, error_description=description).model_dump(), status, headers)
