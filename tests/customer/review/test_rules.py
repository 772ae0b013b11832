"""What is due when: windows of periods, items of a class, exempt files, states on a day."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.customer.dictionary.service import Dictionaries
from services.customer.review.rules import Cadences, Standing, State, days_of, state_of, statement_faults
from shared.events import CustomerChanged
from shared.regime import Codelist, Covers, load
from shared.regime.cadence import Window

REGIMES = load(Path(__file__).parents[3] / "regimes")
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
TODAY = date(2026, 11, 24)
DICTIONARIES = Dictionaries(REGIMES)
DECLARED = DICTIONARIES.cadences("retail", NOW)
CALENDARS = {each.id: DICTIONARIES.calendar(each, NOW) for each in DECLARED.values()}
CADENCES = Cadences(DICTIONARIES.catalogue("retail", NOW), DECLARED, CALENDARS)
MAY, AUGUST = datetime(2026, 5, 12, 2, tzinfo=UTC), datetime(2026, 8, 11, 2, tzinfo=UTC)
pytestmark = pytest.mark.req("R1.2")


def standing(
    opened: datetime = MAY, status: str = "active", checked: datetime | None = None, **verified: datetime
) -> Standing:
    return Standing("retail", status, opened, verified, checked)


def found(of: Standing, today: date = TODAY) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {each.cadence.covers.value: (str(each.window.due_on), each.codes) for each in CADENCES.of(of, today)}


def test_each_class_is_due_when_the_item_that_was_verified_longest_ago_is() -> None:
    verified = {"shop_name": MAY, "address": AUGUST, "promotion": AUGUST, "visit_cycle": NOW, "contact_phone": MAY}
    assert found(standing(**verified)) == {
        "static": ("2026-12-31", ("shop_name",)),
        "quarterly": ("2026-12-31", ("promotion",)),
        "file": ("2026-09-30", ()),
    }, "real-time items have no review"


def test_what_was_verified_in_this_period_comes_round_in_the_next() -> None:
    of = standing(opened=MAY, checked=NOW, shop_name=NOW, promotion=NOW)
    assert found(of) == {"static": ("2027-06-30", ()), "quarterly": ("2027-03-31", ()), "file": ("2027-03-31", ())}
    assert CADENCES.open_codes(of, TODAY) == ([], False)


def test_a_day_is_a_day_in_china() -> None:
    late = datetime(2026, 9, 30, 17, tzinfo=UTC)  # 1 October there
    assert found(standing(promotion=late))["quarterly"] == ("2027-03-31", ())


def test_a_file_that_is_closed_has_no_reviews_nor_has_a_class_without_values() -> None:
    assert found(standing(status="closed", shop_name=MAY)) == {}
    assert found(standing()).keys() == {"file"}


def test_a_window_whose_last_day_is_no_working_day_ends_on_the_one_before() -> None:
    cadence = DECLARED[Covers.FILE]
    window = cadence.following(date(2028, 7, 3), CALENDARS[cadence.id])
    assert (window.opens_on, window.due_on) == (date(2028, 10, 1), date(2028, 12, 29))


@pytest.mark.parametrize("state", State)
def test_the_days_of_a_state_are_those_of_the_reviews_in_it(state: State) -> None:
    for cadence in CADENCES.reviews:
        for day in (TODAY, date(2026, 12, 31), date(2027, 1, 1), date(2028, 12, 30)):
            current = CADENCES.current(cadence, day)
            first, last = days_of(state, current, day)
            for verified in (date(2026, 2, 1), date(2026, 8, 1), date(2026, 12, 31), date(2028, 8, 1), day):
                window = cadence.following(verified, CALENDARS[cadence.id])
                within = (first is None or window.due_on >= first) and (last is None or window.due_on <= last)
                assert within is (state_of(window, day) is state), (cadence.id, day, verified)


def test_the_last_day_is_not_overdue_and_the_first_is_due() -> None:
    window = Window(date(2026, 10, 1), date(2026, 12, 31))
    days = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [state_of(window, day) for day in days] == [State.UPCOMING, State.DUE, State.DUE, State.OVERDUE]


@pytest.mark.req("R7.3")
@pytest.mark.parametrize(
    ("channel", "on", "codes"),
    [
        ("visit", TODAY, []),
        ("visit", date(2026, 11, 17), []),
        ("rumour", TODAY, ["not_in_list"]),
        ("rumour", date(2026, 11, 25), ["not_in_list", "in_the_future"]),
        ("mail", date(2026, 11, 16), ["too_long_ago"]),
        ("mail", date(2026, 5, 11), ["before_registration"]),
    ],
)
def test_an_answer_has_a_declared_channel_and_a_day_that_is_not_long_past(
    channel: str, on: date, codes: list[str]
) -> None:
    cadence, channels = DECLARED[Covers.FILE], REGIMES.find(Codelist, "verification_channel", on=TODAY)
    faults = statement_faults(channel, channels, on, date(2026, 5, 12), cadence, CALENDARS[cadence.id], TODAY)
    assert [fault.code for fault in faults] == codes


def test_verifying_is_no_change_for_grades() -> None:
    assert CustomerChanged.type != "customer.verified"
