"""Files become lines of cells, or are refused with the reason."""

import pytest

from shared.errors import Malformed, TooLarge
from shared.sheets import decode, lines_of
from tests.factories.workbooks import workbook


@pytest.mark.parametrize("text", ["虚构实业有限公司", "a虚b构c", "plain ascii"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_both_encodings_are_told_apart(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf\xb4\xf3", "虚构实业".encode()[:-1], b"\xff", b"\xfe\xffa"])
def test_damaged_text_is_not_guessed_at(content: bytes) -> None:
    with pytest.raises(Malformed, match="bad_encoding"):
        decode(content)


def test_csv_and_workbooks_are_told_apart_by_their_bytes() -> None:
    table = [["a", "b"], ["1", "x,y"]]
    assert [list(line) for line in lines_of(b'a,b\r\n1,"x,y"\r\n', most_unpacked=1)] == table
    assert [list(line) for line in lines_of(workbook(*table), most_unpacked=10_000)] == table


def test_a_broken_quote_is_told_with_its_line() -> None:
    with pytest.raises(Malformed, match="not_csv") as refusal:
        list(lines_of(b'a\n"b\n', most_unpacked=1))
    assert "line 2" in refusal.value.faults[0].seen


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked() -> None:
    with pytest.raises(TooLarge, match="workbook_too_large"):
        lines_of(workbook(["a"]), most_unpacked=100)
