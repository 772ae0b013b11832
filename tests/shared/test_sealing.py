"""Sealed values open with their own key, subject and event only; every other combination says nothing."""

import base64
import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sealing import KeyRing, Unopenable, WrappedKey, from_text, to_text

pytestmark = pytest.mark.req("R15.1")

RING = KeyRing({"2026": b"k" * 32})
KEY = RING.new_key("customer/1")
EVENT = uuid.UUID("01935f00-0000-7000-8000-000000000001")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=8,
)


@given(values=JSON)
def test_what_is_sealed_comes_back(values: object) -> None:
    assert (
        RING.open(KEY, "customer/1", EVENT, from_text(to_text(RING.seal(KEY, "customer/1", EVENT, values)))) == values
    )


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_changed_bit_is_noticed(place: int, bit: int) -> None:
    sealed = bytearray(RING.seal(KEY, "customer/1", EVENT, {"phone": {"before": None, "after": "张三"}}))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(Unopenable):
        RING.open(KEY, "customer/1", EVENT, bytes(sealed))


@given(junk=st.binary(max_size=80))
def test_junk_never_opens(junk: bytes) -> None:
    with pytest.raises(Unopenable):
        RING.open(KEY, "customer/1", EVENT, junk)
    with pytest.raises(Unopenable):
        RING.open(WrappedKey("2026", junk), "customer/1", EVENT, RING.seal(KEY, "customer/1", EVENT, 1))


def test_values_cannot_be_moved_to_another_event_subject_or_key() -> None:
    sealed = RING.seal(KEY, "customer/1", EVENT, "value")
    for key, subject, event in (
        (KEY, "customer/1", uuid.uuid4()),
        (KEY, "customer/2", EVENT),
        (RING.new_key("customer/1"), "customer/1", EVENT),
        (WrappedKey("2025", KEY.wrapped), "customer/1", EVENT),
    ):
        with pytest.raises(Unopenable):
            RING.open(key, subject, event, sealed)


def test_equal_values_look_different_each_time() -> None:
    assert RING.seal(KEY, "customer/1", EVENT, "same") != RING.seal(KEY, "customer/1", EVENT, "same")


def test_a_new_key_encryption_key_wraps_while_the_old_one_still_opens() -> None:
    fresh = KeyRing({"2027": os.urandom(32), "2026": b"k" * 32})
    sealed = RING.seal(KEY, "customer/1", EVENT, "value")
    assert fresh.active == "2027"
    assert fresh.open(KEY, "customer/1", EVENT, sealed) == "value"
    rewrapped = fresh.rewrap(KEY, "customer/1")
    assert rewrapped.kek == "2027"
    assert fresh.open(rewrapped, "customer/1", EVENT, sealed) == "value"
    with pytest.raises(Unopenable, match="2027"):
        RING.open(rewrapped, "customer/1", EVENT, sealed)


def test_a_key_ring_is_read_from_settings_the_active_key_first() -> None:
    one, two = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    assert KeyRing.parse(f"b:{one}, a:{two}").active == "b"


@pytest.mark.parametrize("text", ["", "a", "a:", "a:c2hvcnQ=", "a:not base64!"])
def test_a_bad_key_ring_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError):
        KeyRing.parse(text)


def test_what_is_not_base64_is_unopenable() -> None:
    with pytest.raises(Unopenable):
        from_text("not base64!")
