"""Asks the audit service for what the pages about entries show. Other features call it too."""

from dataclasses import dataclass
from typing import Any

from services.console.clients import Panel, Peers, Refused, panel
from services.console.entry.rules import Checkpoint, Search, proves, read_checkpoint
from services.console.visits import Visit

_PAGE = 50


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the console could verify that an entry is in the tree, and in which one.

    `checkpoint` is the signed tree that holds it, None if the newest one is older than the entry.
    """

    holds: bool
    size: int
    root: str
    steps: int
    checkpoint: Checkpoint | None


class Entries:
    """`GET /v1/entries…` and the proofs of the audit service."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def page(
        self, visit: Visit, search: Search, *, cursor: str | None = None, limit: int = _PAGE, opened: bool = False
    ) -> dict[str, Any]:
        """Newest first; values only if `opened`."""
        found: dict[str, Any] = await self._peers.get(
            visit,
            "audit",
            "/v1/entries",
            **search.query,
            order="desc",
            values=str(opened).lower(),
            cursor=cursor,
            limit=limit,
        )
        return found

    async def newest(self, visit: Visit) -> int | None:
        """Index of the newest entry; None while there is none."""
        items = (await self.page(visit, Search(), limit=1))["items"]
        return items[0]["index"] if items else None

    async def entry(self, visit: Visit, index: int) -> dict[str, Any]:
        found: dict[str, Any] = await self._peers.get(visit, "audit", f"/v1/entries/{index}")
        return found

    async def proof(self, visit: Visit, index: int, leaf_hash: str) -> Panel[Proof]:
        """An inclusion proof, verified here against the newest signed checkpoint if that holds the entry."""
        return await panel(self._proof(visit, index, leaf_hash))

    async def _proof(self, visit: Visit, index: int, leaf_hash: str) -> Proof:
        checkpoint = await self._checkpoint(visit)
        signed = checkpoint if checkpoint is not None and index < checkpoint.size else None
        size = signed.size if signed else None
        proof = await self._peers.get(visit, "audit", f"/v1/entries/{index}/proof", size=size)
        holds = proves(proof, index, leaf_hash)
        if signed is not None:
            holds = holds and (proof["size"], proof["root"]) == (signed.size, signed.root)
        return Proof(holds, proof["size"], proof["root"], len(proof["path"]), signed)

    async def _checkpoint(self, visit: Visit) -> Checkpoint | None:
        """The newest one; None while the log has not signed any."""
        try:
            return read_checkpoint(await self._peers.text(visit, "audit", "/log/checkpoint"))
        except Refused as refused:
            if refused.problem.status == 404:
                return None
            raise
