"""The main job as its users see it: a change is audited with a proof, re-graded and told, on both transports."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.factories import proofs
from tests.factories.live import Live, until

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.1")]
ORIGIN = "kehu.example/audit"


@pytest.mark.req("R0.2")
def test_a_change_appears_in_the_audit_log_with_its_values_once(live: Live) -> None:
    customer = live.register()["id"]
    live.change(customer, 1, contact_phone="13900000001")
    entry = live.entry(customer, "customer.changed", 2)
    assert (entry["actor"], entry["source"], entry["items"]) == ("staff/manager1", "/customer/file", ["contact_phone"])
    assert entry["data"]["values"] == {"contact_phone": {"before": "13900000000", "after": "13900000001"}}
    assert live.entry(customer, "customer.registered", 1)["index"] < entry["index"]


@pytest.mark.req("R0.2")
def test_the_entry_of_a_change_is_proved_from_outside_against_a_signed_checkpoint(live: Live) -> None:
    customer = live.register()["id"]
    live.change(customer, 1, shop_name="证明便利店")
    entry = live.entry(customer, "customer.changed", 2)
    auditor = live.as_("auditor", "audit")

    def newest() -> tuple[int, bytes] | None:
        found = proofs.checkpoint_of(auditor.get("/log/checkpoint").text, ORIGIN, _public_key(live))
        return found if found[0] > entry["index"] else None

    size, root = until(newest)
    proof = auditor.get(f"/v1/entries/{entry['index']}/proof", params={"size": size}).json()
    assert (proof["index"], proof["size"], proof["leaf_hash"]) == (entry["index"], size, entry["leaf_hash"])
    path = [bytes.fromhex(each) for each in proof["path"]]
    assert proofs.root_by_path(entry["index"], size, bytes.fromhex(entry["leaf_hash"]), path) == root
    leaf = _leaf(live, entry["index"], size)
    assert proofs.hash_of_leaf(leaf).hex() == entry["leaf_hash"]
    assert entry["event_id"].encode() in leaf


@pytest.mark.req("R0.2")
def test_a_checked_proof_does_not_fit_another_entry(live: Live) -> None:
    entries = live.entries(limit=2)
    auditor = live.as_("auditor", "audit")
    size, root = proofs.checkpoint_of(auditor.get("/log/checkpoint").text, ORIGIN, _public_key(live))
    path = auditor.get("/v1/entries/0/proof", params={"size": size}).json()["path"]
    other = bytes.fromhex(entries[1]["leaf_hash"])
    assert proofs.root_by_path(0, size, other, [bytes.fromhex(each) for each in path]) != root


@pytest.mark.req("R0.3")
@pytest.mark.req("R1.5")
def test_a_change_that_counts_moves_the_grade_explains_it_and_tells_the_manager_once(live: Live) -> None:
    customer = live.register(credit_level="D")["id"]
    assert live.grade(customer, 1)["grade"] == "E"
    live.change(customer, 1, credit_level="A")
    grade = live.grade(customer, 2)
    assert grade["grade"] != "E"
    assert grade["customer_version"] == 2
    assert set(grade["policy"]) == {"id", "version", "hash"}
    indicators = {each["id"]: each for each in grade["indicators"]}
    assert (indicators["credit_level"]["value"], indicators["credit_level"]["points"]) == ("A", "100")
    assert _score_of(grade) == grade["score"]
    live.entry(customer, "customer.grade_changed", 2)
    told = until(lambda: _told(live, customer, f"went from E to {grade['grade']}"))
    assert len(told) == 1
    assert told[0]["recipient"] == "staff/manager1"
    assert live.inbox("manager2", f"customer/{customer}") == []


@pytest.mark.req("R0.3")
def test_a_change_outside_the_policy_triggers_nothing(live: Live) -> None:
    customer = live.register()["id"]
    before = live.grade(customer, 1)
    live.change(customer, 1, contact_phone="13900000009", shop_name="新名便利店")
    live.entry(customer, "customer.changed", 2)
    # A later change that counts passes the same queue: what the first one triggered would stand before it.
    live.change(customer, 2, business_area=46)
    after = live.grade(customer, 3)
    assert (after["grade"], after["serial"]) == (before["grade"], before["serial"])
    changes = live.entries(subject=f"customer/{customer}", type="customer.grade_changed")
    assert [each["sequence"] for each in changes] == [1]
    assert live.as_("dept").get(f"/v1/customers/{customer}/grades").json()["items"][0]["customer_version"] == 1
    assert len(until(lambda: live.inbox("manager1", f"customer/{customer}"))) == 1


def test_history_tells_who_changed_which_item_newest_first(live: Live) -> None:
    customer = live.register()["id"]
    live.change(customer, 1, shop_name="二号便利店")
    live.change(customer, 2, who="dept", shop_name="三号便利店", credit_level="B")
    items = live.as_("manager1").get(f"/v1/customers/{customer}/history").json()["items"]
    assert [(each["version"], each["actor"]) for each in items] == [
        (3, "staff/dept"),
        (2, "staff/manager1"),
        (1, "staff/dept"),
    ]
    assert items[0]["items"] == [
        {"code": "shop_name", "before": "二号便利店", "after": "三号便利店"},
        {"code": "credit_level", "before": None, "after": "B"},
    ]


@pytest.mark.req("R0.2")
def test_versions_stand_in_the_log_without_gaps_and_in_their_order(live: Live) -> None:
    customer = live.register()["id"]
    for version in range(1, 12):
        live.change(customer, version, shop_name=f"{version} 号便利店")
    live.entry(customer, "customer.changed", 12)
    found = live.entries(subject=f"customer/{customer}", type="customer.changed")
    assert [each["sequence"] for each in found] == list(range(2, 13))
    assert [each["index"] for each in found] == sorted({each["index"] for each in found})


@pytest.mark.req("R15.4")
def test_one_trace_leads_from_the_request_to_the_change_of_grade(live: Live) -> None:
    customer = live.register(credit_level="D")["id"]
    live.grade(customer, 1)
    trace = f"{int(customer.replace('-', ''), 16):032x}"
    answer = live.as_("manager1").patch(
        f"/v1/customers/{customer}",
        json={"values": {"credit_level": "A"}},
        headers={"If-Match": '"1"', "traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
    )
    assert answer.headers["traceparent"].split("-")[1] == trace
    changed = live.entry(customer, "customer.changed", 2)
    graded = live.entry(customer, "customer.grade_changed", 2)
    spans = [_traceparent(live, entry["index"]).split("-")[1:3] for entry in (changed, graded)]
    assert [each[0] for each in spans] == [trace, trace]
    assert spans[0][1] != spans[1][1] != "00f067aa0ba902b7"


def _public_key(live: Live) -> Any:
    seed = (live.data / "secrets" / "audit-checkpoint-seed").read_text().strip()
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed)).public_key()


def _leaf(live: Live, index: int, size: int) -> bytes:
    """The leaf as it stands in the tree's public bundle."""
    bundle, place = divmod(index, 256)
    width = min(256, size - bundle * 256)
    address = "/".join([*(f"x{part}" for part in (f"{bundle // 1000:03}",) if bundle >= 1000), f"{bundle % 1000:03}"])
    part = "" if width == 256 else f".p/{width}"
    answer = live.as_("auditor", "audit").get(f"/log/tile/entries/{address}{part}")
    assert answer.status_code == 200, answer.text
    return list(proofs.leaves_of(answer.content))[place]


def _score_of(grade: dict[str, Any]) -> str:
    """The score by hand: the weighted mean of the indicators that count."""
    counted = [each for each in grade["indicators"] if each["points"] is not None]
    weight = sum(each["weight"] for each in counted)
    return f"{sum(float(each['points']) * each['weight'] for each in counted) / weight:.2f}"


def _told(live: Live, customer: str, words: str) -> list[dict[str, Any]]:
    return [each for each in live.inbox("manager1", f"customer/{customer}") if words in each["body"]["en"]]


def _traceparent(live: Live, index: int) -> str:
    return live.query(
        "audit", f"SELECT convert_from(payload, 'UTF8')::jsonb ->> 'traceparent' FROM entry WHERE index = {index}"
    )
