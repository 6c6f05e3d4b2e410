"""``vigla mesh up|down|status``: a mesh of this machine's processes."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vigla.cli.configuration import FilesOption, UrlOption, print_problems, texts
from vigla.cli.mesh_client import MeshClient, Refused
from vigla.cli.output import Output, OutputOption, show
from vigla.client import DEFAULT_URL
from vigla.errors import NotFound, SettingsError, ViglaError
from vigla.settings import load

app = typer.Typer(help="A mesh of this machine's processes.", no_args_is_help=True)
console = Console(stderr=True, highlight=False, emoji=False)

STOP_WAIT_S = 30.0
SERVER_S = 30.0
PID_FILE = Path(tempfile.gettempdir()) / f"vigla-mesh-{os.getuid()}.pid"


def register(commands: typer.Typer) -> None:
    """Add the commands to the command line."""
    commands.add_typer(app, name="mesh")


@app.command()
def up(  # noqa: PLR0913  one parameter an option is how typer declares them
    file: FilesOption,
    *,
    pilot: Annotated[str, typer.Option(help="Control plane (xDS), host:port.")] = "127.0.0.1:15010",
    collector: Annotated[str, typer.Option(help="Collector (OTLP gRPC), host:port.")] = "127.0.0.1:4317",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Of objects that name none.")
    ] = "default",
    logs: Annotated[Path, typer.Option(help="Folder for logs.")] = Path("vigla-mesh"),
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Apply YAML, then run its Deployments here, an Envoy before each, until SIGTERM or Ctrl-C.

    Needs a server with a control plane: `VIGLA_MESH__ENABLED=true vigla serve`.
    """
    from proxy.local.running import Plan, run  # noqa: PLC0415  Envoy's API takes a moment that other commands save

    found = list(texts(file))
    apply_all(found, url, namespace)
    plan = Plan.of(found, namespace, pilot, collector, logs)
    PID_FILE.write_text(str(os.getpid()), encoding="ascii")
    try:
        asyncio.run(run(plan, _told))
    finally:
        PID_FILE.unlink(missing_ok=True)


@app.command()
def down() -> None:
    """Stop the mesh that `vigla mesh up` runs here."""
    try:
        pid = int(PID_FILE.read_text(encoding="ascii"))
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        raise NotFound("no mesh of `vigla mesh up` runs here") from None
    over = time.monotonic() + STOP_WAIT_S
    while time.monotonic() < over:
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            time.sleep(0.1)
            continue
        console.print("[green]stopped[/]")
        return
    raise ViglaError(f"process {pid} did not stop within {STOP_WAIT_S:.0f} s")


@app.command()
def status(*, output: OutputOption = Output.TABLE, url: UrlOption = DEFAULT_URL) -> None:
    """Show the workloads of the mesh and whether their proxies have the newest configuration."""
    with MeshClient(url) as client:
        proxies = client.get("/proxies")["proxies"]
        revisions = client.get("/revisions", limit=1)["revisions"]
    rows = [
        (
            p["workload"] or p["instance"],
            p["namespace"],
            p["address"],
            _summary(p["types"]),
            p["connected"][:19],
        )
        for p in proxies
    ]
    body = {"revision": revisions[0]["number"] if revisions else 0, "proxies": proxies}
    show(body, output, ("WORKLOAD", "NAMESPACE", "ADDRESS", "STATE", "CONNECTED (UTC)"), rows)


@app.command()
def identity(  # noqa: PLR0913  one parameter an option is how typer declares them
    namespace: Annotated[str, typer.Argument(help="Of the workload.")],
    service_account: Annotated[str, typer.Argument(help="Of the workload.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for key.pem, cert-chain.pem and root-cert.pem.")],
    hours: Annotated[float, typer.Option(min=0.01, help="Lifetime.")] = 24.0 * 365,
    config: Annotated[
        Path | None, typer.Option(help="Settings file of the server; else VIGLA_CONFIG or ./vigla.yaml.")
    ] = None,
    storage_path: Annotated[Path | None, typer.Option(help="Directory of all data of the server.")] = None,
) -> None:
    """Make the certificate by which a proxy of another machine joins as a workload.

    Run it where the server's data are: it signs with the mesh's CA. Copy the folder to the other machine.
    """
    from proxy.ca.authority import open_authority, write_identity  # noqa: PLC0415  cryptography takes a moment
    from proxy.ca.identity import Identity  # noqa: PLC0415

    settings = load(config, {"storage": {"path": storage_path}} if storage_path else {})
    authority = open_authority(settings.storage.path / "mesh" / "ca", organization=settings.mesh.domain)
    who = Identity(settings.mesh.domain, namespace, service_account)
    issued = authority.issue(who, timedelta(hours=hours))
    write_identity(issued, out)
    console.print(f"[green]✓[/] {out}: {who}, valid until {issued.expires:%Y-%m-%d %H:%M} UTC")


def apply_all(found: Iterable[tuple[str, str]], url: str, namespace: str) -> None:
    """Apply texts to a server, which may still be starting; SettingsError if one is refused."""
    over = time.monotonic() + SERVER_S
    with MeshClient(url) as client:
        while not client.answers() and time.monotonic() < over:
            time.sleep(0.1)
        for name, text in found:
            try:
                client.apply(text, name, namespace)
            except Refused as error:
                print_problems(error.problems)
                raise SettingsError(f"{name} was refused: mend it and try again") from None


def _summary(types: dict[str, dict[str, str]]) -> str:
    refused = [f"{name.upper()} refused: {t['error']}" for name, t in types.items() if t["error"]]
    if refused:
        return "; ".join(refused)
    return "stale" if any(t["state"] == "STALE" for t in types.values()) else "synced"


def _told(said: str) -> None:
    console.print(f"[green]✓[/] {said}")
