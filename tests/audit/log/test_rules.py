"""What the log commits to: canonical payloads, search columns, leaves without personal data."""

import hmac
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise
from uuid import UUID

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from services.audit.log import rules
from shared.bus import Delivery
from shared.ids import new_id
from tests.factories import audit
from tests.factories.audit import AT, change, garbage

SALT = bytes(range(32))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_09é中", max_size=6), inner, max_size=4),
    max_leaves=12,
)


def with_headers(**changes: bytes | None) -> Delivery:
    """A valid change, some headers replaced or left out."""
    delivery = change()
    headers = dict(delivery.headers) | {f"ce_{name}": value for name, value in changes.items() if value is not None}
    for name in (name for name, value in changes.items() if value is None):
        headers.pop(f"ce_{name}")
    return Delivery(delivery.topic, 0, delivery.position, delivery.key, delivery.value, tuple(headers.items()))


def test_the_payload_is_the_whole_event_as_canonical_json() -> None:
    delivery = change("c1", 7)
    document = orjson.loads(rules.record_of(delivery, AT, SALT).payload)
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in delivery.headers}
    assert document == {**attributes, "data": orjson.loads(delivery.value)}


@given(JSON)
def test_canonical_json_is_that_of_rfc_8785(data: object) -> None:
    document = {"data": data, "id": "x"}
    assert rules.canonical(document) == rfc8785.dumps(document)


def test_the_leaf_commits_to_the_payload_and_names_nobody() -> None:
    record = rules.record_of(change("customer-with-a-name", actor="staff/somebody"), AT, SALT)
    leaf = orjson.loads(record.leaf)
    assert leaf == {
        "class": "customer",
        "commit": hmac.digest(SALT, record.payload, "sha256").hex(),
        "event_id": record.columns.event_id,
        "received_at": "2026-11-24T08:00:00.000000Z",
        "v": 1,
    }
    assert record.leaf == rfc8785.dumps(leaf)
    assert b"somebody" not in record.leaf and b"customer-with-a-name" not in record.leaf


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_the_commitment_is_an_hmac(salt: bytes, payload: bytes) -> None:
    assert rules.commitment(salt, payload) == hmac.new(salt, payload, "sha256").hexdigest()


def test_equal_payloads_under_other_salts_have_other_leaves() -> None:
    delivery = change()
    assert rules.record_of(delivery, AT, SALT).leaf != rules.record_of(delivery, AT, SALT[::-1]).leaf


def test_columns_are_read_back_from_the_payload() -> None:
    for delivery in (change(), garbage(), audit.raw_event("identity.signed_in", {"name": "x"})):
        record = rules.record_of(delivery, AT, SALT)
        assert rules.columns_of_payload(record.payload, record.received_at) == record.columns


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"type":5}', b'{"type":"a.b","id":"x"}', b"\xff"])
def test_what_is_no_payload_of_ours_has_no_columns(payload: bytes) -> None:
    assert rules.columns_of_payload(payload, AT) is None


@pytest.mark.req("R0.2")
@pytest.mark.parametrize(
    "delivery",
    [
        with_headers(id=None),
        with_headers(id=b"no uuid"),
        with_headers(id=str(new_id()).upper().encode()),
        with_headers(type=None),
        with_headers(type=b"Strange\x00"),
        with_headers(type=b'x","v":2'),
        with_headers(type=b"undecodable"),
        with_headers(source=None),
        with_headers(time=None),
        with_headers(time=b"yesterday"),
        with_headers(time=b"2026-01-01T00:00:00"),
        with_headers(sequence=b"many"),
        with_headers(sequence=b"-1"),
        with_headers(sequence=b"9223372036854775808"),
        with_headers(subject=b"x" * 600),
        with_headers(actor=b"a\x00b"),
        with_headers(subject=b"\xff"),
        garbage(b""),
        garbage(b'{"a": NaN}'),
    ],
)
def test_what_cannot_be_searched_is_kept_byte_for_byte(delivery: Delivery) -> None:
    record = rules.record_of(delivery, AT, SALT)
    assert record.problem
    assert (record.columns.category, record.columns.type) == ("undecodable", "undecodable")
    document = orjson.loads(record.payload)
    assert document["headers"] == [[name, rules.b64encode(value).decode()] for name, value in delivery.headers]
    assert document["value"] == rules.b64encode(delivery.value).decode()
    again = rules.record_of(delivery, AT + timedelta(hours=1), SALT)
    assert (again.columns.event_id, again.payload) == (record.columns.event_id, record.payload)


def test_undecodable_messages_of_other_places_have_other_ids() -> None:
    ids = {rules.record_of(garbage(position=place), AT, SALT).columns.event_id for place in range(50)}
    assert len(ids) == 50
    assert {UUID(each).version for each in ids} == {8}


@given(st.binary(max_size=40), st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8)), max_size=4))
def test_any_message_becomes_a_record(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    record = rules.record_of(Delivery("t", 0, 1, b"", value, tuple(headers)), AT, SALT)
    assert rules.columns_of_payload(record.payload, AT) == record.columns


def test_months_follow_each_other_without_gap() -> None:
    at = datetime(2026, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5)))  # already January in UTC
    months = list(islice(rules.months_from(at), 14))
    assert [month.name for month in months[:2]] == ["entry_2027_01", "entry_2027_02"]
    assert all(one.upper == other.lower for one, other in pairwise(months))


def test_an_id_lies_in_the_month_in_which_it_was_made() -> None:
    fresh = new_id()
    month = next(rules.months_from(datetime.now(UTC)))  # noqa: TID251 - the id has the wall clock too
    assert month.lower <= fresh < month.upper
