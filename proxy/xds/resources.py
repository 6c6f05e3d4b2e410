"""What one proxy is given: resources by type and name, serialized once, versioned by their content."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from google.protobuf import any_pb2
from google.protobuf.message import Message

from proxy.envoy.messages import TYPE_URL, build

CDS = TYPE_URL + "envoy.config.cluster.v3.Cluster"
EDS = TYPE_URL + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LDS = TYPE_URL + "envoy.config.listener.v3.Listener"
RDS = TYPE_URL + "envoy.config.route.v3.RouteConfiguration"
SDS = TYPE_URL + "envoy.extensions.transport_sockets.tls.v3.Secret"

SHORT = {CDS: "cds", EDS: "eds", LDS: "lds", RDS: "rds", SDS: "sds"}
"""The types in the order in which they are sent, and their short names."""

WILDCARD = frozenset({CDS, LDS})
"""Types of which a proxy wants everything; of the others it names what it wants."""

CACHED = 20_000
"""Resources, and virtual hosts, that are kept in their serialized form."""

CACHED_ROUTES = 64
"""Route configurations that are kept whole: each may hold thousands of virtual hosts."""

_VIRTUAL_HOST = "envoy.config.route.v3.VirtualHost"
_NAME_FIELD = {EDS: "cluster_name"}
_VERSION_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource.

    Attributes:
        version: hash of the content.
        body: the serialized ``google.protobuf.Any``; not shown, since it may hold a private key.
    """

    name: str
    version: str
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, type_url: str, name: str, message: Message) -> "Resource":
        """The resource that holds this message."""
        content = message.SerializeToString(deterministic=True)
        body = any_pb2.Any(type_url=type_url, value=content).SerializeToString()
        return cls(name, digest([content]), body)


Resources = Mapping[str, Resource]
Json = Mapping[str, Any]
JsonResources = Iterable[Json]


def digest(parts: Iterable[bytes]) -> str:
    """A short hash of the parts in this order."""
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()[:_VERSION_DIGITS]


def version_of(resources: Iterable[Resource]) -> str:
    """The version of resources taken together, whatever their order."""
    return digest(sorted(f"{r.name} {r.version}".encode() for r in resources))


def name_of(type_url: str, value: Mapping[str, Any]) -> str:
    """The name of a resource in JSON form.

    Raises:
        KeyError: it has none.
    """
    return str(value[_NAME_FIELD.get(type_url, "name")])


def resource(type_url: str, value: Mapping[str, Any]) -> Resource:
    """A resource from its JSON form.

    Raises:
        json_format.ParseError: a field is unknown or of another type.
        KeyError: it has no name.
    """
    name = name_of(type_url, value)
    if type_url != RDS:
        return _made(type_url, name, _canonical(value))
    rest = _canonical({key: part for key, part in value.items() if key != "virtual_hosts"})
    return _routes(name, rest, tuple(_canonical(host) for host in value.get("virtual_hosts", ())))


@lru_cache(CACHED_ROUTES)
def _routes(name: str, rest: bytes, hosts: tuple[bytes, ...]) -> Resource:
    """Made of its virtual hosts one by one: a change concerns few of thousands."""
    made: Any = build(RDS.removeprefix(TYPE_URL), orjson.loads(rest))
    made.virtual_hosts.extend(_virtual_host(host) for host in hosts)
    return Resource.of(RDS, name, made)


def _canonical(value: object) -> bytes:
    """JSON with sorted fields: inside of an ``Any`` map entries would keep the order they were given in."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@lru_cache(CACHED)
def _made(type_url: str, name: str, content: bytes) -> Resource:
    """Most resources are those of the proxy before, or of the change before."""
    return Resource.of(type_url, name, build(type_url.removeprefix(TYPE_URL), orjson.loads(content)))


@lru_cache(CACHED)
def _virtual_host(content: bytes) -> Message:
    return build(_VIRTUAL_HOST, orjson.loads(content))


def placeholder(type_url: str, name: str) -> Resource | None:
    """The empty resource that answers for an unknown name, so that Envoy does not wait; ``None``: wait."""
    if type_url not in {EDS, RDS}:
        return None
    return resource(type_url, {_NAME_FIELD.get(type_url, "name"): name})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Immutable: everything that one proxy may ask for, by type URL and name.

    Attributes:
        resources: serialized.
        values: the JSON forms that they were made of.
    """

    resources: Mapping[str, Resources] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Json]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, values: Mapping[str, JsonResources], previous: "Snapshot | None" = None) -> "Snapshot":
        """The snapshot of resources in JSON form, by type URL.

        A cluster that gets its endpoints by EDS and has none in ``values`` gets an empty assignment.

        Args:
            values: must not be changed later.
            previous: what it has of the very same values is not serialized again.

        Raises:
            json_format.ParseError: a field is unknown or of another type.
            KeyError: a resource has no name.
        """
        named = {t: {name_of(t, value): value for value in found} for t, found in values.items()}
        endpoints = named.setdefault(EDS, {})
        for cluster in named.get(CDS, {}).values():
            if name := _endpoints_name(cluster):
                endpoints.setdefault(name, {"cluster_name": name})
        before = previous or cls()
        return cls({t: _serialized(t, found, before) for t, found in named.items()}, named)

    def get(self, type_url: str) -> Resources:
        """All resources of a type."""
        return self.resources.get(type_url, {})

    def replace(self, type_url: str, resources: Resources) -> "Snapshot":
        """This snapshot with other resources of one type."""
        return Snapshot({**self.resources, type_url: resources}, self.values)


def _serialized(type_url: str, values: Mapping[str, Json], before: Snapshot) -> Resources:
    known, made = before.values.get(type_url, {}), before.get(type_url)
    return {
        name: made[name] if known.get(name) is value else resource(type_url, value)
        for name, value in values.items()
    }


def _endpoints_name(cluster: Mapping[str, Any]) -> str:
    if cluster.get("type") != "EDS":
        return ""
    return str(cluster.get("eds_cluster_config", {}).get("service_name") or cluster["name"])
