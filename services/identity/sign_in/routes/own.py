"""What signed-in people do with their own account, for machines: apps of theirs, with their token."""

from uuid import UUID

from fastapi import Request, Response

from services.identity.account.schemas import Authenticator, Code, OwnPasswordChange, Proof, RecoveryCodes
from services.identity.sign_in import errors
from services.identity.sign_in.own import OwnAccount, Self
from services.identity.sign_in.schemas import OwnSession, OwnSessions
from services.identity.sign_in.visits import address_of
from shared.auth import Principal, SignedIn
from shared.clock import now
from shared.web import Router, Tx, holds_secret, problem_responses, shown_once


def _me(request: Request, who: Principal) -> Self:
    """The person who asks; programs have no account of this kind. Raises: Forbidden"""
    if who.actor != f"staff/{who.name}":
        raise errors.no_person()
    return Self(who.name, address_of(request), UUID(who.session) if who.session else None)


def build(own: OwnAccount) -> Router:
    router = Router(prefix="/v1/me", tags=["own account"])

    @router.post(
        "/password",
        status_code=204,
        summary="Change one's password; every sign-in ends",
        responses=problem_responses(422, 429),
    )
    async def change_own_password(request: Request, who: SignedIn, body: OwnPasswordChange) -> Response:
        holds_secret(request)
        current, new = body.password.get_secret_value(), body.new_password.get_secret_value()
        await own.change_password(_me(request, who), current, new, now(), in_browser=False)
        return Response(status_code=204)

    @router.post(
        "/second-factor",
        status_code=201,
        summary="Begin with an authenticator; the answer shows its secret, once",
        responses=problem_responses(409, 422, 429),
    )
    async def enrol_second_factor(request: Request, who: SignedIn, body: Proof) -> Authenticator:
        shown_once(request)
        holds_secret(request)
        enrolment = await own.enrol(_me(request, who), body.password.get_secret_value(), now())
        return Authenticator(secret=enrolment.secret, address=enrolment.address)

    @router.post(
        "/second-factor/confirmation",
        status_code=201,
        summary="Put it in force by a code of it; the answer shows the recovery codes, once",
        responses=problem_responses(409, 422),
    )
    async def confirm_second_factor(request: Request, tx: Tx, who: SignedIn, body: Code) -> RecoveryCodes:
        shown_once(request)
        return RecoveryCodes(recovery_codes=await own.confirm(tx, _me(request, who), body.code, now()))

    @router.post(
        "/second-factor/off", status_code=204, summary="Switch it off", responses=problem_responses(409, 422, 429)
    )
    async def drop_own_second_factor(request: Request, who: SignedIn, body: Proof) -> Response:
        holds_secret(request)
        await own.drop(_me(request, who), body.password.get_secret_value(), now())
        return Response(status_code=204)

    @router.get("/sessions", summary="One's own sign-ins that last, newest first")
    async def list_own_sessions(request: Request, tx: Tx, who: SignedIn) -> OwnSessions:
        me = _me(request, who)
        return OwnSessions(
            items=[
                OwnSession(
                    id=session.id,
                    present=session.id == me.session,
                    method=session.method,
                    agent=session.agent,
                    apps=apps,
                    signed_in_at=session.authenticated_at,
                    seen_at=session.seen_at,
                    ends_at=session.ends_at,
                )
                for session, apps in await own.sessions(tx, me, now())
            ]
        )

    @router.delete("/sessions/{session}", status_code=204, summary="End one", responses=problem_responses(404))
    async def end_own_session(session: UUID, request: Request, tx: Tx, who: SignedIn) -> Response:
        await own.end_session(tx, _me(request, who), session, now())
        return Response(status_code=204)

    return router
