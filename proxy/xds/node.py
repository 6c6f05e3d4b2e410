"""Who connects: the node that an Envoy names in its first request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from proxy.translate.world import InboundBind, Interception, Proxy, ProxyType
from vigla.errors import BadInput

_PARTS = 4


@dataclass(frozen=True, slots=True)
class Node:
    """One Envoy, as its bootstrap describes it.

    Attributes:
        id: ``<type>~<ip>~<instance>.<namespace>~<dns domain>``.
        instance: unique, ``<instance>.<namespace>``.
        cluster: ``<service>.<namespace>``.
        metadata: JSON values under Istio's names (``LABELS``, ``SERVICE_ACCOUNT``, ...).
        locality: ``region/zone/subzone``.
    """

    id: str
    type: ProxyType
    ip: str
    instance: str
    domain: str
    cluster: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    locality: str = ""

    @property
    def namespace(self) -> str:
        """Namespace of the workload: the metadata's, else the id's."""
        return str(self.metadata.get("NAMESPACE") or self.instance.rpartition(".")[2])

    @property
    def service_account(self) -> str:
        """Account that gives the workload its identity."""
        return str(self.metadata.get("SERVICE_ACCOUNT") or "default")


def parse_node(node_id: str, **fields: Any) -> Node:
    """A node from its id.

    Args:
        node_id: ``sidecar~10.0.0.1~web-1.default~default.svc.cluster.local``; the type may be ``router``.
        fields: ``cluster``, ``metadata``, ``locality`` of ``Node``.

    Raises:
        BadInput: the id has another form.
    """
    parts = node_id.split("~")
    if len(parts) != _PARTS or "." not in parts[2] or parts[0] not in {t.value for t in ProxyType}:
        raise BadInput(
            f"node id {node_id!r}: write <sidecar or router>~<ip>~<instance>.<namespace>~<dns domain>"
        )
    kind, ip, instance, domain = parts
    return Node(node_id, ProxyType(kind), ip, instance, domain, **fields)


def read_node(message: Any) -> Node:
    """A node from Envoy's ``envoy.config.core.v3.Node``.

    Raises:
        BadInput: its id has another form than ``parse_node`` reads, or its metadata other types.
    """
    where = message.locality
    parts = [where.region, where.zone, where.sub_zone]
    node = parse_node(
        message.id,
        cluster=message.cluster,
        metadata=_json(message.metadata),
        locality="/".join(parts).rstrip("/"),
    )
    try:
        proxy_of(node)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"metadata of node {node.id} cannot be read: {error!r}: see Istio's names") from error
    return node


def proxy_of(node: Node) -> Proxy:
    """The proxy that translation works for."""
    data = node.metadata
    ips = data.get("INSTANCE_IPS") or node.ip
    return Proxy(
        id=node.instance,
        type=node.type,
        namespace=node.namespace,
        addresses=tuple(dict.fromkeys(ip for ip in (node.ip, *str(ips).split(",")) if ip)),
        labels={str(k): str(v) for k, v in (data.get("LABELS") or {}).items()},
        workload=str(data.get("WORKLOAD_NAME") or ""),
        service_account=node.service_account,
        dns_domain=node.domain,
        locality=node.locality,
        network=str(data.get("NETWORK") or ""),
        cluster=str(data.get("CLUSTER_ID") or "Kubernetes"),
        interception=Interception(str(data.get("INTERCEPTION_MODE") or Interception.REDIRECT)),
        http_proxy_port=int(data.get("HTTP_PROXY_PORT") or 0),
        bind=str(data.get("BIND") or "127.0.0.1"),
        inbound=tuple(
            InboundBind(int(port["port"]), node.ip, int(port["app_port"]))
            for port in data.get("INBOUND") or ()
        ),
    )


def _json(struct: Message) -> dict[str, Any]:
    made: dict[str, Any] = json_format.MessageToDict(struct)
    return made
