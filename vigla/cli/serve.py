"""``vigla serve``: every role in one process."""

import logging
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from vigla.cli.endpoints import Endpoints
from vigla.settings import Settings, load
from vigla.telemetry import logs

log = logging.getLogger(__name__)

PortOption = Annotated[int | None, typer.Option(min=0, max=65535, help="0 picks a free port")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(serve)


def serve(  # noqa: PLR0913  one parameter an option is how typer declares them
    *,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; else VIGLA_CONFIG or ./vigla.yaml.")
    ] = None,
    storage_path: Annotated[Path | None, typer.Option(help="Directory of all data.")] = None,
    host: Annotated[str | None, typer.Option(help="Address that everything listens on.")] = None,
    otlp_grpc_port: PortOption = None,
    otlp_http_port: PortOption = None,
    http_port: Annotated[int | None, typer.Option(min=0, max=65535, help="UI and query APIs")] = None,
    health_port: PortOption = None,
    xds_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve a mesh's configuration to Envoys here.")
    ] = None,
) -> None:
    """Receive, store and show traces until SIGTERM or Ctrl-C."""
    options: dict[str, dict[str, Any]] = {
        "collector": {"host": host, "otlp_grpc_port": otlp_grpc_port, "otlp_http_port": otlp_http_port},
        "storage": {"path": storage_path},
        "query": {"host": host, "http_port": http_port},
        "telemetry": {"host": host, "port": health_port},
        "mesh": {"host": host, "xds_port": xds_port, "enabled": None if xds_port is None else True},
    }
    from vigla.cli import pipeline  # noqa: PLC0415  the engine and servers take a second that other commands save

    settings = load(config, _given(options))
    logs.configure(settings.telemetry.log_level)
    uvloop.run(pipeline.run(settings, _announce))


def _given(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in options.items()
    }


def _announce(settings: Settings, endpoints: Endpoints) -> None:
    """Say where everything is: a table on a terminal, a log line otherwise."""
    console = Console(stderr=True, emoji=False)
    if not console.is_terminal:
        log.info("ready", extra=asdict(endpoints))
        return
    console.print(f"[bold green]vigla {version('vigla')} is ready[/]")
    table = Table.grid(padding=(0, 3))
    for name, address in (
        ("UI and query APIs", endpoints.query),
        ("OTLP gRPC", endpoints.otlp_grpc),
        ("OTLP HTTP", endpoints.otlp_http),
        ("health, own metrics", endpoints.health),
        *([("xDS for Envoys", endpoints.xds)] if endpoints.xds else []),
        *([("xDS over TLS", endpoints.xds_tls)] if endpoints.xds_tls else []),
        ("data", str(settings.storage.path.resolve())),
    ):
        table.add_row(f"  {name}", f"[cyan]{address}[/]")
    console.print(table)
    console.print("  [dim]Ctrl-C stops it.[/]")
