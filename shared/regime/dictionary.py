"""Dictionaries: the items of a kind of customer. Read by the customer service and by the console.

A file holds one group; the groups of one kind of customer together are its `Catalogue`. A group may take items from
groups of other kinds by reference. Values are read by `shared.regime.field`; who may set one is decided by the
customer service. Requirements R1.1, R1.3, R5.1.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import ClassVar, Self

from pydantic import Field, model_validator

from shared.expressions import ExpressionError, Schema, Type, names
from shared.regime.codelist import Codelist, field_flaws, known_lists
from shared.regime.definition import Definition, Flaw, Json, Library, Path, Ref, Shape, Slug, Snake, Text, doubled
from shared.regime.field import FieldType
from shared.regime.item import TODAY, Item, ItemRule, Maintenance, Origin, Override, SearchBy, Source, Taken, Use
from shared.regime.role import FIELD_CLASSES, Role
from shared.regime.vocabulary import TYPES, expression_flaws, types_of

__all__ = [
    "Aggregate",
    "Catalogue",
    "Dealings",
    "Dictionary",
    "Item",
    "ItemRule",
    "ItemsExample",
    "Maintenance",
    "Origin",
    "Override",
    "SearchBy",
    "Source",
    "Taken",
    "Total",
    "Use",
]


class Dealings(StrEnum):
    """The records that totals are taken from; the customer service owns them."""

    PURCHASES = "purchases"  # one row a month: quantity, amount, varieties, orders, orders_planned, payments_late
    VIOLATIONS = "violations"  # one row each: severity minor or serious


class Aggregate(StrEnum):
    """How rows become one figure. Over no rows a count is 0, every other figure is unknown."""

    SUM = "sum"
    COUNT = "count"
    AVERAGE = "average"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"


class Total(Shape):
    """A figure about a customer over the last `months` calendar months, the month of the reckoning day included.

    With an `offset` the window ends that many months earlier, so that one period can be held against the one before.
    Expressions call it `total.<code>`. `of` is the column to aggregate, `severity` keeps only such violations.
    """

    code: Snake
    label: Text
    dealings: Dealings
    aggregate: Aggregate
    of: Snake | None = None
    severity: Snake | None = None
    type: FieldType
    months: int = Field(ge=1, le=120)
    offset: int = Field(default=0, ge=0, le=120, description="Months between the end of the window and this month")


class ItemsExample(Shape):
    """Values of a file, and the fault code that each refused item gets; no faults means all are accepted."""

    values: Mapping[Snake, Json]
    faults: Mapping[Snake, Snake] = {}


class Dictionary(Definition):
    """One group of items of a kind of customer, or totals only, for expressions beside the items."""

    kind_name: ClassVar[str] = "dictionary"

    kind: Slug = Field(description="The kind of customer")
    label: Text = Field(description="Name of the group")
    position: int = Field(ge=1, description="Place of the group among the groups of its kind")
    totals: tuple[Total, ...] = ()
    shared: tuple[Taken, ...] = Field(default=(), description="Items of other kinds, which stand before its own")
    items: tuple[Item, ...] = ()
    rules: tuple[ItemRule, ...] = ()
    examples: tuple[ItemsExample, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not self.items and not self.shared and not self.totals:
            raise ValueError("a group has items, of its own or shared, or totals")
        return self

    @property
    def key(self) -> str:
        """Groups of different kinds may share a name."""
        return f"{self.kind}.{self.id}"

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield codes used twice, values that nothing allows, keepers that nobody is, formulas and rules that do not
        hold, references that lead nowhere."""
        on = self.effective_from
        known = library.all(Dictionary, on=on)
        catalogue = Catalogue(self.kind, known)
        yield from self._doubles(catalogue)
        yield from _shared_flaws(self, {group.key: group for group in known})
        for position, total in enumerate(self.totals):
            if (total.of is None) is not (total.aggregate is Aggregate.COUNT):
                yield Flaw(
                    ("totals", position), f"{total.aggregate} of {total.of}", "count has no `of`; others need it"
                )
        schema = Schema(catalogue.total_types, known_lists(library, on=on))
        for position, item in enumerate(self.items):
            path: Path = ("items", position)
            yield from field_flaws(item, path, library, on=on)
            yield from _keeper_flaws(item, path, library, on=on)
            yield from _class_flaws(item, path, library, on=on)
            if item.formula is not None:
                yield from expression_flaws(item.formula, schema, (*path, "formula"), *_computes(item))
        for position, taken in enumerate(self.shared):
            for code, override in taken.overrides.items():
                if code in catalogue.items and override.model_fields_set & {"maintenance", "maintained_by"}:
                    place: Path = ("shared", position, "overrides", code)
                    yield from _keeper_flaws(catalogue.items[code], place, library, on=on)
        for position, rule in enumerate(self.rules):
            yield from _rule_flaws(rule, ("rules", position), catalogue, known_lists(library, on=on))

    def _placed(self, catalogue: "Catalogue") -> Iterator[tuple[Path, Item]]:
        """Every item of the group with the place where its file says so."""
        own = {item.code for item in self.items}
        for position, taken in enumerate(self.shared):
            for code in taken.items:
                if code in catalogue.items and code not in own:
                    yield ("shared", position, "items", taken.items.index(code)), catalogue.items[code]
        yield from ((("items", position), item) for position, item in enumerate(self.items))

    def _doubles(self, catalogue: "Catalogue") -> Iterator[Flaw]:
        yield from doubled([item.code for item in self.items], "items", "code")
        yield from doubled([total.code for total in self.totals], "totals", "code")
        yield from doubled([rule.id for rule in self.rules], "rules", "id")
        others = [group for group in catalogue.groups if group.id != self.id]
        had = {code: group.id for group in others for code in group.codes}
        ruled = {rule.id: group.id for group in others for rule in group.rules}
        for position, rule in enumerate(self.rules):
            if rule.id in ruled:
                yield Flaw(("rules", position, "id"), f"{ruled[rule.id]} has {rule.id!r}", "choose another id")
        counted = {total.code: group.id for group in others for total in group.totals}
        for position, total in enumerate(self.totals):
            if total.code in counted:
                seen = f"{counted[total.code]} has {total.code!r}"
                yield Flaw(("totals", position, "code"), seen, "choose another code")
        declared = (item for group in catalogue.groups for item in group.items)
        uses = {item.use: item.code for item in (*declared, *catalogue.items.values())}
        for path, item in self._placed(catalogue):
            place = (*path, "code") if path[0] == "items" else path
            if item.use is not None and uses[item.use] != item.code:
                yield Flaw((*path, "use"), f"{uses[item.use]!r} serves as {item.use} too", "keep one")
            if item.code in had:
                yield Flaw(place, f"{had[item.code]} has {item.code!r}", "choose another code")

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its items, shared ones first."""
        return (*(code for taken in self.shared for code in taken.items), *(item.code for item in self.items))

    def contents(self, known: Mapping[str, "Dictionary"], through: frozenset[str] = frozenset()) -> Iterator[Item]:
        """Its items with the shared ones as they are taken, out of the groups `known` by key; what is not there, or
        refers back to one of `through`, is left out."""
        inside = through | {self.key}
        for taken in self.shared:
            source = known.get(taken.group)
            found = {} if source is None or source.key in inside else _by_code(source.contents(known, inside))
            yield from (taken.resolve(code, found[code]) for code in taken.items if code in found)
        yield from self.items

    def figures(self, known: Mapping[str, "Dictionary"], through: frozenset[str] = frozenset()) -> Iterator[Total]:
        """Its totals, taken ones first, as `contents` does with items."""
        inside = through | {self.key}
        for taken in self.shared:
            source = known.get(taken.group)
            if source is not None and source.key not in inside:
                yield from (total for total in source.figures(known, inside) if total.code in taken.totals)
        yield from self.totals

    def behind(self, known: Mapping[str, "Dictionary"]) -> Mapping[str, "Dictionary"]:
        """The groups that it refers to, directly or through others, by key."""
        found: dict[str, Dictionary] = {}
        waiting = [taken.group for taken in self.shared]
        while waiting:
            key = waiting.pop(0)
            if key in known and key not in found:
                found[key] = known[key]
                waiting += [taken.group for taken in known[key].shared]
        return found


def _by_code(items: Iterable[Item]) -> dict[str, Item]:
    return {item.code: item for item in items}


def _shared_flaws(group: Dictionary, known: Mapping[str, Dictionary]) -> Iterator[Flaw]:
    """Yield references that lead nowhere, back, or twice to the same thing."""
    if group.key in group.behind(known):
        yield Flaw(("shared",), f"{group.key} refers back to itself", "take the items from where they are declared")
        return
    seen = {item.code for item in group.items}
    for position, taken in enumerate(group.shared):
        path: Path = ("shared", position)
        source = known.get(taken.group)
        if source is None or source.kind == group.kind:
            yield Flaw((*path, "group"), f"no group {taken.group!r} of another kind", "<kind>.<group>")
            continue
        offered = _by_code(source.contents(known))
        for place, code in enumerate(taken.items):
            if code not in offered:
                yield Flaw((*path, "items", place), f"{taken.group} has no {code!r}", "mend its spelling")
            if code in seen:
                yield Flaw((*path, "items", place), f"{code!r} stands twice", "keep one of them")
            seen.add(code)
        totals = {total.code for total in source.figures(known)}
        for code in sorted({*taken.totals} - totals):
            yield Flaw((*path, "totals"), f"{taken.group} has no total {code!r}", "mend its spelling")
        needed = {name.removeprefix("total.") for code in taken.items for name in _needs(offered.get(code))}
        for code in sorted((needed & totals) - {*taken.totals}):
            yield Flaw((*path, "totals"), f"an item is computed from {code!r}", "take the total, too")
        for code, override in taken.overrides.items():
            if code not in taken.items or not override.model_fields_set:
                yield Flaw((*path, "overrides", code), f"{code!r} is not overridden", "list it, and say what differs")


def _needs(item: Item | None) -> frozenset[str]:
    """The totals that an item is computed from, as its formula calls them."""
    try:
        return frozenset() if item is None or item.formula is None else names(item.formula)
    except ExpressionError:  # a flaw of the dictionary that declares it
        return frozenset()


def _rule_flaws(rule: ItemRule, path: Path, catalogue: "Catalogue", lists: frozenset[str]) -> Iterator[Flaw]:
    schema = Schema(catalogue.rule_types, lists)
    for name in ("when", "expression"):
        text = getattr(rule, name)
        if text is not None:
            yield from expression_flaws(text, schema, (*path, name), Type.BOOLEAN)
    for position, code in enumerate(rule.items):
        if code not in rule.reads:
            yield Flaw((*path, "items", position), f"the rule does not read {code!r}", "name items that it reads")
    if {example.passes for example in rule.examples} != {True, False}:
        yield Flaw((*path, "examples"), "the examples all end alike", "show one that passes and one that fails")
    for position, example in enumerate(rule.examples):
        for code in sorted(example.values.keys() - rule.reads):
            yield Flaw((*path, "examples", position), f"the rule does not read {code!r}", "leave it out")


def _keeper_flaws(item: Item, path: Path, library: Library, *, on: date) -> Iterator[Flaw]:
    if item.maintenance is Maintenance.SYSTEM:
        if item.formula is None or item.maintained_by is not None:
            yield Flaw(
                path, f"system item {item.code!r} has a formula and no keeper", "add formula, drop maintained_by"
            )
        return
    if item.formula is not None:
        yield Flaw((*path, "formula"), f"{item.code!r} is kept by people", "only system items have a formula")
    if item.maintained_by is None or library.find(Role, item.maintained_by, on=on) is None:
        yield Flaw(path, f"{item.code!r} is kept by {item.maintained_by}", "maintained_by names a role")


def _class_flaws(item: Item, path: Path, library: Library, *, on: date) -> Iterator[Flaw]:
    listed = library.find(Codelist, FIELD_CLASSES, on=on)
    if listed is None or item.field_class not in listed.codes:
        yield Flaw((*path, "field_class"), f"no field class {item.field_class!r}", f"see the code list {FIELD_CLASSES}")


def _computes(item: Item) -> tuple[Type, ...]:
    """Return the types that a formula of the item may have; a literal code is a text to the type checker."""
    wanted = TYPES[item.type]
    return (wanted, Type.TEXT) if wanted is Type.CODE else (wanted,)


class Catalogue:
    """All items and totals of one kind of customer on one day, by code, in the order of the groups.

    `groups`: those of the kind, and those of others that they take items from; the rest is ignored.
    """

    def __init__(self, kind: str, groups: Iterable[Dictionary]) -> None:
        self.kind = kind
        known = {group.key: group for group in groups}
        own = [group for group in known.values() if group.kind == kind]
        self.groups = tuple(sorted(own, key=lambda group: group.position))
        contents = {group.id: tuple(group.contents(known)) for group in self.groups}
        self.items: Mapping[str, Item] = {item.code: item for items in contents.values() for item in items}
        self.group_of: Mapping[str, str] = {item.code: key for key, items in contents.items() for item in items}
        self.totals: Mapping[str, Total] = {
            total.code: total for group in self.groups for total in group.figures(known)
        }
        self._behind = {key: found for group in self.groups for key, found in group.behind(known).items()}

    @property
    def sources(self) -> tuple[Dictionary, ...]:
        """All that it was made of: the groups of the kind, then those that they refer to."""
        return (*self.groups, *self._behind.values())

    @cached_property
    def ref(self) -> Ref:
        """One identity for all groups together and those that they refer to: the latest day, a hash over theirs."""
        measure = self.groups[0].measure
        refs = [group.ref for group in self.sources]
        digest = sha256("".join(ref.hash for ref in refs).encode()).hexdigest()
        return Ref(f"{measure}/dictionary/{self.kind}", max(ref.version for ref in refs), digest)

    @cached_property
    def total_types(self) -> Mapping[str, Type]:
        """The totals as expressions see them: `total.<code>`."""
        return {f"total.{total.code}": TYPES[total.type] for total in self.totals.values()}

    @cached_property
    def types(self) -> Mapping[str, Type]:
        """Items and totals as expressions see them."""
        return {**types_of(self.items.values()), **self.total_types}

    @cached_property
    def rules(self) -> Mapping[str, ItemRule]:
        """The rules across items by id: its own, and those of other kinds of which it has taken all that they read."""
        own = {item.code for group in self.groups for item in group.items}
        taken = self.items.keys() - own
        shared = [rule for group in self._behind.values() for rule in group.rules if rule.reads and taken >= rule.reads]
        return {rule.id: rule for rule in (*shared, *(rule for group in self.groups for rule in group.rules))}

    @cached_property
    def rule_types(self) -> Mapping[str, Type]:
        """What rules across items read: items that people keep, and the day."""
        kept = (item for item in self.items.values() if item.maintenance is not Maintenance.SYSTEM)
        return {**types_of(kept), TODAY: Type.DATE}

    @cached_property
    def example(self) -> Mapping[str, Json]:
        """The values of a made-up file: of each group the first example that is accepted, as far as people set them."""
        given = (next((each.values for each in group.examples if not each.faults), {}) for group in self.groups)
        return {
            code: value
            for values in given
            for code, value in values.items()
            if code in self.rule_types and self.items[code].type is not FieldType.PHOTO
        }

    @cached_property
    def uses(self) -> Mapping[str, Use]:
        """Item code -> what the item serves as, for those that serve as something."""
        return {item.code: item.use for item in self.items.values() if item.use is not None}

    @cached_property
    def system_items(self) -> tuple[Item, ...]:
        """The items that the system computes."""
        return tuple(item for item in self.items.values() if item.maintenance is Maintenance.SYSTEM)

    @cached_property
    def searchable(self) -> tuple[Item, ...]:
        """The items that can be searched for, in order."""
        return tuple(item for item in self.items.values() if item.search)

    def used_as(self, use: Use) -> Item | None:
        """Return the item that serves as something, if the kind has one."""
        return next((item for item in self.items.values() if item.use is use), None)

    @cached_property
    def required(self) -> frozenset[str]:
        """Codes that a complete file must have."""
        return frozenset(item.code for item in self.items.values() if item.required)
