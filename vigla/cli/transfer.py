"""``vigla import`` and ``vigla export``: traces from and to files."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from vigla.cli.fetching import Fetcher, Format, Selection, instant
from vigla.cli.sending import Sender, Summary
from vigla.errors import BadInput
from vigla.wire.trace_files import bounded, read_requests

EXIT_REJECTED = 1

console = Console(stderr=True, highlight=False, emoji=False)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("import")(import_files)
    app.command("export")(export_traces)


def import_files(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Files, also .gz and .zst.")
    ],
    *,
    endpoint: Annotated[str, typer.Option(help="OTLP/HTTP receiver.")] = "http://127.0.0.1:4318",
) -> None:
    """Send traces from files: Jaeger's JSON, OTLP JSON (also a document a line), OTLP protobuf.

    What a file holds is told by its content. Exit code 1 when a file could not be read or spans were refused.
    """
    bad_files = 0
    with Sender(endpoint) as sender:
        with _bytes_progress() as progress:
            for path in files:
                bad_files += not _import(path, sender, progress)
        _report(sender.summary)
    if bad_files or sender.summary.rejected:
        raise typer.Exit(EXIT_REJECTED)


def export_traces(  # noqa: PLR0913  one parameter an option is how typer declares them
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="File; - is standard output.")
    ],
    url: Annotated[str, typer.Option(help="Query server.")] = "http://127.0.0.1:16686",
    service: Annotated[
        str | None, typer.Option(help="Traces with spans of this service; else of all.")
    ] = None,
    start: Annotated[str, typer.Option(help="ISO 8601, or an age: 30m, 2h, 7d.")] = "1970-01-01T00:00:00Z",
    end: Annotated[str, typer.Option(help="As --start; 0s is now.")] = "0s",
    limit: Annotated[int, typer.Option(min=1, help="Traces of one service at most.")] = 1000,
    trace_id: Annotated[list[str] | None, typer.Option(help="This trace; repeat for more.")] = None,
    form: Annotated[
        Format, typer.Option("--format", help="Jaeger's JSON has microseconds only.")
    ] = Format.JAEGER,
) -> None:
    """Write traces to a file, as stored, in a form that `vigla import` and other tools read.

    otlp-json is a document a line, otlp-proto one message of all traces.
    """
    selection = Selection(service, instant(start), instant(end), limit)
    with Fetcher(url) as fetcher, _count_progress() as progress:
        task = progress.add_task("finding traces", total=None)
        ids = trace_id or fetcher.find(selection)
        progress.update(task, description="exporting", total=len(ids))
        with _opened(output) as file:
            for chunk in fetcher.fetch(ids, form):
                file.write(chunk.content)
                progress.advance(task, chunk.traces)
    console.print(f"exported {len(ids):,} traces to {output}")


def _import(path: Path, sender: Sender, progress: Progress) -> bool:
    """Whether the whole file could be read; spans before a fault in it are sent."""
    with progress.open(path, "rb", description=path.name) as file:
        try:
            for request, spans in bounded(read_requests(file)):
                sender.send(request, spans)
        except BadInput as error:
            progress.console.print(f"[bold red]vigla:[/] {path}: {error}", soft_wrap=True)
            return False
    return True


def _report(summary: Summary) -> None:
    retried = f", {summary.retries} sent again" if summary.retries else ""
    console.print(f"imported {summary.accepted:,} spans in {summary.requests:,} requests{retried}")
    for reason, spans in summary.rejected.most_common():
        console.print(f"[bold red]rejected[/] {spans:,} spans: {reason}", soft_wrap=True)


@contextlib.contextmanager
def _opened(output: Path) -> Iterator[BinaryIO]:
    """The file to write; one that was not finished is removed."""
    if str(output) == "-":
        yield sys.stdout.buffer
        return
    partial = output.with_name(f"{output.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


def _bytes_progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _count_progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
