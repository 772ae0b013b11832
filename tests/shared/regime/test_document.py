"""The strict YAML: what looks like a number is one, everything else is text, and each part knows its line."""

import pytest

from shared.regime.document import Mistake, parse


def test_plain_words_integers_and_text_are_what_they_look_like() -> None:
    plain = "a: true\nb: null\nc: 12\nd: 12.50\nf: on\ng: 2026-01-01\nh: -3\ni: 007\nj: ~\nk:\nl: 330106198001010013\n"
    assert parse(plain + 'e: "12"\n').data == {
        "a": True, "b": None, "c": 12, "d": "12.50", "e": "12", "f": "on",
        "g": "2026-01-01", "h": -3, "i": "007", "j": None, "k": None, "l": "330106198001010013",
    }  # fmt: skip


def test_every_part_knows_its_line() -> None:
    document = parse("a:\n  - b: 1\n  - b: 2\n    c: {d: x}\n")
    assert document.line_of(("a", 1, "c", "d")) == 4
    assert document.line_of(("a", 1)) == 3
    assert document.line_of(("a", 0, "missing")) == 2
    assert document.line_of(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\na: 2\n", 2, "stands twice"),
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: !!python/name:os.system x\n", 1, "tags"),
        ("a: 1\nb: [1, 2\n", 3, "expected"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("", 1, "empty"),
        ("? [a]\n: 1\n", 1, "a key must be a word"),
        ("a: 1\nb: \x01\n", 2, "U+0001"),
    ],
)
def test_what_is_not_written_as_we_write_it_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse(text)
    assert said in caught.value.message
    assert caught.value.line == line
