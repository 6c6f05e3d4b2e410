"""``vigla mesh init|agent``: a sidecar for a workload that knows no proxy."""

import asyncio
import socket
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from proxy.capture import options
from proxy.capture.options import ALL, INBOUND_PORT, MAX_ID, MAX_PORT, OUTBOUND_PORT, PROXY_ID, Capture
from proxy.capture.program import program
from proxy.capture.ruleset import cleanup, ruleset

console = Console(stderr=True, highlight=False, emoji=False)

UidOption = Annotated[int, typer.Option(min=0, max=MAX_ID, help="User id of Envoy.")]
GidOption = Annotated[int, typer.Option(min=0, max=MAX_ID, help="Group id of Envoy.")]


def register(mesh: typer.Typer) -> None:
    """Add the commands to ``vigla mesh``."""
    mesh.command()(init)
    mesh.command()(agent)


def init(  # noqa: PLR0913  one parameter an option is how typer declares them
    *,
    inbound_ports: Annotated[str, typer.Option(help="Capture calls to these ports; * all.")] = ALL,
    exclude_inbound_ports: Annotated[str, typer.Option(help="But not to these.")] = "",
    include_outbound_cidrs: Annotated[str, typer.Option(help="Capture calls to these; * all.")] = ALL,
    exclude_outbound_cidrs: Annotated[str, typer.Option(help="But not to these.")] = "",
    exclude_outbound_ports: Annotated[str, typer.Option(help="Nor to these ports.")] = "",
    proxy_uid: UidOption = PROXY_ID,
    proxy_gid: GidOption = PROXY_ID,
    outbound_port: Annotated[
        int, typer.Option(min=1, max=MAX_PORT, help="Of Envoy, for the workload's calls.")
    ] = OUTBOUND_PORT,
    inbound_port: Annotated[
        int, typer.Option(min=1, max=MAX_PORT, help="Of Envoy, for calls to the workload.")
    ] = INBOUND_PORT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the rules only.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Remove the rules.")] = False,
) -> None:
    """Redirect this network namespace's TCP connections to its Envoy, by nftables; repeat it as you like.

    Needs NET_ADMIN and the command nft. Envoy is the one of `vigla mesh agent`.
    """
    capture = Capture(
        inbound_ports=options.ports(inbound_ports, "--inbound-ports"),
        exclude_inbound_ports=options.listed_ports(exclude_inbound_ports, "--exclude-inbound-ports"),
        outbound_networks=options.networks(include_outbound_cidrs, "--include-outbound-cidrs"),
        exclude_outbound_networks=options.listed_networks(exclude_outbound_cidrs, "--exclude-outbound-cidrs"),
        exclude_outbound_ports=options.listed_ports(exclude_outbound_ports, "--exclude-outbound-ports"),
        proxy_uid=proxy_uid,
        proxy_gid=proxy_gid,
        outbound_port=outbound_port,
        inbound_port=inbound_port,
    )
    text = cleanup() if clean else ruleset(capture)
    if dry_run:
        typer.echo(text, nl=False)
        return
    program(text)
    console.print(f"[green]✓[/] {'nothing is captured' if clean else 'connections go to the sidecar'}")


def agent(  # noqa: PLR0913  one parameter an option is how typer declares them
    *,
    name: Annotated[str, typer.Option(help="Of this instance; the host's name when not given.")] = "",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Of the workload.")] = "default",
    workload: Annotated[str, typer.Option(help="Its Deployment; the label app when not given.")] = "",
    service_account: Annotated[str, typer.Option(help="Gives its identity.")] = "default",
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", help="name=value, that Services select.")
    ] = None,
    port: Annotated[
        list[str] | None, typer.Option("--port", help="name:number, for Services that name a port.")
    ] = None,
    address: Annotated[str, typer.Option(help="Of the workload; looked up when not given.")] = "",
    pilot: Annotated[str, typer.Option(help="Control plane (xDS), host:port.")] = "127.0.0.1:15010",
    collector: Annotated[str, typer.Option(help="Collector (OTLP gRPC), host:port.")] = "127.0.0.1:4317",
    domain: Annotated[str, typer.Option(help="Suffix of service names.")] = "cluster.local",
    proxy_uid: UidOption = PROXY_ID,
    proxy_gid: GidOption = PROXY_ID,
    identity: Annotated[
        Path | None,
        typer.Option(help="Folder of `vigla mesh identity`: connect to the control plane's TLS port."),
    ] = None,
    logs: Annotated[Path, typer.Option(help="Folder for bootstrap and log.")] = Path("vigla-agent"),
) -> None:
    """Run the Envoy of a captured workload until SIGTERM or Ctrl-C.

    Start it in the workload's network namespace, as root (Envoy then runs as --proxy-uid) or as that user.
    """
    from proxy.agent.settings import XdsTls  # noqa: PLC0415  likewise
    from proxy.local import captured  # noqa: PLC0415  Envoy's API takes a moment that other commands save
    from proxy.local.running import address_of  # noqa: PLC0415  likewise

    plane, labels = address_of(pilot, "--pilot"), captured.label_map(label or ())
    instance = name or socket.gethostname()
    settings = captured.captured_settings(
        captured.CapturedWorkload(
            instance=instance,
            namespace=namespace,
            name=workload or labels.get("app", instance),
            address=address or captured.own_address(plane),
            user=captured.envoy_user(proxy_uid, proxy_gid),
            labels=labels,
            service_account=service_account,
            ports=captured.app_ports(port or ()),
        ),
        plane,
        address_of(collector, "--collector"),
        domain,
        logs,
        XdsTls.of(identity) if identity else None,
    )
    asyncio.run(captured.run_agent(settings, lambda said: console.print(f"[green]✓[/] {said}")))
