"""``vigla rules``: rule files checked and tested before they are used."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from query.rules.groups import AlertingRule, load
from query.rules.unit_tests import run
from vigla.errors import BadInput

app = typer.Typer(help="Check and test recording and alerting rules.", no_args_is_help=True)

FilesArgument = Annotated[list[Path], typer.Argument(help="Files in Prometheus' format.", exists=True)]
MINUTE_MS = 60_000


def register(parent: typer.Typer) -> None:
    """Add the commands to the command line."""
    parent.add_typer(app, name="rules")


@app.command()
def check(files: FilesArgument) -> None:
    """Say what is wrong in rule files, with line and column: `vigla rules check rules/*.yml`."""
    out, failed = Console(highlight=False, soft_wrap=True, emoji=False), False
    for path in files:
        try:
            groups = load(path, MINUTE_MS)
        except BadInput as error:
            failed = True
            out.print(f"[red]FAILED[/] {path}")
            out.print(*[f"  {line}" for line in str(error).splitlines()], sep="\n", markup=False)
            continue
        kinds = Counter(isinstance(rule, AlertingRule) for group in groups for rule in group.rules)
        out.print(f"[green]SUCCESS[/] {path}: {kinds[False]} recording and {kinds[True]} alerting rules")
        for name, count in _doubled(path).items():
            out.print(f"  [yellow]warning[/] {name} is made {count} times with the same labels")
    raise typer.Exit(1 if failed else 0)


def _doubled(path: Path) -> dict[str, int]:
    """Rules of one name and the same labels: they write over each other."""
    counts = Counter(
        (rule.name, tuple(sorted(rule.labels.items())))
        for group in load(path, MINUTE_MS)
        for rule in group.rules
    )
    return {name: count for (name, _), count in counts.items() if count > 1}


@app.command()
def test(files: FilesArgument) -> None:
    """Run unit tests of rules in the format of `promtool test rules`."""
    out, failed = Console(highlight=False, soft_wrap=True, emoji=False), 0
    for path in files:
        out.print(f"{path}")
        try:
            for outcome in run(path):
                failed += bool(outcome.failures)
                verdict = "[red]FAILED[/]" if outcome.failures else "[green]SUCCESS[/]"
                out.print(f"  {verdict} {escape(outcome.name)}")
                for failure in outcome.failures:
                    out.print(f"    {failure}", markup=False)
        except BadInput as error:
            failed += 1
            out.print(f"  [red]FAILED[/] {escape(str(error))}")
    raise typer.Exit(1 if failed else 0)
