"""Kinds of relation between a customer and another customer or somebody outside. Read by the customer service (R4.1).

A relation stands in one customer's file and says what the other side is to that customer; `inverse` says it from there.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.regime.codelist import Codelist
from shared.regime.definition import Definition, Flaw, Library, Secrecy, Shape, Slug, Snake, Text
from shared.regime.identifiers import Check
from shared.regime.role import FIELD_CLASSES

WHOLE = Decimal(100)
"""All shares of one customer together, in percent."""


class Party(StrEnum):
    """Who somebody outside is."""

    PERSON = "person"
    COMPANY = "company"


class RelationExample(Shape):
    """A relation with somebody outside (without `party`: with a customer), perhaps a share in percent, and why it is
    refused; nothing: it is not."""

    party: Party | None = None
    share: Decimal | None = None
    refused: Snake | None = None


class Relation(Definition):
    """One kind; its title says what the other side is to the customer. `inverse` is left out of a symmetric one.

    `share`: each has a share in percent, and those of one customer are at most the whole. `outside`: which parties that
    are no customers may be the other side; `secrecy` and `field_class` are of who these are.
    """

    kind_name: ClassVar[str] = "relation"

    inverse: Text | None = None
    share: bool = False
    outside: tuple[Party, ...] = ()
    certificates: Slug = Field(description="The code list of the certificates by which somebody outside is known")
    checks: Mapping[str, Check] = Field(default={}, description="Certificate -> the standard that its number bears out")
    secrecy: Secrecy
    field_class: Snake
    examples: tuple[RelationExample, ...] = Field(min_length=2)

    @property
    def symmetric(self) -> bool:
        """Whether each side is to the other what that is to it."""
        return self.inverse is None

    def refuses(self, party: Party | None, share: Decimal | None) -> str | None:
        """Why such a relation cannot be: party_not_allowed, share_required, share_not_kept, bad_share; None: it can."""
        if party is not None and party not in self.outside:
            return "party_not_allowed"
        if self.share is (share is None):
            return "share_required" if self.share else "share_not_kept"
        return "bad_share" if share is not None and not 0 < share <= WHOLE else None

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield lists and classes that are not there, and examples that do not come true."""
        on = self.effective_from
        certificates = library.find(Codelist, self.certificates, on=on)
        if certificates is None:
            yield Flaw(("certificates",), f"no code list {self.certificates!r}", "see the codelist folders")
        for code in sorted(self.checks.keys() - (certificates.codes if certificates else ())):
            yield Flaw(("checks", code), f"no certificate {code!r}", f"see the code list {self.certificates}")
        listed = library.find(Codelist, FIELD_CLASSES, on=on)
        if listed is None or self.field_class not in listed.codes:
            yield Flaw(("field_class",), f"no field class {self.field_class!r}", f"see the code list {FIELD_CLASSES}")
        for position, example in enumerate(self.examples):
            found = self.refuses(example.party, example.share)
            if found != example.refused:
                yield Flaw(("examples", position), f"refused: {found or 'nothing'}", "mend the kind or the example")
