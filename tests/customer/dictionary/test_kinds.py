"""Every kind of customer has a file like any other: registered, listed, read, changed, with history, graded or not."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from services.customer.dictionary.service import Dictionaries
from shared.regime import Catalogue, GradePolicy, Use, load
from tests.customer.dictionary.test_accuracy import faults
from tests.factories.customer import REGIMES, UNIT, RunningCustomer, running
from tests.factories.regimes import with_kiosks

LOADED, DAY = load(REGIMES), date(2026, 11, 30)
KINDS = Dictionaries(LOADED).kinds(datetime(2026, 11, 30, tzinfo=UTC))
OTHER_NAME = "示例另名有限公司"
_numbers = count(1)


def whole_file(catalogue: Catalogue, **more: Any) -> dict[str, Any]:
    """The example of a kind under a number of its own, which keeps the form that the kind may ask for."""
    number = catalogue.used_as(Use.NUMBER)
    assert number is not None
    fresh = str(catalogue.example[number.code])[:-5] + f"{next(_numbers):05}"
    return {**catalogue.example, number.code: fresh, **more}


async def register(service: RunningCustomer, kind: str, values: dict[str, Any]):
    body = {"kind": kind, "values": values}
    return await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager"))


@pytest.mark.req("R5.1")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_of_any_kind_is_kept_like_any_other(service: RunningCustomer, kind: str) -> None:
    catalogue = LOADED.catalogue(kind, on=DAY)
    name, manager, number = (catalogue.used_as(use) for use in (Use.NAME, Use.MANAGER, Use.NUMBER))
    values = whole_file(catalogue, **{manager.code: "lu"})
    made = await register(service, kind, values)
    assert made.status_code == 201, made.text
    known = made.json()["id"]
    shown = {code: value["value"] for code, value in made.json()["values"].items() if value["set_by"] != "system"}
    assert shown.keys() == values.keys()

    listed = (await service.get("/v1/customers", kind=kind, number=values[number.code])).json()["items"]
    assert [(row["id"], row["name"], row["manager"], row["unit"]) for row in listed] == [
        (known, values[name.code], "lu", UNIT)
    ]
    changed = await service.patch(known, 1, **{name.code: OTHER_NAME})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"'), changed.text
    assert (await service.file(known))["name"] == OTHER_NAME
    history = (await service.get(f"/v1/customers/{known}/history")).json()["items"]
    assert [(entry["version"], len(entry["items"])) for entry in history] == [(2, 1), (1, len(values))]

    again = await register(service, kind, values)
    assert (again.status_code, again.json()["code"]) == (409, "number_taken")
    bare = await register(service, kind, {})
    required = {f"/values/{code}": "required" for code in catalogue.required}
    assert (bare.status_code, faults(bare)) == (422, required)

    await service.run_consumers()
    graded = await service.get(f"/v1/customers/{known}/grade")
    has_policy = LOADED.find(GradePolicy, kind, on=DAY) is not None
    assert graded.status_code == (200 if has_policy else 404)
    assert has_policy or graded.json()["code"] == "not_graded_yet"


@pytest.mark.req("R4.1")
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"retail"}))
async def test_certificates_and_places_of_any_kind_have_to_fit(service: RunningCustomer, kind: str) -> None:
    catalogue = LOADED.catalogue(kind, on=DAY)
    wrong = await register(
        service, kind,
        whole_file(
            catalogue, entity_certificate_number="91330106MA00000017", region="330108", entity_name="张三",
            certificate_number="330106198001010012",
        ),
    )  # fmt: skip
    assert faults(wrong) == {
        "/values/entity_certificate_number": "inconsistent",
        "/values/entity_name": "inconsistent",
        "/values/certificate_number": "inconsistent",
        "/values/region": "inconsistent",
        "/values/registered_place": "inconsistent",
    }
    nowhere = await register(service, kind, whole_file(catalogue, region="330199"))
    assert faults(nowhere) == {"/values/region": "not_in_list"}
    letter = await register(service, kind, whole_file(catalogue, entity_certificate_number="N2330106MF00000049"))
    assert letter.status_code == 201, letter.text


@pytest.mark.req("R4.1")
async def test_a_credit_code_is_told_by_its_check_character(service: RunningCustomer) -> None:
    customer = await service.register(unified_credit_code="91110000600037341L")
    wrong = await service.patch(customer["id"], 1, unified_credit_code="91110000600037341M")
    assert faults(wrong) == {"/values/unified_credit_code": "check_failed"}
    right = await service.patch(customer["id"], 1, unified_credit_code="N2330106MF00000049")
    assert right.status_code == 200


@pytest.fixture
async def with_kiosk(tmp_path: Path, dsn: str, issuer) -> AsyncIterator[RunningCustomer]:
    """The service on measures with one kind and one item more."""
    root = with_kiosks(tmp_path / "regimes")
    personal = root / "retail-customer" / "dictionary" / "personal.yaml"
    added = (
        "items:\n  - code: nickname\n    label: {zh: 昵称, en: Nickname}\n    definition: {zh: 称呼, en: Nickname}\n"
    )
    added += (
        "    calibre: {zh: 按本人意愿, en: As they like}\n    type: text\n    max_length: 9\n    maintenance: static\n"
    )
    added += "    source: staff_collection\n    maintained_by: customer_manager\n    origin: extension\n"
    personal.write_text(personal.read_text("utf-8").replace("items:\n", added, 1), "utf-8")
    async with running(dsn, issuer, regimes_path=root) as service:
        yield service


@pytest.mark.req("R5.1")
async def test_a_new_kind_and_a_new_item_are_yaml_alone(with_kiosk: RunningCustomer) -> None:
    service = with_kiosk
    dictionary = (await service.get("/v1/dictionary", kind="kiosk")).json()
    assert [item["code"] for item in dictionary["items"]][-1] == "pitch_length"
    assert {group["id"] for group in dictionary["groups"]} == {"stand"}
    given = {"customer_code": "K-0001", "shop_name": "虚构报刊亭", "legal_representative": "虚构·李四"}
    refused = await register(service, "kiosk", {**given, "pitch_length": "wide", "counter_count": 3})
    assert faults(refused) == {"/values/pitch_length": "wrong_type", "/values/counter_count": "unknown_item"}
    made = await register(service, "kiosk", {**given, "pitch_length": "2.5"})
    assert made.status_code == 201, made.text
    listed = (await service.get("/v1/customers", kind="kiosk")).json()["items"]
    assert [(row["kind"], row["name"]) for row in listed] == [("kiosk", "虚构报刊亭")]

    customer = await service.register(nickname="老张")
    assert customer["values"]["nickname"]["value"] == "老张"
    assert faults(await service.patch(customer["id"], 1, nickname="一二三四五六七八九十")) == {
        "/values/nickname": "too_long"
    }

    document = (await service.http.get("/openapi.json")).json()["paths"]
    posted = document["/v1/customers"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert posted.keys() == {*KINDS, "kiosk"}
    assert posted["kiosk"]["value"]["values"]["pitch_length"] == "2.5"
    change = document["/v1/customers/{customer_id}"]["patch"]["requestBody"]["content"]["application/json"]
    assert change["examples"]["kiosk"]["value"] == {"values": {"shop_name": "虚构报刊亭"}}
