"""The HTTP door of accounts, for administrators."""

from typing import Annotated

from fastapi import Path, Request, Response

from services.identity.account.administration import DROP_FACTOR, INVITE, LOCK, READ, Administration
from services.identity.account.schemas import AccountView, Invitation
from services.identity.account.service import Accounts
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Router, Tx, problem_responses, shown_once

Name = Annotated[str, Path(max_length=64, description="sign-in name of a person")]
Inviter = Annotated[Principal, may(INVITE)]
Locker = Annotated[Principal, may(LOCK)]


def build(administration: Administration, accounts: Accounts, issuer: str) -> Router:
    router = Router(prefix="/v1/accounts", tags=["accounts"])
    site = issuer.rstrip("/")

    @router.get("/{name}", summary="How things stand with an account", responses=problem_responses(404))
    async def get_account(name: Name, tx: Tx, who: Annotated[Principal, may(READ)]) -> AccountView:
        found = await administration.account(tx, who, name)
        has_password = found.secret_hash is not None
        return AccountView(
            name=found.name,
            locked=found.locked_at is not None,
            password_set_at=found.set_at if has_password else None,
            password_due=has_password and accounts.is_due(found, now()),
            second_factor=found.has_second_factor,
        )

    @router.post(
        "/{name}/invitation",
        status_code=201,
        summary="A one-time link to set a password; the answer shows it, once",
        responses=problem_responses(404, 409),
    )
    async def invite_account(name: Name, request: Request, tx: Tx, who: Inviter) -> Invitation:
        shown_once(request)
        code, expires_at = await administration.invite(tx, who, name, now())
        return Invitation(name=name, code=code, link=f"{site}/invitation/{code}", expires_at=expires_at)

    @router.post(
        "/{name}/second-factor/off",
        status_code=204,
        summary="Switch off the factor of a person who lost it",
        responses=problem_responses(404, 409),
    )
    async def drop_second_factor(name: Name, tx: Tx, who: Annotated[Principal, may(DROP_FACTOR)]) -> Response:
        await administration.drop_second_factor(tx, who, name, now())
        return Response(status_code=204)

    @router.post("/{name}/lock", status_code=204, summary="Close an account", responses=problem_responses(404))
    async def lock_account(name: Name, tx: Tx, who: Locker) -> Response:
        await administration.set_lock(tx, who, name, now(), locked=True)
        return Response(status_code=204)

    @router.post("/{name}/unlock", status_code=204, summary="Open it again", responses=problem_responses(404))
    async def unlock_account(name: Name, tx: Tx, who: Locker) -> Response:
        await administration.set_lock(tx, who, name, now(), locked=False)
        return Response(status_code=204)

    @router.post(
        "/{name}/sessions/end",
        status_code=204,
        summary="Sign a person out everywhere",
        responses=problem_responses(404),
    )
    async def end_sessions(name: Name, tx: Tx, who: Locker) -> Response:
        await administration.end_sessions(tx, who, name, now())
        return Response(status_code=204)

    return router
