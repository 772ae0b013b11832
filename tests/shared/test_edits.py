"""Merging edits, as properties: what two people do to a thing never loses a value unseen. ETags and If-Match."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.edits import (
    Clash,
    Edit,
    before_and_after,
    clashes,
    clashing,
    differing,
    etag_of,
    known_version,
    touched_since,
    version_of,
)
from shared.errors import Invalid, PreconditionRequired

codes = st.sampled_from(["a", "b", "c"])
values = st.one_of(st.none(), st.text(max_size=3), st.integers(0, 3), st.booleans())
edits = st.dictionaries(codes, values, max_size=3)


def played(start: dict[str, Any], changes: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Edit]]:
    """The thing after each change in turn, and the edits as history tells them."""
    current, told = dict(start), []
    for version, change in enumerate(changes, start=2):
        moved = differing(current, change)
        if moved:
            told.append(Edit(version, before_and_after(current, moved)))
            current |= moved
    return current, told


@given(edits, st.lists(edits, max_size=4), edits)
def test_a_value_that_the_caller_never_saw_is_never_overwritten(start, others, mine) -> None:
    current, told = played(start, others)
    refused = {clash.item for clash in clashes(mine, current, told)}
    for code in mine.keys() - refused:
        unseen = differing({code: start.get(code)}, {code: current.get(code)})
        overwritten = differing({code: current.get(code)}, {code: mine[code]})
        assert not (unseen and overwritten)


@given(edits, st.lists(edits, max_size=4), edits)
def test_a_clash_tells_all_three_values(start, others, mine) -> None:
    current, told = played(start, others)
    for clash in clashes(mine, current, told):
        assert (clash.yours, clash.current) == (mine[clash.item], current.get(clash.item))
        assert clash.original == start.get(clash.item)
        assert type(clash.original) is not type(clash.current) or clash.original != clash.current


@given(edits, st.lists(edits, max_size=4), edits)
def test_only_items_that_others_touched_can_clash(start, others, mine) -> None:
    current, told = played(start, others)
    assert {clash.item for clash in clashes(mine, current, told)} <= touched_since(told) & mine.keys()
    assert clashes(mine, start, []) == []


@given(edits, edits)
def test_differing_is_empty_exactly_when_nothing_would_change(before, wanted) -> None:
    moved = differing(before, wanted)
    after = {**before, **moved}
    assert differing(after, wanted) == {}
    assert all(code in wanted for code in moved)


def test_true_is_not_one() -> None:
    assert differing({"a": 1}, {"a": True}) == {"a": True}
    assert differing({}, {"a": None}) == {}


def test_an_etag_is_the_version_and_comes_back_as_it() -> None:
    assert etag_of(12) == '"12"'
    assert version_of(' "12" ') == 12
    assert (known_version(None), known_version("*"), known_version('"12"')) == (None, None, 12)


@pytest.mark.parametrize("given", ["12", '"0"', '"012"', '"-1"', '"1", "2"', "*", '"99999999999"', ""])
def test_what_is_no_etag_of_ours_is_refused(given: str) -> None:
    with pytest.raises(Invalid, match="bad_if_match"):
        version_of(given)


def test_a_change_says_what_it_was_made_on() -> None:
    with pytest.raises(PreconditionRequired, match="if_match_required"):
        version_of(None)


def test_a_clash_is_told_at_the_place_of_the_item() -> None:
    told = clashing([Clash("name", "a", "b", "c")], 7, "/values")
    assert [(fault.pointer, fault.seen, fault.expected) for fault in told.faults] == [("/values/name", "a", "b")]
    assert told.members == {"yours": {"name": "a"}, "current": {"name": "b"}, "original": {"name": "c"}}
    assert told.headers == {"ETag": '"7"'}
