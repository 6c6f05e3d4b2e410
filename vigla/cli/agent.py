"""``vigla agent``: runs beside applications and hands what they send to the collector."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from collector.agent.ports import AgentPorts
from vigla.settings import Settings, load
from vigla.telemetry import logs

log = logging.getLogger(__name__)

PortOption = Annotated[int | None, typer.Option(min=0, max=65535, help="0 picks a free port")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(agent)


def agent(  # noqa: PLR0913  one parameter an option is how typer declares them
    *,
    collector: Annotated[
        str | None, typer.Option(help="URL of the collector's OTLP over HTTP, http://host:4318.")
    ] = None,
    access_log: Annotated[
        list[str] | None, typer.Option(help="File that Envoys write access logs to; with *; repeatable.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; else VIGLA_CONFIG or ./vigla.yaml.")
    ] = None,
    storage_path: Annotated[Path | None, typer.Option(help="Directory of the spool.")] = None,
    host: Annotated[str | None, typer.Option(help="Address that everything listens on.")] = None,
    otlp_grpc_port: PortOption = None,
    otlp_http_port: PortOption = None,
    jaeger_compact_port: PortOption = None,
    jaeger_binary_port: PortOption = None,
    sampling_port: PortOption = None,
    health_port: PortOption = None,
) -> None:
    """Take OTLP, Jaeger UDP and access log files, and forward them, until SIGTERM or Ctrl-C."""
    options: dict[str, dict[str, Any]] = {
        "agent": {
            "collector": collector,
            "access_logs": access_log,
            "jaeger_compact_port": jaeger_compact_port,
            "jaeger_binary_port": jaeger_binary_port,
            "sampling_port": sampling_port,
        },
        "collector": {"host": host, "otlp_grpc_port": otlp_grpc_port, "otlp_http_port": otlp_http_port},
        "storage": {"path": storage_path},
        "telemetry": {"host": host, "port": health_port},
    }
    given = {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in options.items()
    }
    from vigla.cli import agent_process  # noqa: PLC0415  receivers take a moment that other commands save

    settings = load(config, given)
    logs.configure(settings.telemetry.log_level)
    uvloop.run(agent_process.run(settings, _announce))


def _announce(settings: Settings, bound: AgentPorts) -> None:
    """Say where everything is: a table on a terminal, a log line otherwise."""
    ports: dict[str, int] = asdict(bound)
    console = Console(stderr=True, emoji=False)
    if not console.is_terminal:
        log.info("ready", extra={f"{name}_port": port for name, port in ports.items()})
        return
    console.print(f"[bold green]vigla agent is ready[/], forwards to [cyan]{settings.agent.collector}[/]")
    table = Table.grid(padding=(0, 3))
    for name, port in ports.items():
        table.add_row(f"  {name.replace('_', ' ')}", f"[cyan]{settings.collector.host}:{port}[/]")
    console.print(table)
    console.print("  [dim]Ctrl-C stops it.[/]")
