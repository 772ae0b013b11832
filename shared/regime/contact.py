"""Contacts: ways in which staff and customers have to do with each other, and what is said of each. Read by customer.

A definition is one way: through which company lines it goes, how many staff a first one needs, what its record says,
how important customers are received. Requirements R5.3, R5.5, R5.6, R7.1, R7.4.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.regime.codelist import Codelist
from shared.regime.definition import Definition, Flaw, Library, Secrecy, Shape, Snake, Text
from shared.regime.role import FIELD_CLASSES

LINES = "line_channel"
"""The code list of what company lines are lines of."""


class Needed(StrEnum):
    """When a particular has to be said: if one likes, always, of a first contact, of important customers while new."""

    OPTIONAL = "optional"
    ALWAYS = "always"
    FIRST = "first"
    IMPORTANT = "important"


class Particular(Shape):
    """One text of a contact's record, of at most `longest` characters, and who may read it."""

    title: Text
    needed: Needed
    longest: int = Field(ge=1, le=10_000)
    secrecy: Secrecy
    field_class: Snake


class Care(Shape):
    """How customers are received: one of a code list; `important`: what is due to important ones."""

    levels: Snake
    important: Snake


class ContactExample(Shape):
    """How many staff a contact needs by this definition alone, and which particulars, in their order."""

    first: bool
    important: bool
    staff: int
    says: tuple[Snake, ...]


class Contact(Definition):
    """A way of contact. `lines`: of which channels the company line is that it goes through; none: it needs no line.

    `first_staff`: how many take part in the first one with a customer. `together`: so do as many as a new important
    customer is to know (`importance`). `visit`: it is a visit, as the cadence of visits counts them.
    """

    kind_name: ClassVar[str] = "contact"

    lines: tuple[Snake, ...] = ()
    first_staff: int = Field(ge=1, le=9)
    together: bool
    visit: bool
    care: Care | None = None
    record: Mapping[Snake, Particular] = Field(min_length=1)
    examples: tuple[ContactExample, ...] = Field(min_length=2)

    def staff(self, *, first: bool) -> int:
        """How many staff take part at least."""
        return self.first_staff if first else 1

    def says(self, *, first: bool, important: bool) -> tuple[str, ...]:
        """The particulars that a record has to have. `important`: of an important customer who is new."""
        wanted = {Needed.ALWAYS}
        wanted |= {Needed.FIRST} if first else set()
        wanted |= {Needed.IMPORTANT} if important else set()
        return tuple(code for code, each in self.record.items() if each.needed in wanted)

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield codes that no list has, and examples that do not come true."""
        on = self.effective_from
        known = library.find(Codelist, LINES, on=on)
        for position, line in enumerate(self.lines):
            if known is None or line not in known.codes:
                yield Flaw(("lines", position), f"no channel {line!r}", f"see the code list {LINES}")
        if self.care is not None:
            levels = library.find(Codelist, self.care.levels, on=on)
            if levels is None or self.care.important not in levels.codes:
                yield Flaw(("care",), f"no {self.care.important!r} in {self.care.levels!r}", "see the code lists")
        classes = library.find(Codelist, FIELD_CLASSES, on=on)
        for code, each in self.record.items():
            if classes is None or each.field_class not in classes.codes:
                yield Flaw(("record", code, "field_class"), f"no field class {each.field_class!r}", "see the list")
        for position, example in enumerate(self.examples):
            found = self.staff(first=example.first), self.says(first=example.first, important=example.important)
            if found != (example.staff, example.says):
                told = f"{found[0]} staff, says {', '.join(found[1]) or 'nothing'}"
                yield Flaw(("examples", position), told, "mend the definition or the example")
