"""Sort keys of names, as a property: a prefix stays a prefix."""

from hypothesis import given
from hypothesis import strategies as st

from services.customer.file.rules import after_prefix, name_key


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
def test_the_range_of_a_prefix_holds_its_key(prefix: str, rest: str) -> None:
    key = name_key(prefix)
    end = after_prefix(key)
    assert end is None or key < end
    assert end is None or key + rest.encode("gb18030") < end
