"""Rules across items of one file: asked at registration and at each change that touches what they read."""

from datetime import UTC, date, datetime

import pytest

from services.customer.dictionary.accuracy import Accuracy
from services.customer.dictionary.service import Dictionaries
from shared.regime import load
from tests.factories.customer import REGIMES, RunningCustomer, Served, at_once, running, values
from tests.factories.regimes import with_kiosks

BASIC = "retail-customer/dictionary/basic.yaml"
GOOD_ID, BAD_ID = "330106198001010013", "330106198001010012"


def faults(answer) -> dict[str, str]:
    return {fault["pointer"]: fault["code"] for fault in answer.json().get("errors", ())}


@pytest.mark.req("R1.4")
async def test_a_licence_that_ends_before_it_starts_is_refused_together_with_all_other_faults(
    service: RunningCustomer,
) -> None:
    given = values(
        issued_on="2024-05-01", valid_until="2024-04-30", certificate_type="resident_id", certificate_number=BAD_ID,
        business_area=-1,
    )  # fmt: skip
    body = {"kind": "retail", "values": given}
    headers = service.as_("department_manager")
    answer = await service.http.post("/v1/customers", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_values")
    assert faults(answer) == {
        "/values/business_area": "below_minimum",
        "/values/certificate_number": "inconsistent",
        "/values/valid_until": "inconsistent",
    }
    told = {fault["pointer"]: fault for fault in answer.json()["errors"]}["/values/valid_until"]
    assert (told["seen"], told["expected"]) == (
        "2024-04-30", "a last day of validity that is not before the day of issue",
    )  # fmt: skip
    answer = await service.http.post("/v1/customers", json=body, headers={**headers, "Accept-Language": "zh-CN"})
    assert "有效日期不早于发证日期" in [fault["expected"] for fault in answer.json()["errors"]]
    assert await service.outbox("customer.registered") == []


@pytest.mark.req("R1.4")
async def test_a_change_is_judged_over_the_file_as_it_would_be(service: RunningCustomer) -> None:
    customer = await service.register(issued_on="2024-05-01", valid_until="2029-04-30")
    for items in ({"valid_until": "2024-04-30"}, {"issued_on": "2029-05-01"}):
        answer = await service.patch(customer["id"], 1, **items)
        assert (answer.status_code, faults(answer)) == (422, {f"/values/{code}": "inconsistent" for code in items})
    both = await service.patch(customer["id"], 1, issued_on="2014-05-01", valid_until="2019-04-30")
    assert both.status_code == 200
    gone = await service.patch(customer["id"], 2, valid_until=None)
    assert gone.status_code == 200, "what is not known is not wrong"
    assert (await service.patch(customer["id"], 3, issued_on="2024-05-01")).status_code == 200


@pytest.mark.req("R4.1")
async def test_a_persons_name_with_a_companys_certificate_is_refused(service: RunningCustomer) -> None:
    customer = await service.register(legal_representative="虚构·张三")
    answer = await service.patch(customer["id"], 1, certificate_type="unified_credit_code")
    assert faults(answer) == {"/values/certificate_type": "inconsistent"}
    assert (await service.patch(customer["id"], 1, certificate_type="resident_id")).status_code == 200
    answer = await service.patch(customer["id"], 2, certificate_number="91330106MA00000016")
    assert faults(answer) == {"/values/certificate_number": "inconsistent"}
    assert (await service.patch(customer["id"], 2, certificate_number=GOOD_ID)).status_code == 200
    answer = await service.patch(customer["id"], 3, certificate_type="hk_macau_permit")
    assert faults(answer) == {"/values/certificate_type": "inconsistent"}, "at what was changed, if nothing else"


@pytest.mark.req("R1.4")
async def test_two_halves_of_a_contradiction_written_at_once_are_not_both_stored(service: RunningCustomer) -> None:
    for _ in range(3):
        customer = await service.register(issued_on="2020-01-01", valid_until="2025-12-31")
        answers = await at_once(
            lambda known=customer["id"]: service.patch(known, 1, issued_on="2024-01-01"),
            lambda known=customer["id"]: service.patch(known, 1, valid_until="2023-12-31"),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422]


@pytest.mark.req("R1.4")
async def test_a_file_that_is_wrong_already_can_be_changed_elsewhere(served: Served) -> None:
    rule = "expression: issued_on <= valid_until"
    async with served(("retail-customer/dictionary/management.yaml", rule, f"{rule} or true")) as service:
        customer = await service.register(issued_on="2024-05-01", valid_until="2024-04-30")
    async with served() as service:
        changed = await service.patch(customer["id"], 1, business_area=12)
        assert changed.status_code == 200
        same = await service.patch(customer["id"], 2, issued_on="2024-05-01")
        assert (same.status_code, same.json()["values"]) == (200, {}), "nothing changes, so nothing is judged"
        assert (await service.patch(customer["id"], 2, issued_on="2024-05-02")).status_code == 422


@pytest.mark.req("R5.5")
async def test_a_rule_tells_nobody_of_what_they_may_not_see(served: Served) -> None:
    hidden = (
        "    field_class: identity\n    maintained_by: customer_manager\n    origin: extension\n  - code: postal_code"
    )
    secret = ("    secrecy: confidential\n" + hidden, "    secrecy: secret\n" + hidden)
    async with served((BASIC, *secret)) as service:
        customer = await service.register(certificate_type="resident_id", certificate_number=GOOD_ID)
        probing = await service.patch(customer["id"], 1, "customer_manager", certificate_type="passport")
        assert probing.status_code == 200, "the number is hidden from them, and so is whether it fits"
        refused = await service.patch(customer["id"], 2, certificate_type="taiwan_permit")
        assert faults(refused) == {"/values/certificate_type": "inconsistent"}


@pytest.mark.req("R5.1")
async def test_rules_that_came_with_shared_items_are_asked_of_the_kind_that_took_them(tmp_path, dsn, issuer) -> None:
    async with running(dsn, issuer, regimes_path=with_kiosks(tmp_path / "regimes")) as service:
        given = {"customer_code": "K-1", "shop_name": "虚构报刊亭", "legal_representative": "虚构·李四"}
        headers = service.as_("department_manager")

        async def register(**more):
            body = {"kind": "kiosk", "values": {**given, **more}}
            return await service.http.post("/v1/customers", json=body, headers=headers)

        wrong = await register(
            issued_on="2024-05-01", valid_until="2024-04-30", customer_status="active", pitch_length=0
        )
        assert faults(wrong) == {"/values/valid_until": "inconsistent", "/values/pitch_length": "inconsistent"}
        right = await register(issued_on="2024-05-01", customer_status="active", pitch_length="2.5")
        assert right.status_code == 201, right.text
        refused = await service.patch(right.json()["id"], 1, pitch_length="0.0")
        assert faults(refused) == {"/values/pitch_length": "inconsistent"}


def test_a_change_that_no_rule_reads_asks_for_nothing_more() -> None:
    regimes = load(REGIMES)
    dictionaries, moment = Dictionaries(regimes), datetime(2026, 11, 30, tzinfo=UTC)
    assert dictionaries.with_companions(["shop_name", "no_such_item"], moment) == ["shop_name", "no_such_item"]
    assert set(dictionaries.with_companions(["valid_until"], moment)) == {"valid_until", "issued_on"}
    day = date(2026, 11, 30)
    accuracy = Accuracy(regimes.catalogue("retail", on=day), regimes.labels(on=day), day)
    assert [rule.id for rule in accuracy.broken({"issued_on": "2027-01-01", "valid_until": "2026-12-01"})] == [
        "licence-dates",
        "licence-issued",
    ]
