"""The bounded patterns of `matches`: what they mean, what is refused, and that no text makes them slow."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import expressions
from shared.expressions import Context, Schema, Type
from shared.expressions.patterns import LONGEST_TEXT, MOST_WAYS, PatternError, pattern


def matches(written: str, text: str) -> object:
    program = expressions.compile("matches(x, '" + written.replace("'", "''") + "')", Schema({"x": Type.TEXT}))
    return program.evaluate({"x": text}, Context())


@pytest.mark.parametrize(
    ("written", "good", "bad"),
    [
        (r"\d{6}", "110000", "11000"),
        (r"\d{6}", "110000", "１１００００"),
        (r"1[3-9]\d{9}", "13800000000", "12800000000"),
        (r"[0-9A-HJ-NPQRTUWXY]{18}", "91350100M000100Y43", "91350100M000100I43"),
        (r"(0[1-9]|1[0-2])-[0-9]{2}", "12-01", "13-01"),
        (r"\d{1,18}(?:\.\d{1,2})?", "1.25", "1.255"),
        (r"[^,]+", "a b", "a,b"),
        (r"a|bc", "bc", "abc"),
        (r"\w+", "a_1", "a-1"),
        (r"[\]\-a]+", "]-a", "b"),
        (r"[a-]+", "a-a", "b"),
        (r"\(\w\)\s?x", "(a) x", "(é) x"),
        (r"[一-龥]{2,4}", "张三", "张"),
        (r".*", "", "two\nlines"),
        (r"", "", "a"),
        (r"a{2,}", "aaa", "a"),
        (r"it's", "it's", "its"),
    ],
)
def test_a_pattern_covers_the_whole_text(written: str, good: str, bad: str) -> None:
    assert matches(written, good) is True
    assert matches(written, bad) is False


@pytest.mark.parametrize(
    ("written", "at"),
    [
        (r"(a)\1", 3),
        (r"(?=a)", 1),
        (r"(?P<n>a)", 1),
        (r"(?i)a", 1),
        (r"^a$", 0),
        (r"a++", 2),
        (r"a+?", 2),
        (r"*a", 0),
        (r"a{3,2}", 0),
        (r"a{0}", 0),
        (r"a{1,999}", 0),
        (r"(a", 0),
        (r"a)", 1),
        (r"[a", 0),
        (r"[]", 0),
        (r"[z-a]", 0),
        (r"[a-\d]", 0),
        ("a\\", 1),
        (r"\q", 0),
        (r"\b", 0),
        (r"{2}", 0),
        (r"(){5}", 0),
        ("(" * 11 + "a" + ")" * 11, 10),
        ("a" * 201, 200),
        (r"(a+)+", 0),
        (r"(a|a)*", 0),
        (r"(a?){20}", 0),
        (r"a*b*c*", 0),
        (r"((a{1,9}){1,9}){1,9}", 0),
    ],
)
def test_a_pattern_outside_the_subset_is_refused_at_its_place(written: str, at: int) -> None:
    with pytest.raises(PatternError) as refusal:
        pattern(written)
    assert refusal.value.at == at
    assert str(refusal.value)


@pytest.mark.timed
@pytest.mark.parametrize("written", [r"\d+\.\d+", r"(a{1,9}){1,4}b", r"(a?b?){7}c", r"[a]*a*", r"(a|ab)(c|bcd)(d*)"])
def test_the_worst_text_takes_no_noticeable_time(written: str) -> None:
    fullmatch = pattern(written).matcher().fullmatch
    started = time.perf_counter()
    for worst in ("a" * LONGEST_TEXT, "1" * LONGEST_TEXT, "1" * 128 + "." + "1" * 126 + "x", "ab" * 128):
        fullmatch(worst)
    assert time.perf_counter() - started < 2


def test_a_text_too_long_is_no_match_of_a_short_pattern_and_unknown_to_an_open_one() -> None:
    assert matches(r"\d{1,18}", "1" * (LONGEST_TEXT + 1)) is False
    assert matches(r"\d+", "1" * LONGEST_TEXT) is True
    assert matches(r"\d+", "1" * (LONGEST_TEXT + 1)) is None


@settings(deadline=None)
@given(st.text(alphabet=r"ab01-^$.*+?{},()[]|\dws:= 中", max_size=40))
def test_any_text_is_a_bounded_pattern_or_refused(written: str) -> None:
    try:
        bounded = pattern(written)
    except PatternError as refusal:
        assert 0 <= refusal.at <= len(written)
    else:
        assert 1 <= bounded.ways <= MOST_WAYS
        bounded.matcher()


@settings(deadline=None)
@given(
    st.text(alphabet="ab.", max_size=12), st.sampled_from([r"a*b", r"(a|b)[ab]?", r"a{2,3}\.b+", r"[^a]+", r"(ab)+|\."])
)
def test_the_translation_means_what_python_means(text: str, written: str) -> None:
    assert bool(pattern(written).matcher().fullmatch(text)) == bool(re.fullmatch(written, text))
