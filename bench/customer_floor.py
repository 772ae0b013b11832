"""The floor of `bench.customer_change`: a bare FastAPI route on the same pool with the same two statements.

Run as a process of its own (`python -m bench.customer_floor`), one uvicorn worker, like the service. The token is
looked up in a cache; nothing is validated, sealed, traced or counted; event and outbox row are bytes of the usual size.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import orjson
import uvicorn
from fastapi import FastAPI, Header, Response
from pydantic import BaseModel

from services.customer.file.repository import LOCK, change_statement
from shared.clock import now
from shared.db import Database
from shared.ids import new_id

_SEALED = b"s" * 90
_VALUE = b"v" * 420
_HEADERS = b"h" * 420


class _Body(BaseModel):
    values: dict[str, Any]


def build(dsn: str, token: str) -> FastAPI:
    """The floor's application."""
    database = Database(dsn, pool=16)
    known = {hashlib.sha256(f"Bearer {token}".encode()).digest(): "staff/bench"}

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.start()
        yield
        await database.close()

    app = FastAPI(lifespan=lifespan)

    @app.patch("/v1/customers/{customer_id}")
    async def change(
        customer_id: UUID, body: _Body, authorization: Annotated[str, Header()], if_match: Annotated[str, Header()]
    ) -> Response:
        actor = known[hashlib.sha256(authorization.encode()).digest()]
        items, at = list(body.values), now()
        connection = await database.acquire()
        try:
            async with connection.transaction():
                row = await connection.fetchrow(LOCK, customer_id, items)
                assert row is not None and if_match == f'"{row["version"]}"'
                version, meta = row["version"] + 1, {code: [actor, at.isoformat(), at.isoformat()] for code in items}
                await connection.execute(
                    change_statement(()),
                    *(customer_id, version, body.values, [], meta, at, new_id(), "customer.changed", actor, items),
                    *(_SEALED, customer_id.int % 8, "kehu.customer", str(customer_id).encode(), _VALUE, _HEADERS),
                )
        finally:
            await database.release(connection)
        answer = orjson.dumps({"id": customer_id, "version": version, "values": body.values})
        return Response(answer, headers={"ETag": f'"{version}"'}, media_type="application/json")

    return app


if __name__ == "__main__":
    uvicorn.run(
        build(sys.argv[2], sys.argv[3]), host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False,
        http="httptools", loop="uvloop",
    )  # fmt: skip
