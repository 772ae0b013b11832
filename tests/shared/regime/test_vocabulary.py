"""Check digits of the two national standards, and the types that fields have in expressions."""

import pytest

from shared.regime.definition import Secrecy
from shared.regime.field import FieldType
from shared.regime.vocabulary import TYPES, resident_id_valid, uscc_valid


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("91110000600037341L", True),
        ("N2330106MF00000049", True),  # a body whose code begins with a letter
        ("91110000600037341M", False),
        ("9111000060003734IL", False),  # I is not in the set
        ("91110000600037341", False),
        ("", False),
    ],
)
def test_a_unified_social_credit_code_is_told_by_its_check_character(code: str, valid: bool) -> None:
    assert uscc_valid(code) is valid


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("11010519491231002X", True),
        ("110105194912310021", False),
        ("110105194913310028", False),  # no thirteenth month
        ("110108199002290033", False),  # 1990 had no 29 February
        ("110105180001010010", False),
        ("１１０１０５１９４９１２３１００２Ｘ", False),
    ],
)
def test_a_resident_number_is_told_by_birthday_and_check_digit(number: str, valid: bool) -> None:
    assert resident_id_valid(number) is valid


def test_every_type_of_field_has_a_type_in_expressions() -> None:
    assert set(TYPES) == set(FieldType)


@pytest.mark.req("R2.1")
def test_a_clearance_covers_its_level_and_all_below() -> None:
    levels = list(Secrecy)
    assert [level.value for level in levels] == ["public", "internal", "confidential", "secret", "top_secret"]
    for height, clearance in enumerate(levels):
        assert [clearance.covers(level) for level in levels] == [depth <= height for depth in range(len(levels))]
