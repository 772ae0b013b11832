"""Merging edits, as properties: what two people do to a file never loses a value unseen."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.customer.file.rules import (
    Edit,
    after_prefix,
    before_and_after,
    clashes,
    differing,
    name_key,
    touched_since,
)

codes = st.sampled_from(["a", "b", "c"])
values = st.one_of(st.none(), st.text(max_size=3), st.integers(0, 3), st.booleans())
edits = st.dictionaries(codes, values, max_size=3)


def played(start: dict[str, Any], changes: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Edit]]:
    """The file after each change in turn, and the edits as history tells them."""
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
    refused = {clash.code for clash in clashes(mine, current, told)}
    for code in mine.keys() - refused:
        unseen = differing({code: start.get(code)}, {code: current.get(code)})
        overwritten = differing({code: current.get(code)}, {code: mine[code]})
        assert not (unseen and overwritten)


@given(edits, st.lists(edits, max_size=4), edits)
def test_a_clash_tells_all_three_values(start, others, mine) -> None:
    current, told = played(start, others)
    for clash in clashes(mine, current, told):
        assert (clash.yours, clash.current) == (mine[clash.code], current.get(clash.code))
        assert clash.original == start.get(clash.code)
        assert type(clash.original) is not type(clash.current) or clash.original != clash.current


@given(edits, st.lists(edits, max_size=4), edits)
def test_only_items_that_others_touched_can_clash(start, others, mine) -> None:
    current, told = played(start, others)
    assert {clash.code for clash in clashes(mine, current, told)} <= touched_since(told) & mine.keys()
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


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
def test_the_range_of_a_prefix_holds_its_key(prefix: str, rest: str) -> None:
    key = name_key(prefix)
    end = after_prefix(key)
    assert end is None or key < end
    assert end is None or key + rest.encode("gb18030") < end
