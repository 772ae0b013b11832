"""When a grade moves: each declared kind of patience, and no flapping under any run of scores."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.grading.patience import Course, Held, Settled, Why, course_of, held_after, held_before, settle
from services.customer.grading.rules import Check
from shared.regime import GradePolicy, Hysteresis, Patience, load
from tests.factories.customer import REGIMES

FIRST = date(2027, 1, 4)
DECLARED = load(REGIMES).grade("retail", on=FIRST)
RANKS = [rank.grade for rank in DECLARED.ranks]
pytestmark = pytest.mark.req("R1.5")


def policy(up: Patience | None = None, down: Patience | None = None) -> GradePolicy:
    """Borders at 40, 55, 70, 85."""
    return DECLARED.model_copy(update={"hysteresis": Hysteresis(up=up or Patience(), down=down or Patience())})


def check(score: str | Decimal, *, at_once: bool = False) -> Check:
    value = Decimal(score)
    place = sum(rank.below is not None and value >= rank.below for rank in DECLARED.ranks)
    return Check(value, RANKS[place], (), at_once)


def days(declared: GradePolicy, held: Held, *scores: str | Decimal, quarterly: bool = False) -> list[Settled]:
    """One check a day."""
    found = []
    for number, score in enumerate(scores):
        found.append(settle(declared, held, check(score), FIRST + timedelta(number), quarterly=quarterly))
        held = Held(found[-1].grade, found[-1].leaning, found[-1].leaned_on)
    return found


def told(settled: list[Settled]) -> list[tuple[str | None, Why]]:
    return [(each.grade, each.why) for each in settled]


def test_a_grade_is_left_only_beyond_the_margin_of_its_border() -> None:
    declared = policy(Patience(margin=Decimal(2)), Patience(margin=Decimal(3)))
    assert told(days(declared, Held("C"), "71.99", "72", "67", "66.99")) == [
        ("C", Why.MARGIN), ("B", Why.MOVED), ("B", Why.MARGIN), ("C", Why.MOVED),
    ]  # fmt: skip


def test_a_far_score_passes_every_border_that_it_clears_and_stops_before_the_one_that_it_does_not() -> None:
    declared = policy(Patience(margin=Decimal(2)), Patience(margin=Decimal(3)))
    assert [each.grade for each in days(declared, Held("E"), "86", "87", "53")] == ["B", "A", "C"]


def test_days_in_a_row_count_once_each_and_begin_anew_after_a_day_within_the_rank() -> None:
    declared = policy(down=Patience(days=3))
    assert [each.grade for each in days(declared, Held("B"), "60", "60", "75", "60", "60", "60")] == [*"BBBBBC"]
    first = settle(declared, Held("B"), check("60"), FIRST, quarterly=False)
    again = settle(declared, Held("B", first.leaning, first.leaned_on), check("60"), FIRST, quarterly=False)
    assert (first.leaning, again.leaning, again.why) == (-1, -1, Why.DAYS)


def test_a_move_that_waits_for_the_quarter_comes_with_its_round_and_with_nothing_else() -> None:
    declared = policy(up=Patience(quarterly=True))
    assert told(days(declared, Held("C"), "75", "75")) == [("C", Why.QUARTER)] * 2
    assert told(days(declared, Held("C"), "75", quarterly=True)) == [("B", Why.MOVED)]


def test_what_acts_at_once_needs_no_patience_downwards_and_brings_nobody_up() -> None:
    declared = policy(Patience(margin=Decimal(5)), Patience(margin=Decimal(5), days=9, quarterly=True))
    fallen = settle(declared, Held("B"), check("69.99", at_once=True), FIRST, quarterly=False)
    assert (fallen.grade, fallen.why) == ("C", Why.AT_ONCE)
    risen = settle(declared, Held("C"), check("70.01", at_once=True), FIRST, quarterly=False)
    assert (risen.grade, risen.why) == ("C", Why.MARGIN)


@pytest.mark.parametrize("held", [Held(), Held("Z")])
def test_without_a_grade_of_this_policy_the_score_alone_decides(held: Held) -> None:
    found = settle(policy(Patience(margin=Decimal(9))), held, check("71"), FIRST, quarterly=False)
    assert (found.grade, found.why) == ("B", Why.SCORE)


def test_an_unknown_grade_is_held_by_nothing() -> None:
    found = settle(policy(), Held("A"), Check(None, None, ()), FIRST, quarterly=False)
    assert (found.grade, found.why) == (None, Why.SCORE)


MARGINS = st.decimals(0, 10, places=2)
SCORES = st.decimals(0, 100, places=2)


@given(MARGINS, MARGINS, SCORES, st.lists(st.decimals(0, 1, places=4), max_size=30), st.sampled_from(RANKS))
def test_scores_that_swing_by_less_than_both_margins_never_bring_a_grade_back(
    up: Decimal, down: Decimal, low: Decimal, swings: list[Decimal], start: str
) -> None:
    width = up + down
    scores = [low + swing * width * Decimal("0.99") for swing in swings]
    run = days(policy(Patience(margin=up), Patience(margin=down)), Held(start), *scores)
    grades = [start, *(str(each.grade) for each in run)]
    moves = [now for before, now in pairwise(grades) if now != before]
    places = [RANKS.index(each) for each in moves]
    assert len(set(moves)) == len(moves), "no grade comes twice"
    assert places in (sorted(places), sorted(places, reverse=True)), "all moves lead one way"


@given(
    st.builds(Patience, margin=MARGINS, days=st.integers(1, 4), quarterly=st.booleans()),
    st.builds(Patience, margin=MARGINS, days=st.integers(1, 4), quarterly=st.booleans()),
    st.lists(SCORES, max_size=20),
    st.sampled_from(RANKS),
)
def test_a_grade_moves_towards_the_score_and_never_past_it(
    up: Patience, down: Patience, scores: list[Decimal], start: str
) -> None:
    before = start
    for each in days(policy(up, down), Held(start), *scores, quarterly=True):
        at, by_score, after = (RANKS.index(str(grade)) for grade in (before, each.by_score, each.grade))
        assert min(at, by_score) <= after <= max(at, by_score)
        before = str(each.grade)


@given(SCORES, st.integers(-5, 5), st.booleans())
def test_a_course_gives_back_what_was_held_before_and_after(score: Decimal, leaning: int, quarterly: bool) -> None:
    held = Held("C", leaning, FIRST if leaning else None)
    settled = settle(policy(Patience(days=3), Patience(days=3)), held, check(score), FIRST, quarterly=quarterly)
    kept = Course(**course_of(held, check(score), settled, FIRST, quarterly=quarterly, override=None).as_json())
    assert held_before(kept) == held
    assert held_after(kept) == Held(settled.grade, settled.leaning, settled.leaned_on)
