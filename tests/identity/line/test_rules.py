"""One spelling for each number and account."""

import pytest

from services.identity.line.rules import expected, normal

pytestmark = pytest.mark.req("R7.1")


@pytest.mark.parametrize(
    ("channel", "value", "spelled"),
    [
        ("phone", "138 0000-0000", "+8613800000000"),
        ("phone", "+86 138 0000 0000", "+8613800000000"),
        ("phone", "8613800000000", "+8613800000000"),
        ("phone", "0086 138 0000 0000", "+8613800000000"),
        ("phone", "１３８００００００００", "+8613800000000"),
        ("phone", "(0571) 8888 0000", "+8657188880000"),
        ("phone", "010-12345678", None),
        ("phone", "010-62345678", "+861062345678"),
        ("phone", "400-820-8820", "+864008208820"),
        ("phone", "+852 2123 4567", "+85221234567"),
        ("phone", "12345", None),
        ("phone", "+0 123 456 789", None),
        ("phone", "138 0000 000x", None),
        ("fax", "0571-8888.0001", "+8657188880001"),
        ("email", " Sales@Example.COM ", "sales@example.com"),
        ("email", "sales at example.com", None),
        ("email", "@example.com", None),
        ("email", "a@b", None),
        ("wecom", "ZhangSan", "zhangsan"),
        ("wecom", "zhang san", None),
        ("wechat", "a\u0007b", None),
        ("qq", "", None),
        ("qq", "x" * 121, None),
    ],
)
def test_a_value_has_one_spelling_or_none(channel: str, value: str, spelled: str | None) -> None:
    assert normal(channel, value) == spelled
    assert spelled is None or normal(channel, spelled) == spelled
    assert expected(channel)
