"""Connected proxies as the API tells them: their state, their resources, their certificates."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from google.protobuf import any_pb2

from proxy.envoy.messages import TYPE_URL, message_class, to_json
from proxy.pilot.server import Pilot
from proxy.xds.node import proxy_of
from proxy.xds.resources import CDS, EDS, LDS, RDS, SDS, Resource
from proxy.xds.status import ProxyStatus

Json = dict[str, Any]


class Kind(StrEnum):
    """Resources as users call them."""

    CLUSTERS = "clusters"
    ENDPOINTS = "endpoints"
    LISTENERS = "listeners"
    ROUTES = "routes"
    SECRETS = "secrets"


_TYPES = {Kind.CLUSTERS: CDS, Kind.ENDPOINTS: EDS, Kind.LISTENERS: LDS, Kind.ROUTES: RDS, Kind.SECRETS: SDS}


def proxy_status(status: ProxyStatus) -> Json:
    """One proxy and the state of each type."""
    proxy = proxy_of(status.node)
    return {
        "instance": proxy.id,
        "type": str(proxy.type),
        "namespace": proxy.namespace,
        "workload": proxy.workload,
        "address": status.node.ip,
        "admin": status.node.metadata.get("ADMIN", ""),
        "protocol": status.protocol,
        "connected": status.connected.isoformat(),
        "types": {
            short: {
                "state": str(found.state),
                "version": found.version,
                "acked": found.acked,
                "error": found.error,
                "rejected": found.rejected,
                "resources": found.resources,
            }
            for short, found in status.types.items()
        },
    }


def proxy_config(pilot: Pilot, instance: str, kind: Kind) -> list[Json] | None:
    """A proxy's resources in JSON form, by name; None: it is not connected."""
    snapshot = pilot.control.snapshot(instance)
    if snapshot is None:
        return None
    found = [resource for _, resource in sorted(snapshot.get(_TYPES[kind]).items())]
    if kind is Kind.SECRETS:  # they hold private keys
        return [{"name": resource.name, "version": resource.version} for resource in found]
    return [_opened(resource) for resource in found]


def certificates(pilot: Pilot) -> list[Json]:
    """What each connected proxy proves its identity with."""
    now = datetime.now(UTC)
    return [
        {
            "instance": instance,
            "identity": str(identity),
            "not_after": expires.isoformat(),
            "renew": renew.isoformat(),
            "valid": expires > now,
        }
        for instance, identity, expires, renew in pilot.secrets.held()
    ]


def _opened(resource: Resource) -> Json:
    wrapped = any_pb2.Any.FromString(resource.body)
    message = message_class(wrapped.type_url.removeprefix(TYPE_URL)).FromString(wrapped.value)
    return to_json(message)
