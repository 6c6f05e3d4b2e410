"""``vigla proxy-status|proxy-config|certs``: what the proxies have."""

import enum
from typing import Annotated, Any

import httpx
import typer

from vigla.cli.configuration import UrlOption
from vigla.cli.mesh_client import MeshClient
from vigla.cli.output import Output, OutputOption, show
from vigla.client import DEFAULT_URL
from vigla.errors import BadInput

TYPES = ("cds", "eds", "lds", "rds", "sds")


class Part(enum.StrEnum):
    """What of a proxy."""

    CLUSTERS = "clusters"
    LISTENERS = "listeners"
    ROUTES = "routes"
    ENDPOINTS = "endpoints"
    SECRETS = "secrets"
    LOG = "log"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("proxy-status")(proxy_status)
    app.command("proxy-config")(proxy_config)
    app.command()(certs)


def proxy_status(*, output: OutputOption = Output.TABLE, url: UrlOption = DEFAULT_URL) -> None:
    """Show which proxies are connected and how far each is; a refused configuration with its reason."""
    with MeshClient(url) as client:
        proxies = client.get("/proxies")["proxies"]
    rows = [
        (p["instance"], p["type"], *(_state(p["types"][t]) for t in TYPES), p["connected"][:19])
        for p in proxies
    ]
    show(proxies, output, ("PROXY", "TYPE", *(t.upper() for t in TYPES), "CONNECTED (UTC)"), rows)


def proxy_config(
    part: Annotated[Part, typer.Argument(help="Which part.")],
    instance: Annotated[str, typer.Argument(help="A proxy of `vigla proxy-status`.")],
    *,
    level: Annotated[str, typer.Option(help="With log: set this level (debug, info, ...).")] = "",
    output: OutputOption = Output.TABLE,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Show what a proxy was given, or its log levels."""
    with MeshClient(url) as client:
        if part is Part.LOG:
            typer.echo(_log_levels(client, instance, level))
            return
        resources = client.get(f"/proxies/{instance}/config/{part}")["resources"]
    rows = [_row(part, resource) for resource in resources]
    show(resources, output, _COLUMNS[part], rows)


def certs(*, output: OutputOption = Output.TABLE, url: UrlOption = DEFAULT_URL) -> None:
    """Show the certificates of the mesh and of its workloads."""
    with MeshClient(url) as client:
        body = client.get("/certs")
    rows = [("root", r["subject"], r["not_after"][:19], "", r["valid"]) for r in body["roots"]]
    rows += [
        (w["instance"], w["identity"], w["not_after"][:19], w["renew"][:19], w["valid"])
        for w in body["workloads"]
    ]
    show(body, output, ("OWNER", "IDENTITY", "VALID UNTIL (UTC)", "RENEWED AT", "VALID"), rows)


_COLUMNS: dict[Part, tuple[str, ...]] = {
    Part.CLUSTERS: ("NAME", "TYPE", "LOAD BALANCER"),
    Part.LISTENERS: ("NAME", "ADDRESS", "FILTER CHAINS"),
    Part.ROUTES: ("NAME", "VIRTUAL HOST", "DOMAINS", "ROUTES"),
    Part.ENDPOINTS: ("CLUSTER", "ENDPOINTS"),
    Part.SECRETS: ("NAME", "VERSION"),
}


def _row(part: Part, resource: dict[str, Any]) -> tuple[object, ...]:
    if part is Part.CLUSTERS:
        return resource["name"], resource.get("type", "STATIC"), resource.get("lb_policy", "ROUND_ROBIN")
    if part is Part.LISTENERS:
        return resource["name"], _address(resource.get("address", {})), len(resource.get("filter_chains", []))
    if part is Part.ROUTES:
        hosts = resource.get("virtual_hosts", [])
        return (
            resource.get("name", ""),
            "\n".join(h["name"] for h in hosts),
            "\n".join(", ".join(h["domains"][:3]) for h in hosts),
            "\n".join(str(len(h.get("routes", []))) for h in hosts),
        )
    if part is Part.ENDPOINTS:
        places = [
            _address(e["endpoint"]["address"])
            for locality in resource.get("endpoints", [])
            for e in locality.get("lb_endpoints", [])
        ]
        return resource["cluster_name"], ", ".join(places) or "none"
    return resource["name"], resource["version"]


def _address(address: dict[str, Any]) -> str:
    socket = address.get("socket_address")
    if socket:
        return f"{socket['address']}:{socket.get('port_value', 0)}"
    return str(address.get("pipe", {}).get("path", ""))


def _state(state: dict[str, Any]) -> str:
    return f"{state['state']}: {state['error']}" if state["error"] else str(state["state"])


def _log_levels(client: MeshClient, instance: str, level: str) -> str:
    found = [p for p in client.get("/proxies")["proxies"] if p["instance"] == instance]
    if not found or not found[0]["admin"]:
        raise BadInput(f"no proxy {instance} of this machine is connected: see vigla proxy-status")
    parameters = {"level": level} if level else {}
    answer = httpx.post(f"http://{found[0]['admin']}/logging", params=parameters, timeout=5)
    return answer.text.rstrip()
