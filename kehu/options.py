"""Options that several commands share, and the console that they write to."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

console = Console()
DATA: Final = Path(".kehu")
Data = Annotated[Path, typer.Option(help="Where the suite keeps everything.", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
