"""``vigla metrics``: PromQL and the names of series, on a terminal."""

import math
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from vigla.cli import metrics_client
from vigla.cli.metrics_text import number, selector, sparkline
from vigla.cli.output import Output, OutputOption, errors, show
from vigla.client import DEFAULT_URL
from vigla.errors import QueryError
from vigla.prometheus.durations import parse_duration

app = typer.Typer(help="Ask metrics in PromQL.", no_args_is_help=True)

UrlOption = Annotated[str, typer.Option(help="Query server, or any Prometheus.")]
StartOption = Annotated[str, typer.Option(help="RFC 3339, Unix seconds, or a time ago: 1h.")]
EndOption = Annotated[str, typer.Option(help="As --start; else now.")]
MatchOption = Annotated[list[str] | None, typer.Option("--match", help="Only series of this selector.")]

POINTS = 60
"""Of a range query whose step nobody gives: about what a line of a terminal shows."""


def register(parent: typer.Typer) -> None:
    """Add the commands to the command line."""
    parent.add_typer(app, name="metrics")


@app.command()
def query(
    expression: Annotated[str, typer.Argument(help="PromQL.")],
    *,
    at: Annotated[str, typer.Option("--time", help="As --start of range; else now.")] = "",
    url: UrlOption = DEFAULT_URL,
    output: OutputOption = Output.TABLE,
) -> None:
    """Evaluate an expression at one time: `vigla metrics query 'sum(rate(istio_requests_total[5m]))'`."""
    answer = metrics_client.ask(url, "/query", {"query": expression, "time": _seconds(at)})
    kind, result = answer.data["resultType"], answer.data["result"]
    if kind in {"scalar", "string"}:
        show(answer.data, output, (kind,), [(result[1],)])
    elif kind == "matrix":
        _show_range(answer.data, output)
    else:
        rows = [(selector(item["metric"]), _value(item)) for item in result]
        show(answer.data, output, ("series", "value"), rows)
    _tell(answer.notes)


@app.command("range")
def range_(  # noqa: PLR0913  one parameter an option is how typer declares them
    expression: Annotated[str, typer.Argument(help="PromQL.")],
    *,
    start: StartOption = "1h",
    end: EndOption = "",
    step: Annotated[str, typer.Option(help="15s; else a sixtieth of the range.")] = "",
    url: UrlOption = DEFAULT_URL,
    output: OutputOption = Output.TABLE,
) -> None:
    """Evaluate an expression over a range: a line, and the lowest, highest and last value of each series."""
    first, last = float(_seconds(start)), float(_seconds(end) or time.time())
    width = parse_step(step) if step else max(math.ceil((last - first) / POINTS), 1)
    parameters = {"query": expression, "start": str(first), "end": str(last), "step": str(width)}
    answer = metrics_client.ask(url, "/query_range", parameters)
    _show_range(answer.data, output)
    _tell(answer.notes)


@app.command()
def labels(  # noqa: PLR0913  one parameter an option
    name: Annotated[str, typer.Argument(help="A label, for its values; else the names of labels.")] = "",
    *,
    match: MatchOption = None,
    start: StartOption = "",
    end: EndOption = "",
    url: UrlOption = DEFAULT_URL,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the names of labels, or the values of one: `vigla metrics labels __name__`."""
    path = f"/label/{name}/values" if name else "/labels"
    given = {"match[]": match or (), "start": _seconds(start), "end": _seconds(end)}
    answer = metrics_client.ask(url, path, given)
    show(answer.data, output, (name or "label",), [(text,) for text in answer.data])
    _tell(answer.notes)


@app.command()
def series(
    match: Annotated[list[str], typer.Argument(help="Selectors: 'up{job=\"a\"}'.")],
    *,
    start: StartOption = "",
    end: EndOption = "",
    url: UrlOption = DEFAULT_URL,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the series that any of the selectors finds."""
    given = {"match[]": match, "start": _seconds(start), "end": _seconds(end)}
    answer = metrics_client.ask(url, "/series", given)
    show(answer.data, output, ("series",), [(selector(found),) for found in answer.data])
    _tell(answer.notes)


def parse_step(text: str) -> float:
    """Seconds of a duration.

    Raises:
        QueryError: it is none.
    """
    try:
        return parse_duration(text) / 1000
    except ValueError as error:
        raise QueryError(f"{text!r} is no duration: write 15s, 5m or 1h30m") from error


def _seconds(text: str) -> str:
    """A time as the API takes it; a duration is a time ago."""
    try:
        return str(time.time() - parse_duration(text) / 1000) if text else ""
    except ValueError:
        return text


def _show_range(data: Any, output: Output) -> None:
    rows = [(selector(item["metric"]), *_summary(item)) for item in data["result"]]
    show(data, output, ("series", "", "lowest", "highest", "last"), rows)


def _summary(item: dict[str, Any]) -> Sequence[str]:
    values = [float(value) for _, value in item.get("values", ())]
    if not values:
        return "", "", "", f"{len(item['histograms'])} histograms"
    known = [value for value in values if not math.isnan(value)] or [math.nan]
    return sparkline(values), number(min(known)), number(max(known)), number(values[-1])


def _value(item: dict[str, Any]) -> str:
    if "value" in item:
        return str(item["value"][1])
    histogram = item["histogram"][1]
    return f"histogram: count {histogram['count']}, sum {histogram['sum']}"


def _tell(notes: Iterable[str]) -> None:
    for note in notes:
        errors.print(note, style="yellow", markup=False)
