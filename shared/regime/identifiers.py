"""Identifiers with a check that a national or international standard defines: what a field may declare as its `check`.

Pure; the standards are no figures of a measure. python-stdnum has the general algorithms; the Chinese codes are our own
reading of the standards, since it refuses valid ones (a first letter, residence permits) and takes births in 2099.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from stdnum import lei, luhn
from stdnum.iso7064 import mod_11_2

EARLIEST_BIRTH = date(1900, 1, 1)

_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_USCC_DIGITS = {character: value for value, character in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}
_USCC_WEIGHTS = tuple(3**place % 31 for place in range(17))
_ORGANISATION = re.compile(r"([0-9A-Z]{8})-?([0-9X])")
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN = re.compile(r"(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71)[0-9]{15}[0-9X]")
_RESIDENCE_PERMIT = re.compile(r"8[1-3]0000[0-9]{11}[0-9X]")
_FOREIGN_RESIDENT = re.compile(r"9[0-9]{16}[0-9X]")
_FOREIGN_RESIDENT_OLD = re.compile(r"[A-Z]{3}[0-9]{12}")


class Check(StrEnum):
    """The checks by name."""

    USCC = "uscc"
    ORGANISATION_CODE = "organisation_code"
    RESIDENT_ID = "resident_id"
    RESIDENCE_PERMIT = "residence_permit"
    FOREIGN_RESIDENT = "foreign_resident"
    LUHN = "luhn"
    LEI = "lei"


def uscc_valid(text: str) -> bool:
    """Tell whether a text is a unified social credit code (GB 32100): its characters and the check character."""
    if _USCC.fullmatch(text) is None:
        return False
    total = sum(_USCC_DIGITS[character] * weight for character, weight in zip(text, _USCC_WEIGHTS, strict=False))
    return bool(_USCC_DIGITS[text[17]] == -total % 31)


def organisation_code_valid(text: str) -> bool:
    """Tell whether a text is an organisation code (GB 11714), with or without its hyphen."""
    found = _ORGANISATION.fullmatch(text)
    if found is None:
        return False
    total = sum(int(character, 36) * weight for character, weight in zip(found[1], _ORGANISATION_WEIGHTS, strict=True))
    return found[2] == "0123456789X"[-total % 11]


def resident_id_valid(text: str, on: date | None = None) -> bool:
    """Tell whether a text is a number of the family of GB 11643: of a citizen, a residence permit of Hong Kong, Macao
    and Taiwan residents, or a foreign permanent resident; born by the day `on`, if one is given."""
    family = _CITIZEN.fullmatch(text) or _RESIDENCE_PERMIT.fullmatch(text) or _FOREIGN_RESIDENT.fullmatch(text)
    return family is not None and _born(text[6:14], on) and bool(mod_11_2.is_valid(text))


def residence_permit_valid(text: str, on: date | None = None) -> bool:
    """Tell whether a text is the number of a residence permit of Hong Kong, Macao and Taiwan residents."""
    return _RESIDENCE_PERMIT.fullmatch(text) is not None and resident_id_valid(text, on)


def foreign_resident_valid(text: str, on: date | None = None) -> bool:
    """Tell whether a text is the number of a foreign permanent resident, of the present card or of the one before."""
    if _FOREIGN_RESIDENT_OLD.fullmatch(text) is not None:
        return any(_born(f"{century}{text[7:13]}", on) for century in ("19", "20"))
    return _FOREIGN_RESIDENT.fullmatch(text) is not None and resident_id_valid(text, on)


def _born(digits: str, on: date | None) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return born >= EARLIEST_BIRTH and (on is None or born <= on)


@dataclass(frozen=True, slots=True)
class Standard:
    """How a check is done, on a day, and what it expects in words."""

    valid: Callable[[str, date | None], bool]
    expected: str


STANDARDS: Mapping[Check, Standard] = MappingProxyType(
    {
        Check.USCC: Standard(
            lambda text, _: uscc_valid(text), "a unified social credit code with its check character (GB 32100)"
        ),
        Check.ORGANISATION_CODE: Standard(
            lambda text, _: organisation_code_valid(text), "an organisation code with its check digit (GB 11714)"
        ),
        Check.RESIDENT_ID: Standard(
            resident_id_valid, "an identity number with a possible birthday and its check digit (GB 11643)"
        ),
        Check.RESIDENCE_PERMIT: Standard(
            residence_permit_valid, "a residence permit number of Hong Kong, Macao or Taiwan residents (81, 82, 83)"
        ),
        Check.FOREIGN_RESIDENT: Standard(
            foreign_resident_valid, "a number of a foreign permanent resident's identity card"
        ),
        Check.LUHN: Standard(lambda text, _: bool(luhn.is_valid(text)), "a number with its Luhn digit (ISO/IEC 7812)"),
        Check.LEI: Standard(lambda text, _: bool(lei.is_valid(text)), "a legal entity identifier (ISO 17442)"),
    }
)
