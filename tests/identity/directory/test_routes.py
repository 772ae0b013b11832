"""Who the caller is, and the tree of units."""

from tests.factories.directory import TODAY
from tests.factories.identity import RunningIdentity


async def test_me_tells_who_the_caller_is_and_what_they_may(identity: RunningIdentity) -> None:
    answer = await identity.http.get("/v1/me", headers=await identity.bearer("staff"))
    assert answer.status_code == 200
    me = answer.json()
    assert "customer.change" in me.pop("actions")
    assert me == {
        "name": "staff",
        "full_name": "示例员工",
        "actor": "staff/staff",
        "roles": ["customer_manager"],
        "unit": "north",
        "held": [
            {
                "role": "customer_manager", "unit": "north", "from_on": TODAY.isoformat(), "until_on": None,
                "deputy_for": None,
            }
        ],
    }  # fmt: skip


async def test_me_tells_a_partners_system_how_it_is_called(identity: RunningIdentity) -> None:
    token = (await identity.ask_token()).json()["access_token"]
    me = (await identity.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).json()
    assert (me["actor"], me["full_name"], me["roles"], me["held"]) == (
        "client/partner", "示例合作方", ["partner_reporter"], [],
    )  # fmt: skip


async def test_nobody_is_told_who_they_are_without_a_token(identity: RunningIdentity) -> None:
    assert (await identity.http.get("/v1/me")).status_code == 401


async def test_the_openapi_document_tells_refusals_as_they_are_sent(identity: RunningIdentity) -> None:
    paths = (await identity.http.get("/openapi.json")).json()["paths"]
    refusals = paths["/v1/dead-letters/{letter_id}"]["get"]["responses"]
    assert set(refusals) >= {"200", "400", "401", "403", "404", "422", "503"}
    assert list(refusals["422"]["content"]) == ["application/problem+json"]
    assert {"400", "413"} <= set(paths["/oauth/token"]["post"]["responses"])
