"""The envelope travels in headers and comes back the same, or is refused without quoting what it holds."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.bus import Delivery, pack_headers, unpack_headers
from shared.events import CustomerChanged, Envelope, RegimeRef, Undecodable, attributes_of
from tests.factories.events import dealings, envelope

pytestmark = pytest.mark.req("R0.1")

WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]))


def carried(head: Envelope) -> Delivery:
    """The envelope as it arrives, once through bytes."""
    return Delivery("t", 0, 0, b"k", b"{}", unpack_headers(pack_headers(head.headers())))


@given(WORD, WORD, WORD, st.none() | st.integers(0, 2**62), MOMENTS)
def test_an_envelope_comes_back_as_it_was(
    source: str, subject: str, actor: str, sequence: int | None, at: datetime
) -> None:
    head = Envelope(uuid.uuid4(), source, "customer.changed", subject, at, subject, actor, "kehu:x:v1", sequence)
    assert Envelope.of(carried(head)) == head


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", b"not-an-id"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-11-24T09:00:00"),
        ("ce_sequence", b"many"),
        ("ce_sequence", b"9" * 5000),
        ("ce_subject", b"\xff\xfe"),
    ],
)
def test_a_malformed_attribute_is_refused_without_quoting_it(name: str, value: bytes) -> None:
    headers = dict(envelope(dealings(), sequence=1).headers()) | {name: value}
    with pytest.raises(Undecodable) as refused:
        Envelope.of(Delivery("t", 0, 0, b"", b"", tuple(headers.items())))
    assert value.decode(errors="replace") not in str(refused.value)


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_partitionkey"])
def test_a_missing_attribute_is_named(name: str) -> None:
    headers = tuple(pair for pair in envelope(dealings()).headers() if pair[0] != name)
    with pytest.raises(Undecodable, match=name):
        Envelope.of(Delivery("t", 0, 0, b"", b"", headers))


def test_attributes_are_plain_json_in_the_names_of_cloudevents() -> None:
    head = envelope(dealings(), sequence=3)
    plain = attributes_of(head)
    assert plain["specversion"] == "1.0"
    assert plain["sequence"] == 3
    assert plain["id"] == str(head.id)
    assert "traceparent" not in plain


def test_readers_ignore_members_that_came_later_and_events_never_change() -> None:
    known = {
        "customer_id": "1",
        "kind": "retail",
        "unit": "u",
        "version": 2,
        "items": ["phone"],
        "sealed": "",
        "dictionary": {"id": "d", "version": "2026-01-01", "hash": "0"},
    }
    event = CustomerChanged.model_validate({**known, "member_of_tomorrow": 1})
    assert event.dictionary == RegimeRef(id="d", version="2026-01-01", hash="0")
    with pytest.raises(ValidationError):
        event.version = 3
    with pytest.raises(ValidationError):
        CustomerChanged.model_validate({**known, "version": 1})


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.binary(max_size=200))))
def test_headers_are_packed_without_loss(pairs: list[tuple[str, bytes]]) -> None:
    assert unpack_headers(pack_headers(tuple(pairs))) == tuple(pairs)


@given(st.lists(st.tuples(st.just("name"), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4), st.data())
def test_truncated_headers_are_an_error_or_end_between_two_pairs(
    pairs: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    packed = pack_headers(tuple(pairs))
    cut = data.draw(st.integers(0, len(packed) - 1))
    try:
        found = unpack_headers(packed[:cut])
    except ValueError:
        return
    assert found == tuple(pairs[: len(found)])
    assert len(found) < len(pairs)


@given(st.binary(max_size=60))
def test_junk_is_headers_or_a_value_error(junk: bytes) -> None:
    try:
        found = unpack_headers(junk)
    except ValueError:
        return
    assert all(isinstance(name, str) and isinstance(value, bytes) for name, value in found)
