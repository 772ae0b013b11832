"""The directory's HTTP door."""

from typing import Annotated

from services.identity.directory.restating import Restating
from services.identity.directory.schemas import HeldRole, Me, Restated
from services.identity.directory.service import Directory
from shared.auth import Principal, SignedIn, may
from shared.clock import now
from shared.web import Router, Tx


def build(directory: Directory, restating: Restating) -> Router:
    router = Router(prefix="/v1", tags=["directory"])

    @router.get("/me", summary="Who the caller is, and what they may do")
    async def get_me(tx: Tx, who: SignedIn) -> Me:
        moment = now()
        standing = await directory.standing(tx, who.name, moment)
        return Me(
            name=who.name,
            full_name=await directory.full_name(tx, who, moment),
            actor=who.actor,
            roles=list(who.roles),
            unit=who.unit,
            actions=sorted(who.powers),
            held=[HeldRole.model_validate(each) for each in standing.held] if standing else [],
        )

    @router.post(
        "/directory/restatements",
        status_code=201,
        summary="Publish the whole directory once more",
    )
    async def restate_directory(tx: Tx, who: Annotated[Principal, may("identity.restate")]) -> Restated:
        return Restated.model_validate(await restating.restate(tx, who, now()))

    return router
