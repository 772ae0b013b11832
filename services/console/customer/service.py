"""Asks the customer service for what the pages about customers show, and passes a change on. Called by the routes."""

import asyncio
from typing import Any

from services.console.clients import Panel, Peers, Refused, Reply, panel, together
from services.console.customer.rules import Item, grouped
from services.console.entry.rules import Search
from services.console.entry.service import Entries
from services.console.visits import Visit

_PAGE = 50
_HISTORY = 20
_ENTRIES = 10


class Customers:
    def __init__(self, peers: Peers, entries: Entries) -> None:
        self._peers = peers
        self._entries = entries

    async def page(self, visit: Visit, filters: dict[str, str | None], cursor: str | None) -> dict[str, Any]:
        found: dict[str, Any] = await self._peers.get(
            visit, "customer", "/v1/customers", **filters, cursor=cursor, limit=_PAGE
        )
        return found

    async def gather(self, visit: Visit, customer_id: str, history_cursor: str | None) -> dict[str, Any]:
        """The file must be there; grade, history and entries stand alone, None if not for the person."""
        file = await self.file(visit, customer_id)
        path = f"/v1/customers/{customer_id}"
        asked = await together(
            dictionary=panel(self.dictionary(visit, file["kind"])),
            grade=panel(self._grade(visit, path)) if visit.may("customer.grade.read") else _nothing(),
            history=panel(self._peers.get(visit, "customer", f"{path}/history", cursor=history_cursor, limit=_HISTORY))
            if visit.may("customer.history.read")
            else _nothing(),
            entries=panel(self._entries.page(visit, Search(subject=f"customer/{customer_id}"), limit=_ENTRIES))
            if visit.may("entry.read")
            else _nothing(),
        )
        return {"customer": file, "groups": _groups(asked["dictionary"], file), **asked}

    async def file(self, visit: Visit, customer_id: str) -> dict[str, Any]:
        """The file, with `etag` beside its members."""
        reply: Reply = await self._peers.reply(visit, "customer", f"/v1/customers/{customer_id}")
        return {**reply.body, "etag": reply.etag}

    async def dictionary(self, visit: Visit, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._peers.get(visit, "customer", "/v1/dictionary", kind=kind)
        return found

    async def item(self, visit: Visit, customer_id: str, code: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The file, and the item as its dictionary has it (None if it has none)."""
        file = await self.file(visit, customer_id)
        dictionary = await self.dictionary(visit, file["kind"])
        return file, next((each for each in dictionary["items"] if each["code"] == code), None)

    async def change(self, visit: Visit, customer_id: str, values: dict[str, Any], etag: str) -> None:
        """Raises: Refused"""
        await self._peers.send(
            visit, "customer", "PATCH", f"/v1/customers/{customer_id}", {"values": values}, if_match=etag
        )

    async def _grade(self, visit: Visit, path: str) -> dict[str, Any] | None:
        """None while the customer has not been graded yet."""
        try:
            found: dict[str, Any] = await self._peers.get(visit, "customer", f"{path}/grade")
        except Refused as refused:
            if refused.problem.code == "not_graded_yet":
                return None
            raise
        return found


def _groups(dictionary: Panel[dict[str, Any]], file: dict[str, Any]) -> list[tuple[Any, list[Item]]]:
    return grouped(dictionary.content, file["values"], file.get("withheld", ()))


async def _nothing() -> None:
    await asyncio.sleep(0)
