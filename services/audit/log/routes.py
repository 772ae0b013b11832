"""The log's HTTP door: C2SP tlog-tiles for stock tools, proofs as JSON.

Checkpoint and tiles hold no personal data, so any signed-in caller may mirror and witness them; proofs of single
entries are for those who hold `entry.prove`.
"""

from typing import Annotated

from fastapi import Path, Query, Response
from fastapi.responses import PlainTextResponse

from services.audit.log import service
from services.audit.log.schemas import Consistency, Inclusion
from shared.auth import Principal, SignedIn, may
from shared.web import Router, Tx, problem_responses

MOST_ENTRIES = (1 << 63) - 1
Prover = Annotated[Principal, may("entry.prove")]
Position = Annotated[int, Path(ge=0, le=MOST_ENTRIES)]
Size = Annotated[int, Query(ge=1, le=MOST_ENTRIES)]
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def build(origin: str) -> Router:
    router = Router(tags=["log"])
    _mirror_routes(router, origin)
    _proof_routes(router, origin)
    return router


def _mirror_routes(router: Router, origin: str) -> None:
    @router.get(
        "/log/checkpoint",
        summary="The newest signed checkpoint",
        response_class=PlainTextResponse,
        responses=problem_responses(404),
    )
    async def get_checkpoint(tx: Tx, _who: SignedIn) -> str:
        return await service.checkpoint(tx)

    @router.get(
        "/log/tile/{address:path}",
        summary="A tile or an entry bundle, full or partial",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}, **problem_responses(404)},
    )
    async def get_tile(address: str, tx: Tx, _who: SignedIn) -> Response:
        return Response(
            await service.tile(tx, origin, address), media_type="application/octet-stream", headers=_FOREVER
        )


def _proof_routes(router: Router, origin: str) -> None:
    @router.get(
        "/v1/entries/{index}/proof", summary="Prove that an entry is in the tree", responses=problem_responses(404, 422)
    )
    async def prove_entry(index: Position, tx: Tx, _who: Prover, size: Size | None = None) -> Inclusion:
        proof = await service.inclusion(tx, origin, index, size)
        return Inclusion(
            index=proof.index,
            size=proof.size,
            leaf_hash=proof.leaf_hash.hex(),
            path=[each.hex() for each in proof.path],
            root=proof.root.hex(),
        )

    @router.get(
        "/v1/consistency", summary="Prove that the tree only grew between two sizes", responses=problem_responses(422)
    )
    async def prove_consistency(
        tx: Tx,
        _who: SignedIn,
        old: Annotated[int, Query(alias="from", ge=1, le=MOST_ENTRIES)],
        new: Annotated[int | None, Query(alias="to", ge=1, le=MOST_ENTRIES)] = None,
    ) -> Consistency:
        proof = await service.consistency(tx, origin, old, new)
        return Consistency(
            old=proof.old,
            new=proof.new,
            old_root=proof.old_root.hex(),
            new_root=proof.new_root.hex(),
            path=[each.hex() for each in proof.path],
        )
