"""``vigla sql``: one statement, a script's input, or a prompt."""

import enum
import readline
import sys
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from query.sql_formats import Format, encoded, rendered
from vigla.client import DEFAULT_URL, Connection, Result, connect
from vigla.errors import SettingsError, ViglaError

HISTORY_LINES = 1000
PROMPT, CONTINUED = "vigla> ", "    -> "
HELP = r"""Statements end with ; and may span lines.
\d          list the tables
\d TABLE    list a table's columns
\q          quit (or Ctrl-D)"""

errors = Console(stderr=True, highlight=False, emoji=False)


class Output(enum.StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"
    PARQUET = "parquet"


FORMATS: dict[Output, Format] = {
    Output.JSON: "json",
    Output.CSV: "csv",
    Output.ARROW: "arrow",
    Output.PARQUET: "parquet",
}
BINARY = frozenset({Output.ARROW, Output.PARQUET})


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(sql)


def sql(
    query: Annotated[str | None, typer.Argument(help="A statement; else standard input or a prompt.")] = None,
    *,
    url: Annotated[str, typer.Option(help="Query server.")] = DEFAULT_URL,
    form: Annotated[
        Output | None,
        typer.Option("--format", help="Else by the file's suffix; a table on a terminal, CSV in a pipe."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="File to write.")
    ] = None,
) -> None:
    r"""Ask the traces in SQL: `vigla sql "SELECT service, count(*) FROM spans GROUP BY ALL"`.

    At the prompt, \d lists the tables.
    """
    with connect(url) as connection:
        if query is None and sys.stdin.isatty():
            Prompt(connection).run()
            return
        text = sys.stdin.read() if query is None else query
        _write(connection.sql(text), form or _chosen(output), output)


def _chosen(output: Path | None) -> Output:
    if output is not None:
        suffix = output.suffix.removeprefix(".")
        return next((form for form in FORMATS if form == suffix), Output.CSV)
    return Output.TABLE if sys.stdout.isatty() else Output.CSV


def _write(result: Result, form: Output, output: Path | None) -> None:
    if form is Output.TABLE:
        _write_table(result, output)
        return
    if form in BINARY and output is None and sys.stdout.isatty():
        raise SettingsError(f"{form} is binary: name a file with -o, or redirect")
    chunks = encoded(result.arrow(), FORMATS[form])
    if output is None:
        sys.stdout.buffer.writelines(chunks)
        sys.stdout.buffer.flush()
        return
    with output.open("wb") as file:
        file.writelines(chunks)


def _write_table(result: Result, output: Path | None) -> None:
    if output is None:
        Console(highlight=False, emoji=False).print(table_of(result))
        return
    with output.open("w", encoding="utf-8") as file:
        Console(file=file, highlight=False, emoji=False).print(table_of(result))


def table_of(result: Result) -> Table:
    """Rows to look at: numbers to the right, NULL dimmed."""
    content = result.arrow()
    table = Table(caption=f"{len(result):,} rows", caption_justify="left", header_style="bold")
    for field in content.schema:
        table.add_column(Text(field.name), justify="right" if _is_number(field.type) else "left")
    columns = [rendered(column.combine_chunks()) for column in content.columns]
    for row in zip(*columns, strict=True):
        table.add_row(*map(_cell, row))
    return table


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _cell(value: Any) -> Text:
    return Text("NULL", style="dim") if value is None else Text(str(value))


class Prompt:
    """Reads statements until the end of input. An error ends a statement, not the prompt."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._screen = Console(highlight=False, emoji=False)
        self._history = Path(typer.get_app_dir("vigla")) / "sql_history"

    def run(self) -> None:
        r"""Until Ctrl-D or ``\q``."""
        self._screen.print(r"[dim]\? for help[/]")
        self._load_history()
        try:
            while (statement := self._statement()) is not None:
                self._execute(statement)
        except EOFError:
            self._screen.print()
        finally:
            self._save_history()

    def _statement(self) -> str | None:
        r"""Lines up to a semicolon, or one command; None for ``\q``."""
        lines: list[str] = []
        while True:
            try:
                line = input(CONTINUED if lines else PROMPT)
            except KeyboardInterrupt:
                self._screen.print()
                return ""
            if not lines and line.lstrip().startswith("\\"):
                command = line.strip()
                return None if command == r"\q" else command
            lines.append(line)
            if line.rstrip().endswith(";") or not "".join(lines).strip():
                return "\n".join(lines).strip()

    def _execute(self, statement: str) -> None:
        try:
            if statement.startswith("\\"):
                self._command(statement)
            elif statement:
                self._screen.print(table_of(self._connection.sql(statement)))
        except ViglaError as error:
            errors.print(Text(str(error), style="red"), soft_wrap=True)
        except KeyboardInterrupt:
            errors.print("cancelled")

    def _command(self, command: str) -> None:
        name, _, argument = command.partition(" ")
        if name != r"\d":
            self._screen.print(HELP, markup=False)
            return
        tables = {table["name"]: table for table in self._connection.schema()}
        wanted = argument.strip().rstrip(";")
        if not wanted:
            self._screen.print(_listing(list(tables.values()), ("name", "description")))
        elif wanted in tables:
            self._screen.print(_listing(tables[wanted]["columns"], ("name", "type", "description")))
        else:
            raise ViglaError(f"no table {wanted}: there are {', '.join(tables)}")

    def _load_history(self) -> None:
        readline.set_history_length(HISTORY_LINES)
        if self._history.exists():
            readline.read_history_file(self._history)

    def _save_history(self) -> None:
        try:
            self._history.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(self._history)
        except OSError as error:  # a read-only home is no reason to fail
            errors.print(f"[yellow]history not saved:[/] {error}")


def _listing(rows: list[dict[str, str]], names: tuple[str, ...]) -> Table:
    table = Table(*names, header_style="bold")
    for row in rows:
        table.add_row(*(Text(row[name]) for name in names))
    return table
