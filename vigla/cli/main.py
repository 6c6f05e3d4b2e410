"""The ``vigla`` command: collects the subcommands and turns expected errors into one line."""

import importlib.metadata
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from vigla.cli import agent, capture, configuration, demo, mesh, metrics, proxies, rules, serve, sql, transfer
from vigla.errors import ViglaError

EXIT_FAILED = 2

app = typer.Typer(
    help="Service-mesh observability in one process.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  typer's callback signature
    if wanted:
        typer.echo(f"vigla {importlib.metadata.version('vigla')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the command itself."""


serve.register(app)
agent.register(app)
demo.register(app)
sql.register(app)
transfer.register(app)
metrics.register(app)
rules.register(app)
mesh.register(app)
capture.register(mesh.app)
configuration.register(app)
proxies.register(app)


def main() -> None:
    """Run the command line; an error that vigla names is printed as one line, exit code 2."""
    try:
        app()
    except ViglaError as error:
        Console(stderr=True, emoji=False).print(
            f"[bold red]vigla:[/] {escape(str(error))}", highlight=False, soft_wrap=True
        )
        sys.exit(EXIT_FAILED)
