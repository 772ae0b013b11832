"""The HTTP doors for signing in: JSON for people, RFC 6749 for partner systems. Open to everybody by their nature."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from services.identity.directory.rules import Kind
from services.identity.sign_in import oauth
from services.identity.sign_in.schemas import AccessToken, SignInRequest, TokenError
from services.identity.sign_in.service import Attempt, SignIns
from shared.clock import now
from shared.errors import TooManyRequests, Unauthenticated
from shared.web import Router, problem_responses

_REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": TokenError} for status in (400, 401, 429)}


def build(sign_ins: SignIns) -> Router:
    router = Router(tags=["sign-in"])

    @router.post("/v1/sign-ins", summary="Sign in by password", responses=problem_responses(401, 422, 429, 503))
    async def sign_in(request: Request, given: SignInRequest) -> AccessToken:
        attempt = Attempt(Kind.PERSON, given.name, given.password.get_secret_value(), _address(request))
        issued = await sign_ins.sign_in(attempt, now())
        return AccessToken(access_token=issued.token, expires_in=issued.expires_in)

    @router.post(
        "/oauth/token",
        summary="A token for a partner's system (client credentials)",
        response_model=AccessToken,
        responses={**_REFUSALS, **problem_responses(503)},
        openapi_extra=oauth.openapi(),
    )
    async def issue_token(request: Request) -> AccessToken | Response:
        authorization = request.headers.get("authorization")
        try:
            asked = oauth.read(request.headers.get("content-type", ""), await request.body(), authorization)
            issued = await sign_ins.sign_in(
                Attempt(Kind.CLIENT, asked.client_id, asked.secret, _address(request)), now()
            )
        except oauth.Refused as error:
            return _refusal(error)
        except Unauthenticated:
            refused = oauth.Refused(
                "invalid_client", "unknown client or wrong secret", status=401, by_header=authorization is not None
            )
            return _refusal(refused)
        except TooManyRequests as error:
            slow = oauth.Refused("temporarily_unavailable", error.detail, status=429)
            return _refusal(slow, dict(error.headers))
        return AccessToken(access_token=issued.token, expires_in=issued.expires_in)

    return router


def _refusal(error: oauth.Refused, headers: dict[str, str] | None = None) -> Response:
    challenge = {"WWW-Authenticate": 'Basic realm="kehu"'} if error.by_header else {}
    body = TokenError(error=error.error, error_description=error.description)
    return JSONResponse(body.model_dump(), error.status, headers={**challenge, **(headers or {})})


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
