"""`kehu regimes`: the declared measures, without a running suite."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from kehu.failure import SuiteFailed
from kehu.options import AsJson, console
from kehu.plan import PROJECT
from shared.clock import day_of, now
from shared.regime import Catalogue, Maintenance, Origin, Regimes, as_json, inspect
from shared.regime.dictionary import Dictionary

app = typer.Typer(help="The declared measures.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option(help="The folder with the definitions.", file_okay=False)]
REGIMES = PROJECT / "regimes"


@app.command()
def check(folder: Folder = REGIMES, json: AsJson = False) -> None:
    """Say everything that is wrong, with file and line; exit code 1 if anything is."""
    regimes, problems = inspect(folder)
    if json:
        shown = [
            {"file": each.file, "line": each.line, "message": each.message, "hint": each.hint} for each in problems
        ]
        console.print_json(data={"definitions": len(regimes.definitions), "hash": regimes.hash, "problems": shown})
    else:
        for each in problems:
            console.print(str(each), soft_wrap=True, markup=False)
        console.print(f"{len(regimes.definitions)} definitions, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


@app.command("list")
def list_definitions(folder: Folder = REGIMES, json: AsJson = False) -> None:
    """List every version of every definition."""
    definitions = sorted(_regimes(folder).definitions, key=lambda each: (each.ref.id, each.ref.version))
    if json:
        console.print_json(data=[{**each.ref.as_json(), "title": each.title.model_dump()} for each in definitions])
        return
    table = Table("definition", "in force from", "requirement", "title")
    for each in definitions:
        table.add_row(each.ref.id, str(each.effective_from), each.requirement, f"{each.title.zh} {each.title.en}")
    console.print(table)


@app.command()
def show(
    definition: Annotated[str, typer.Argument(help="measure/kind/id, as `kehu regimes list` prints it.")],
    on: Annotated[datetime | None, typer.Option(help="The day; today by default.", formats=["%Y-%m-%d"])] = None,
    folder: Folder = REGIMES,
    json: AsJson = False,
) -> None:
    """Show the version in force on a day."""
    day = on.date() if on else day_of(now())
    found = [each for each in _regimes(folder).definitions if each.ref.id == definition and each.effective_from <= day]
    if not found:
        raise SuiteFailed(f"No definition {definition} is in force on {day}; see `kehu regimes list`.")
    content = as_json(max(found, key=lambda each: each.effective_from))
    if json:
        console.print_json(data=content)
    else:
        console.out(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110), highlight=False)


@app.command()
def items(
    kind: Annotated[str | None, typer.Option(help="One kind of customer; all by default.")] = None,
    on: Annotated[datetime | None, typer.Option(help="The day; today by default.", formats=["%Y-%m-%d"])] = None,
    folder: Folder = REGIMES,
    json: AsJson = False,
) -> None:
    """Count the items of the dictionaries: by maintenance class, by group, by origin.

    Dynamic items are the quarterly and the real-time ones together; shared ones are taken from another kind.
    """
    day, regimes = on.date() if on else day_of(now()), _regimes(folder)
    known = sorted({group.kind for group in regimes.all(Dictionary, on=day)})
    if kind is not None and kind not in known:
        raise SuiteFailed(f"No dictionary of kind {kind} is in force on {day}; there are {', '.join(known)}.")
    counts = [_counted(regimes.catalogue(each, on=day)) for each in ([kind] if kind else known)]
    if json:
        console.print_json(data=counts)
        return
    for each in counts:
        console.print("\n".join(_told(each)), soft_wrap=True, highlight=False)


def _told(counts: dict[str, Any]) -> Iterator[str]:
    classes, origin = counts["maintenance"], counts["origin"]
    dynamic = f"{counts['dynamic']} dynamic ({classes['quarterly']} quarterly, {classes['realtime']} real-time)"
    kept = f"{classes['static']} static + {dynamic} + {classes['system']} system"
    yield f"{counts['kind']}: {counts['items']} items = {kept}"
    yield "  by group   " + ", ".join(f"{group} {count}" for group, count in counts["groups"].items())
    yield f"  by origin  {origin['measure']} named by a measure, {origin['extension']} extensions"
    yield f"  {counts['required']} required, {counts['shared']} shared with another kind"
    yield f"  {counts['rules']} rules across items"


def _counted(catalogue: Catalogue) -> dict[str, Any]:
    found = list(catalogue.items.values())
    classes = {each.value: sum(item.maintenance is each for item in found) for each in Maintenance}
    own = {item.code for group in catalogue.groups for item in group.items}
    return {
        "kind": catalogue.kind,
        "dictionary": catalogue.ref.as_json(),
        "items": len(found),
        "maintenance": classes,
        "dynamic": classes["quarterly"] + classes["realtime"],
        "groups": {group.id: sum(at == group.id for at in catalogue.group_of.values()) for group in catalogue.groups},
        "origin": {each.value: sum(item.origin is each for item in found) for each in Origin},
        "required": len(catalogue.required),
        "shared": len(catalogue.items.keys() - own),
        "rules": len(catalogue.rules),
    }


def _regimes(folder: Path) -> Regimes:
    regimes, problems = inspect(folder)
    if problems:
        raise SuiteFailed(f"The definitions do not hold ({len(problems)} problems); see `kehu regimes check`.")
    return regimes
