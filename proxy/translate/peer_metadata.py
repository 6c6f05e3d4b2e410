"""Who calls whom: identities that sidecars tell each other in request headers.

The caller's proxy writes headers (``x-mesh-*`` for Envoy alone, and Istio's own two for its sidecars); the
called proxy keeps them as dynamic metadata and takes them off before the application sees them.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

from proxy.envoy.messages import typed
from proxy.translate.world import Direction, Proxy

Json = dict[str, Any]

NAMESPACE = "mesh.peer"
"""Of metadata about the peer: of requests on the server's side, of endpoints on the client's."""
FACTS = ("workload", "namespace", "canonical", "revision", "app", "version", "cluster")
UNKNOWN, LATEST = "unknown", "latest"
UNKNOWN_STATE, LATEST_STATE = "mesh.unknown", "mesh.latest"
"""Filter state that holds these two words, because command operators have no defaults."""
TELL_FILTER = "mesh.peer.tell"
"""Name of the filter that writes the headers."""
_ISTIO_ID, _ISTIO_PEER = "x-envoy-peer-metadata-id", "x-envoy-peer-metadata"
HEADERS = (*(f"x-mesh-{name}" for name in FACTS), _ISTIO_ID, _ISTIO_PEER)
"""What proxies tell each other; routes out of the mesh take it off (``request_headers_to_remove``)."""
_CANONICAL = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
_REVISION = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")
_MUTATION = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
_CAPTURE = "envoy.extensions.filters.http.header_to_metadata.v3.Config"


@dataclass(frozen=True, slots=True)
class Identity:
    """What metrics, logs and peers are told about a workload; empty where it is not known."""

    workload: str
    namespace: str
    canonical: str
    revision: str
    app: str
    version: str
    cluster: str

    @classmethod
    def of(cls, proxy: Proxy) -> "Identity":
        """The identity of a proxy's workload."""
        labels = proxy.labels
        return cls(
            workload=proxy.workload,
            namespace=proxy.namespace,
            canonical=_first(labels, _CANONICAL) or proxy.workload,
            revision=_first(labels, _REVISION) or LATEST,
            app=labels.get("app", ""),
            version=labels.get("version", ""),
            cluster=proxy.cluster,
        )

    @property
    def facts(self) -> dict[str, str]:
        """By the names in ``FACTS``; unknown ones say so."""
        values = (self.workload, self.namespace, self.canonical, self.revision, self.app, self.version)
        return {name: value or UNKNOWN for name, value in zip(FACTS, (*values, self.cluster), strict=True)}


def _first(labels: Mapping[str, str], keys: Iterable[str]) -> str:
    return next((labels[key] for key in keys if labels.get(key)), "")


def peer_filters(proxy: Proxy, direction: Direction) -> list[Json]:
    """The HTTP filters of one direction: first the words for what is not known, then headers."""
    words = _words("http", "on_request_headers")
    if direction is Direction.INBOUND:
        removed = [{"remove": name} for name in (_ISTIO_ID, _ISTIO_PEER)]
        return [words, _capture(), _mutation("mesh.peer.strip", removed)]
    told = {f"x-mesh-{name}": value for name, value in Identity.of(proxy).facts.items()} | _istio(proxy)
    return [words, _mutation(TELL_FILTER, [_overwrite(name, value) for name, value in told.items()])]


def strangers_filter() -> Json:
    """The HTTP filter that takes the headers off requests of callers that did not prove who they are."""
    return _mutation("mesh.peer.strangers", [{"remove": name} for name in HEADERS])


def peer_network_filter() -> Json:
    """The network filter that keeps the words for what is not known."""
    return _words("network", "on_new_connection")


def _words(level: str, moment: str) -> Json:
    states = [
        {
            "object_key": key,
            "factory_key": "envoy.string",
            "format_string": {"text_format_source": {"inline_string": word}},
        }
        for key, word in ((UNKNOWN_STATE, UNKNOWN), (LATEST_STATE, LATEST))
    ]
    config = typed(f"envoy.extensions.filters.{level}.set_filter_state.v3.Config", {moment: states})
    return {"name": "mesh.peer.words", "typed_config": config}


def _capture() -> Json:
    rules = [
        {
            "header": f"x-mesh-{name}",
            "on_header_present": {"metadata_namespace": NAMESPACE, "key": name, "type": "STRING"},
            "on_header_missing": {
                "metadata_namespace": NAMESPACE,
                "key": name,
                "value": LATEST if name == "revision" else UNKNOWN,
                "type": "STRING",
            },
            "remove": True,
        }
        for name in FACTS
    ]
    config = typed(_CAPTURE, {"request_rules": rules})
    return {"name": "envoy.filters.http.header_to_metadata", "typed_config": config}


def _mutation(name: str, mutations: list[Json]) -> Json:
    return {"name": name, "typed_config": typed(_MUTATION, {"mutations": {"request_mutations": mutations}})}


def _overwrite(name: str, value: str) -> Json:
    header = {"key": name, "value": value.replace("%", "%%")}
    return {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}


def _istio(proxy: Proxy) -> dict[str, str]:
    """The two headers by which Istio's own sidecars know their caller."""
    me, labels = Identity.of(proxy), dict(proxy.labels)
    labels["service.istio.io/canonical-name"] = me.canonical
    labels["service.istio.io/canonical-revision"] = me.revision
    address = proxy.addresses[0] if proxy.addresses else ""
    peer = struct_pb2.Struct()
    peer.update(
        {
            "NAME": proxy.id.rpartition(".")[0] or proxy.id,
            "NAMESPACE": me.namespace,
            "WORKLOAD_NAME": me.workload,
            "CLUSTER_ID": me.cluster,
            "LABELS": dict(sorted(labels.items())),
        }
    )
    content = peer.SerializeToString(deterministic=True)
    return {
        _ISTIO_ID: f"{proxy.type.value}~{address}~{proxy.id}~{proxy.dns_domain}",
        _ISTIO_PEER: base64.b64encode(content).decode("ascii"),
    }
