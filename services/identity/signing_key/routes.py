"""The HTTP door of the signing keys: the key set for every verifier, rotation for staff who may."""

from typing import Annotated

from fastapi import Response

from services.identity.signing_key.schemas import JsonWebKeys, SigningKey
from services.identity.signing_key.service import SigningKeys
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Router, Tx, problem_responses

_CACHED = "public, max-age=60"


def build(keys: SigningKeys) -> Router:
    router = Router(tags=["keys"])

    @router.get("/.well-known/jwks.json", summary="The public keys", responses=problem_responses(503))
    async def get_keys(tx: Tx, response: Response) -> JsonWebKeys:
        response.headers["Cache-Control"] = _CACHED
        return JsonWebKeys(keys=await keys.published(tx, now()))

    @router.post(
        "/v1/signing-keys", status_code=201, summary="Rotate the signing key", responses=problem_responses(409, 422)
    )
    async def rotate_signing_key(tx: Tx, who: Annotated[Principal, may("identity.key.rotate")]) -> SigningKey:
        return SigningKey.model_validate(await keys.rotate(tx, who.actor, now()))

    return router
