"""Who the caller is, and the tree of units."""

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
    }


async def test_units_are_for_those_who_may_read_staff(identity: RunningIdentity) -> None:
    answer = await identity.http.get("/v1/units", headers=await identity.bearer("boss"))
    assert [(unit["id"], unit["parent"]) for unit in answer.json()["items"]] == [
        ("hq", None), ("north", "hq"), ("north-1", "north"), ("south", "hq"),
    ]  # fmt: skip
    assert (await identity.http.get("/v1/units", headers=await identity.bearer("staff"))).status_code == 403
    assert (await identity.http.get("/v1/units")).status_code == 401
    assert (await identity.http.get("/v1/me")).status_code == 401


async def test_the_openapi_document_says_which_routes_are_open(identity: RunningIdentity) -> None:
    paths = (await identity.http.get("/openapi.json")).json()["paths"]
    open_routes = {
        (method, path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "security" not in operation
    }
    assert open_routes == {
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
        ("get", "/.well-known/openid-configuration"),
        ("get", "/.well-known/jwks.json"),
        ("post", "/v1/sign-ins"),
        ("post", "/oauth/token"),
    }


async def test_the_openapi_document_tells_refusals_as_they_are_sent(identity: RunningIdentity) -> None:
    paths = (await identity.http.get("/openapi.json")).json()["paths"]
    refusals = paths["/v1/dead-letters/{letter_id}"]["get"]["responses"]
    assert set(refusals) == {"200", "400", "401", "403", "404", "422", "503"}
    assert list(refusals["422"]["content"]) == ["application/problem+json"]
    assert {"400", "413"} <= set(paths["/v1/sign-ins"]["post"]["responses"])
