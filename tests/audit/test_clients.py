"""Asking the owner of sealed values: whatever goes wrong there, the reader of the log gets an answer."""

import pytest

from services.audit.clients import Sealed
from tests.factories.audit import reader, values_of
from tests.fakes.values_owner import ValuesOwner

ONE = Sealed("0198c0de-0000-7000-8000-000000000001", "customer/c1", "AAAA")


async def test_nothing_is_asked_when_nothing_is_sealed() -> None:
    values = values_of("http://127.0.0.1:9")
    assert await values.open(reader(), []) == {}
    await values.close()


async def test_an_owner_that_cannot_be_reached_is_no_error() -> None:
    values = values_of("http://127.0.0.1:9")
    assert await values.open(reader(), [ONE]) == {ONE.event_id: "unavailable"}
    await values.close()


@pytest.mark.parametrize("answer", [{"state": "opened"}, {"values": 5}, {"event_id": None}])
async def test_an_answer_that_is_not_understood_counts_as_none(answer: dict[str, object]) -> None:
    with ValuesOwner() as owner:
        owner.values = {ONE.event_id: {"contact_phone": {"after": "1"}}}
        owner.altered = answer
        values = values_of(owner.url)
        assert await values.open(reader(), [ONE]) == {ONE.event_id: "unavailable"}
        await values.close()


async def test_values_that_cannot_be_opened_say_so() -> None:
    with ValuesOwner() as owner:
        owner.values = {ONE.event_id: None}
        owner.altered = {"state": "unopenable"}
        values = values_of(owner.url)
        assert await values.open(reader(), [ONE]) == {ONE.event_id: "unopenable"}
        await values.close()
