"""From event and declared message to text and recipient."""

from typing import Any

import pytest

from services.notify.delivery.rules import Unfillable, facts, flaws, recipient_of, render
from shared.events import EVENTS, SignedIn
from shared.regime import Message, load
from tests.factories.notify import REGIMES, envelope_of, form_handed_in, form_returned, grade_changed

REGIME_FILES = load(REGIMES)
MESSAGES = [each for each in REGIME_FILES.definitions if isinstance(each, Message)]
KNOWN: dict[str, Any] = {
    "title": {"zh": "试", "en": "Test"},
    "requirement": "R0.3",
    "effective_from": "2025-01-01",
    "owner": "admin",
    "event": "customer.grade_changed",
    "audience": "responsible_manager",
    "shown_by": "customer.grade.read",
    "secrecy": "internal",
    "slots": {"grade": {"label": {"zh": "等级", "en": "Grade"}, "path": "data.grade"}},
    "subject": {"zh": "{grade}级", "en": "Grade {grade}"},
    "body": {"zh": "现为{grade}", "en": "Now {grade}"},
    "examples": [{"event": {}, "subject": {"zh": "一", "en": "a"}, "body": {"zh": "一", "en": "a"}}],
}


def message(**more: Any) -> Message:
    return Message.model_validate({"id": "test", **KNOWN, **more})


@pytest.mark.req("R14.1")
@pytest.mark.parametrize("declared", MESSAGES, ids=lambda each: each.ref.id)
def test_every_example_of_a_declared_message_comes_out_as_declared(declared: Message) -> None:
    for example in declared.examples:
        text = render(declared, example.event)
        assert text.subject == example.subject.model_dump()
        assert text.body == example.body.model_dump()


@pytest.mark.parametrize("declared", MESSAGES, ids=lambda each: each.ref.id)
def test_every_declared_message_can_be_sent(declared: Message) -> None:
    assert list(flaws(declared, EVENTS.get(declared.event))) == []


def test_a_value_that_looks_like_a_slot_stays_a_value() -> None:
    known = {"data": {"grade": "{points} {grade.__class__}"}}
    assert render(message(), known).body["en"] == "Now {points} {grade.__class__}"


def test_attributes_of_the_event_fill_slots_too() -> None:
    event = grade_changed()
    slots = {"grade": {"label": {"zh": "一", "en": "a"}, "path": "subject"}}
    assert render(message(slots=slots), facts(envelope_of(event), event)).subject["en"].startswith("Grade customer/")


def test_a_slot_without_content_says_so_or_is_refused() -> None:
    absent = {"label": {"zh": "等级", "en": "Grade"}, "path": "data.before", "absent": {"zh": "未评", "en": "none"}}
    text = render(message(slots={"grade": absent}), {"data": {"before": None}})
    assert text.subject == {"zh": "未评级", "en": "Grade none"}
    for known in ({"data": {"grade": None}}, {"data": {}}, {"data": "text"}, {}):
        with pytest.raises(Unfillable, match=r"data\.grade"):
            render(message(), known)


def test_it_goes_to_the_manager_or_else_to_the_unit() -> None:
    for event, audience, recipient in (
        (grade_changed(manager="manager1"), "responsible_manager", "staff/manager1"),
        (grade_changed(manager=None), "responsible_manager", "unit/north"),
        (grade_changed(manager=""), "responsible_manager", "unit/north"),
        (grade_changed(manager="manager1"), "responsible_unit", "unit/north"),
        (form_returned(), "proposer", "staff/manager1"),
        (form_handed_in(desk="head"), "approver", "unit/head"),
        (form_handed_in(desk=None), "approver", "unit/north"),
    ):
        assert recipient_of(message(audience=audience), facts(envelope_of(event), event)) == recipient
    with pytest.raises(Unfillable):
        recipient_of(message(), {"data": {"unit": ""}})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"audience": "everybody"}, "no audience everybody"),
        ({"event": "customer.sighed"}, "no event customer.sighed"),
        ({"event": SignedIn.type}, "has no unit"),
        ({"slots": {"grade": {"label": {"zh": "一", "en": "a"}, "path": "data.colour"}}}, "no data.colour"),
        ({"slots": {"grade": {"label": {"zh": "一", "en": "a"}, "path": "shape"}}}, "no shape"),
        ({"shown_by": "customer.read"}, "data.grade is shown by customer.grade.read, not by customer.read"),
    ],
)
def test_a_message_that_can_never_be_sent_is_told_at_start(wrong: dict[str, Any], told: str) -> None:
    declared = message(**wrong)
    assert any(told in flaw for flaw in flaws(declared, EVENTS.get(declared.event)))
