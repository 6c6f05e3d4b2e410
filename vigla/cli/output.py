"""Answers as a table, YAML or JSON."""

import enum
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
import typer
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)


class Output(enum.StrEnum):
    """How an answer is written."""

    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="table, yaml or json")]


def show(body: Any, output: Output, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write an answer.

    Args:
        body: the whole answer, for YAML and JSON.
        output: which form.
        columns: headings of the table.
        rows: its cells.
    """
    if output is Output.JSON:
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
    elif output is Output.YAML:
        typer.echo(yaml.safe_dump(body, sort_keys=False, allow_unicode=True).rstrip())
    elif not rows:
        errors.print("[dim]nothing found[/]")
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        console.print(table)
