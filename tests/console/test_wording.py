"""Chinese and English say the same things, and everything that pages ask for."""

import re
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.console.pages import NAVIGATION
from services.console.wording import TEXTS, Wording, figure_of, moment_of
from shared.events import EVENTS, Event
from shared.web.texts import read_texts

CATALOGUES = {language: read_texts(TEXTS, language) for language in ("zh", "en")}
_ASKED = re.compile(r'\bt\("([a-z_.]+)"(?! ~)')


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_slots() -> None:
    zh, en = CATALOGUES["zh"], CATALOGUES["en"]
    assert zh.keys() == en.keys()
    assert [key for key in zh if slots(zh[key]) != slots(en[key])] == []


def test_chinese_texts_are_chinese() -> None:
    same = [key for key, text in CATALOGUES["zh"].items() if text == CATALOGUES["en"][key]]
    assert set(same) == {"value.none"}


def test_every_text_that_a_template_asks_for_exists(templates: list[Path]) -> None:
    asked = {key for path in templates for key in _ASKED.findall(path.read_text("utf-8"))}
    assert len(asked) > 100
    assert asked - CATALOGUES["zh"].keys() == set()


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_event_of_the_suite_has_a_name(event: str) -> None:
    assert f"event.{event}" in CATALOGUES["zh"]


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_every_member_of_an_event_that_its_entry_shows_has_a_name(event: type[Event]) -> None:
    shown = event.model_fields.keys() - {"sealed"}
    assert sorted(name for name in shown if f"data.{name}" not in CATALOGUES["zh"]) == []


def test_every_page_of_the_menu_has_a_name() -> None:
    assert {f"menu.{key}" for key, _, _ in NAVIGATION} <= CATALOGUES["zh"].keys()


def test_values_are_written_as_people_read_them() -> None:
    wording = Wording("en")
    item = {"codes": {"a": {"zh": "甲", "en": "First"}}}
    assert [wording.value(each, item) for each in (None, "", True, False, "a", "b", 7, ["a", "b"])] == [
        *("—", "—", "Yes", "No", "First", "b", "7", "First, b"),
    ]
    assert Wording("zh").value("a", item) == "甲"
    assert wording.term("event", "no.such_event") == "no.such_event"


def test_moments_are_shown_on_the_chinese_clock() -> None:
    shown = moment_of("2026-11-24T16:30:00Z")
    assert shown is not None
    assert shown.isoformat() == "2026-11-25T00:30:00+08:00"
    assert moment_of(datetime(2026, 1, 1, tzinfo=UTC)) is not None
    assert moment_of("yesterday") is None
    assert moment_of(None) is None


@pytest.mark.parametrize(
    ("given", "shown"), [("54.442021427894", "54.44"), ("37969.20", "37969.20"), ("18", "18"), ("a.bcd", "a.bcd")]
)
def test_figures_have_two_decimals_at_most(given: str, shown: str) -> None:
    assert figure_of(given) == shown
