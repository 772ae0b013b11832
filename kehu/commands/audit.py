"""`kehu audit`: prove the audit log right, or say where it is wrong."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from kehu.client import SuiteClient
from kehu.data import DataDirectory
from kehu.options import DATA, AsJson, Data, console
from kehu.plan import Plan
from kehu.postgres import PostgresServer
from kehu.witness import observe
from services.audit.log.note import Verifier
from services.audit.log.verify import Report
from services.audit.log.verify import verify as verify_log
from services.audit.settings import AuditSettings
from shared.db import Database
from shared.settings import load

app = typer.Typer(help="The tamper-evident audit log.", no_args_is_help=True)
_AUDITOR: Final = "auditor"
Deployed = Annotated[
    bool, typer.Option("--deployed", help="Take AUDIT_* settings from the environment, not a suite on this machine.")
]


@app.command()
def verify(
    kept: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint kept elsewhere; may be repeated.", exists=True, dir_okay=False),
    ] = None,
    data: Data = DATA,
    deployed: Deployed = False,
    as_json: AsJson = False,
) -> None:
    """Hash every stored entry again and hold it against the tree and its checkpoints; exit code 1 if anything differs.

    Only a checkpoint kept elsewhere (see `kehu audit witness`) shows a tree that was rewritten whole.
    """
    settings = load(AuditSettings) if deployed else _settings_here(DataDirectory(data))
    report = asyncio.run(_verify(settings, [path.read_text(encoding="utf-8") for path in kept or ()]))
    if as_json:
        summary = {"ok": report.ok, "first_bad_index": report.first_bad_index, "counts": dict(report.counts)}
        figures = {name: getattr(report, name) for name in ("size", "root", "checkpoints", "erased")}
        console.print_json(data={**summary, **figures, "findings": [asdict(each) for each in report.findings]})
    else:
        _print(report)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def checkpoint(data: Data = DATA, as_json: AsJson = False) -> None:
    """Print the newest signed checkpoint; with --json also the public keys that a witness checks it with."""
    directory = DataDirectory(data)
    note = SuiteClient(directory, _AUDITOR).call("GET", "audit", "/log/checkpoint").text
    if as_json:
        keys = [str(each) for each in _settings_here(directory).verifiers]
        console.print_json(data={"checkpoint": note, "verifier_keys": keys})
    else:
        console.out(note, end="", highlight=False)


@app.command()
def witness(
    keep: Annotated[Path, typer.Option(help="Where the last checkpoint is kept; made at first use.", dir_okay=False)],
    key: Annotated[str | None, typer.Option(help="The log's verifier key; by default that of the suite here.")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Check that the log still begins with what was kept, then keep its newest checkpoint instead."""
    directory = DataDirectory(data)
    client = SuiteClient(directory, _AUDITOR)
    verifiers: Sequence[Verifier] = [Verifier.parse(key)] if key else _settings_here(directory).verifiers

    def prove(old: int, new: int) -> list[bytes]:
        proof = client.call("GET", "audit", "/v1/consistency", params={"from": old, "to": new}).json()
        return [bytes.fromhex(each) for each in proof["path"]]

    new = observe(keep, client.call("GET", "audit", "/log/checkpoint").text, verifiers, prove)
    if as_json:
        console.print_json(data={"origin": new.origin, "size": new.size, "root": new.root.hex()})
    else:
        console.print(f"{new.origin}: {new.size} entries, an extension of what was kept. Kept in {keep}.")


def _settings_here(data: DataDirectory) -> AuditSettings:
    data.state()
    own = PostgresServer(data.postgres).dsn("audit")
    variables = Plan(data).environment("audit", own, bus_url=own).items()
    values: dict[str, Any] = {name.removeprefix("AUDIT_").lower(): value for name, value in variables}
    return AuditSettings(**values)


async def _verify(settings: AuditSettings, kept: Sequence[str]) -> Report:
    database = Database(settings.database_url.get_secret_value(), pool=2, application="kehu-audit-verify")
    await database.start()
    try:
        return await verify_log(database, settings.origin, settings.verifiers, kept)
    finally:
        await database.close()


def _print(report: Report) -> None:
    for finding in report.findings:
        where = "tree" if finding.index is None else f"entry {finding.index}"
        console.print(f"[bold red]{finding.kind}[/] {where}: {finding.detail}", soft_wrap=True, highlight=False)
    word = "[bold green]holds[/]" if report.ok else "[bold red]does not hold[/]"
    console.print(
        f"The log {word}: {report.size} entries ({report.erased} erased), {report.checkpoints} checkpoints, "
        f"root {report.root}",
        soft_wrap=True,
        highlight=False,
    )
