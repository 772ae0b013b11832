"""Plain routes answer exactly as the general machinery would, only sooner."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from shared.auth import Principal, may
from shared.web.door import StrictRequest
from shared.web.plain import plan_of
from shared.web.problems import validation_refusal

ID = "019a2b3c-0000-7000-8000-000000000001"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2)
    amount: int = 0


class General(APIRoute):
    """Reads strictly, the general way."""

    def get_route_handler(self) -> Any:
        general = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await general(StrictRequest(request.scope, request.receive))

        return handler


class Plain(APIRoute):
    """Reads strictly, plainly where that is possible."""

    def get_route_handler(self) -> Any:
        general = super().get_route_handler()
        plan = plan_of(self, ())
        assert plan is not None

        async def handler(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            return await plan.answer(strict) or await general(strict)

        return handler


async def put_thing(
    thing_id: UUID, body: Body, request: Request, if_match: Annotated[str | None, Header()] = None
) -> Response:
    return Response(f"{thing_id} {body.name} {body.amount} {if_match} {request.method}")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(strict_content_type=False)
    app.exception_handler(Exception)(lambda request, error: Response("failed", 500))
    app.add_exception_handler(RequestValidationError, validation_refusal)
    for name, kind in (("plain", Plain), ("general", General)):
        app.router.add_api_route(
            f"/{name}/{{thing_id}}", put_thing, methods=["PUT"], name=name, route_class_override=kind
        )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


@pytest.mark.parametrize("thing", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", "nonsense", "x" * 36])
@pytest.mark.parametrize(
    "content",
    [
        b'{"name": "ok"}', b'{"name": "ok", "amount": "7"}', b'{"name": "x"}', b'{"name": 7}', b'{"surprise": 1}',
        b"{", b"", b"null", b"[]", b'"text"', b'{"name": "\\ud800"}', b'{"name": "ok", "amount": 1e400}', b"\xff\xfe",
    ],
)  # fmt: skip
async def test_both_ways_answer_alike(client: httpx.AsyncClient, thing: str, content: bytes) -> None:
    for headers in (
        {"Content-Type": "application/json"},
        {"Content-Type": "application/json; charset=utf-8", "If-Match": '"3"'},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "text/plain"},
        {},
    ):
        answers = [
            await client.put(f"/{way}/{thing}", content=content, headers=headers) for way in ("plain", "general")
        ]
        plain, general = ((answer.status_code, answer.text.replace("/general/", "/plain/")) for answer in answers)
        assert plain == general


def route_of(endpoint: Any) -> APIRoute:
    return APIRoute("/things/{thing_id}", endpoint)


def test_what_is_not_plain_is_left_to_the_general_way() -> None:
    async def filtered(thing_id: UUID, name: Annotated[str | None, Query()] = None) -> Response: ...

    async def numbered(thing_id: int) -> Response: ...

    async def shaped(thing_id: UUID) -> Body: ...

    async def limited(thing_id: UUID, tag: Annotated[str | None, Header(max_length=3)] = None) -> Response: ...

    async def needed(thing_id: UUID, tag: Annotated[str, Header()]) -> Response: ...

    async def two_bodies(thing_id: UUID, one: Body, other: Body) -> Response: ...

    for endpoint in (filtered, numbered, shaped, limited, needed, two_bodies):
        assert plan_of(route_of(endpoint), ()) is None, endpoint.__name__
    assert plan_of(route_of(put_thing), ()) is not None


def test_a_guard_is_asked_before_anything_is_read() -> None:
    async def guarded(body: Body, who: Annotated[Principal, may("thing.change")], thing_id: UUID) -> Response: ...

    plan = plan_of(route_of(guarded), ())
    assert plan is not None
    assert [name for name, _ in plan.guards] == ["who"]
    assert plan.body == ("body", Body)
