"""What Envoy would do with one connection and request, worked out from its resources (JSON values)."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Json = Mapping[str, Any]
ADDRESS = "1.3.3.7"
HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_TLS_INSPECTOR = "envoy.filters.listener.tls_inspector"
_HTTP_INSPECTOR = "envoy.filters.listener.http_inspector"
_SNI_CLUSTER = "envoy.filters.network.sni_cluster"
_MTLS_ALPN = {"http": "istio-http/1.1", "http2": "istio-h2", "tcp": "istio"}
_TLS_ALPN = {"http": "http/1.1", "http2": "h2"}
_INSPECTED = {"http": "http/1.1", "http2": "h2c"}
FIELDS = ("listener", "filter_chain", "route", "route_config", "virtual_host", "cluster")


@dataclass(frozen=True, slots=True)
class Call:
    """A connection and its request."""

    address: str
    port: int
    path: str
    protocol: str
    tls: str
    alpn: str
    host: str
    sni: str
    mode: str
    mtls_secret: str

    @classmethod
    def of(cls, case: Json) -> "Call":
        """A call of the cases, with the defaults of what it leaves open."""
        protocol, tls = case.get("protocol", "http"), case.get("tls", "plaintext")
        host, alpn, sni = case.get("host", ""), case.get("alpn", ""), case.get("sni", "")
        if not alpn:
            alpn = {"mtls": _MTLS_ALPN, "tls": _TLS_ALPN}.get(tls, {}).get(protocol, "")
        return cls(
            address=case.get("address") or ADDRESS,
            port=case.get("port", 0),
            path=case.get("path") or "/",
            protocol=protocol,
            tls=tls,
            alpn=alpn,
            host=host,
            sni=sni or (host if tls != "plaintext" else ""),
            mode=case.get("call_mode", "outbound"),
            mtls_secret=case.get("mtls_secret_config_name") or "default",
        )


@dataclass(frozen=True, slots=True)
class Result:
    """How far the call got; names of what it met on its way."""

    error: str = ""
    listener: str = ""
    filter_chain: str = ""
    route: str = ""
    route_config: str = ""
    virtual_host: str = ""
    cluster: str = ""

    def differences(self, expected: Json) -> list[str]:
        """What is not as a case expects; empty: all is."""
        found = []
        if self.error != expected.get("error", ""):
            found.append(f"error: {self.error!r}, expected {expected.get('error', '')!r}")
        actual = dict(zip(FIELDS, (getattr(self, name) for name in FIELDS), strict=True))
        for name, value in actual.items():
            wanted = expected.get(f"{name}_matched", "" if expected.get("strict_match") else None)
            if wanted is not None and value != wanted:
                found.append(f"{name}: {value!r}, expected {wanted!r}")
        return found


@dataclass(frozen=True, slots=True)
class Simulation:
    """The resources of one proxy."""

    listeners: Sequence[Json]
    routes: Sequence[Json] = ()
    clusters: Sequence[Json] = ()

    def run(self, case: Json) -> Result:
        """The result of one call of the cases."""
        call = Call.of(case)
        listener = self._listener(call)
        if listener is None:
            return Result(error="no_listener")
        seen = Result(listener=listener["name"])
        chain, error = _chain(listener, call)
        if chain is None:
            return replace(seen, error=error)
        seen = replace(seen, filter_chain=chain.get("name", ""))
        if error := _handshake(chain, call):
            return replace(seen, error=error)
        return self._filters(chain, call, seen)

    def _listener(self, call: Call) -> Json | None:
        if call.mode == "inbound":
            return next((found for found in self.listeners if found["name"] == "virtualInbound"), None)
        by_address = {_socket(found): found for found in reversed(self.listeners)}
        for key in ((call.address, call.port), ("0.0.0.0", call.port)):
            if key in by_address:
                return by_address[key]
        return next((found for found in self.listeners if found["name"] == "virtualOutbound"), None)

    def _filters(self, chain: Json, call: Call, seen: Result) -> Result:
        filters = {_type(f): f.get("typed_config", {}) for f in chain.get("filters", ())}
        if HCM in filters:
            if call.protocol == "tcp" or (call.tls != "plaintext" and not chain.get("transport_socket")):
                return replace(seen, error="protocol_error")
            return self._request(filters[HCM], call, seen)
        if TCP_PROXY in filters:
            names = {f.get("name") for f in chain["filters"]}
            cluster = call.sni if _SNI_CLUSTER in names else filters[TCP_PROXY].get("cluster", "")
            return replace(seen, cluster=cluster)
        return replace(seen, error="protocol_error")

    def _request(self, manager: Json, call: Call, seen: Result) -> Result:
        config = manager.get("route_config") or self._route_config(manager["rds"]["route_config_name"])
        if config is None:
            return replace(seen, error="no_route")
        seen = replace(seen, route_config=config["name"])
        host = _virtual_host(config, call.host)
        if host is None:
            return replace(seen, error="no_virtual_host")
        seen = replace(seen, virtual_host=host["name"])
        if host.get("require_tls") == "ALL" and call.tls == "plaintext":
            return replace(seen, error="tls_redirect")
        route = next((r for r in host.get("routes", ()) if _path_matches(r["match"], call.path)), None)
        if route is None:
            return replace(seen, error="no_route")
        return replace(seen, route=route.get("name", ""), cluster=route.get("route", {}).get("cluster", ""))

    def _route_config(self, name: str) -> Json | None:
        return next((config for config in self.routes if config["name"] == name), None)


def _socket(listener: Json) -> tuple[str, int]:
    socket = listener.get("address", {}).get("socket_address", {})
    return socket.get("address", ""), socket.get("port_value", 0)


def _type(network_filter: Json) -> str:
    return str(network_filter.get("typed_config", {}).get("@type", "")).rpartition("/")[2]


def _chain(listener: Json, call: Call) -> tuple[Json | None, str]:
    """The filter chain, or why there is none."""
    transport, alpn = "raw_buffer" if call.tls == "plaintext" else "tls", call.alpn
    if not _inspects(listener, _TLS_INSPECTOR, call.port):
        transport, alpn = "raw_buffer", ""
    if call.tls == "plaintext" and _inspects(listener, _HTTP_INSPECTOR, call.port):
        alpn = _INSPECTED.get(call.protocol, "")
    found: list[Json] = list(listener.get("filter_chains", ()))
    steps: tuple[tuple[str, Callable[[Any], int | None]], ...] = (
        ("destination_port", lambda port: int(port == call.port) or None),
        ("prefix_ranges", lambda ranges: _longest(ranges, call.address)),
        ("server_names", lambda names: _best_name(names, call.sni)),
        ("transport_protocol", lambda name: int(name == transport) or None),
        ("application_protocols", lambda names: int(alpn in names) or None),
    )
    for key, rank in steps:
        found = _narrow(found, key, rank)
    if len(found) > 1:
        return None, "multiple_filter_chains"
    if found:
        return found[0], ""
    return listener.get("default_filter_chain"), "no_filter_chain"


def _narrow(chains: Iterable[Json], key: str, rank: Callable[[Any], int | None]) -> list[Json]:
    """The chains that say most about one criterion; chains that do not ask for it come last."""
    ranked = []
    for chain in chains:
        wanted = chain.get("filter_chain_match", {}).get(key)
        score = rank(wanted) if wanted else -1
        if score is not None:
            ranked.append((score, chain))
    best = max((score for score, _ in ranked), default=0)
    return [chain for score, chain in ranked if score == best]


def _longest(ranges: Sequence[Json], address: str) -> int | None:
    target = ipaddress.ip_address(address)
    lengths = [
        found["prefix_len"]
        for found in ranges
        if target in ipaddress.ip_network(f"{found['address_prefix']}/{found['prefix_len']}", strict=False)
    ]
    return max(lengths, default=None)


def _best_name(names: Sequence[str], sni: str) -> int | None:
    """Exact names beat every wildcard, long wildcards beat short ones."""
    ranks = [len(sni) + 1 for name in names if name.lower() == sni.lower()]
    ranks += [len(n) - 1 for n in names if n.startswith("*.") and sni.lower().endswith(n[1:].lower())]
    return max(ranks, default=None)


def _inspects(listener: Json, name: str, port: int) -> bool:
    for found in listener.get("listener_filters", ()):
        if found["name"] == name:
            return not _predicate(found.get("filter_disabled"), port)
    return False


def _predicate(value: Json | None, port: int) -> bool:
    if not value:
        return False
    if "destination_port_range" in value:
        ports = value["destination_port_range"]
        return bool(ports["start"] <= port < ports["end"])
    if "or_match" in value:
        return any(_predicate(rule, port) for rule in value["or_match"]["rules"])
    if "and_match" in value:
        return all(_predicate(rule, port) for rule in value["and_match"]["rules"])
    if "not_match" in value:
        return not _predicate(value["not_match"], port)
    return bool(value.get("any_match"))


def _handshake(chain: Json, call: Call) -> str:
    """Why the handshake fails; empty: it does not."""
    socket = chain.get("transport_socket")
    if not socket:
        return ""
    if call.tls == "plaintext":
        return "tls_error"
    context = socket.get("typed_config", {})
    secrets = context.get("common_tls_context", {}).get("tls_certificate_sds_secret_configs", ())
    mutual = bool(secrets) and secrets[0]["name"] == call.mtls_secret
    mutual = mutual and bool(context.get("require_client_certificate"))
    return "" if mutual == (call.tls == "mtls") else "mtls_error"


def _virtual_host(config: Json, host: str) -> Json | None:
    name = re.sub(r":\d+$", "", host) if config.get("ignore_port_in_host_matching") else host
    ranked = [
        (rank, found)
        for found in config.get("virtual_hosts", ())
        for rank in _domain_ranks(found["domains"], name.lower())
    ]
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _domain_ranks(domains: Sequence[str], host: str) -> Iterator[tuple[int, int]]:
    for domain in map(str.lower, domains):
        if domain == host:
            yield 3, 0
        elif domain == "*":
            yield 0, 0
        elif domain.startswith("*") and host.endswith(domain[1:]) and len(host) >= len(domain):
            yield 2, len(domain)
        elif domain.endswith("*") and host.startswith(domain[:-1]) and len(host) >= len(domain):
            yield 1, len(domain)


def _path_matches(match: Json, path: str) -> bool:
    path = path.partition("?")[0]
    if "safe_regex" in match:
        return re.fullmatch(match["safe_regex"]["regex"], path) is not None
    fold = str.lower if match.get("case_sensitive") is False else str
    path = fold(path)
    if "path" in match:
        return path == fold(match["path"])
    if "path_separated_prefix" in match:
        start = fold(match["path_separated_prefix"])
        return path == start or path.startswith(start + "/")
    return path.startswith(fold(match.get("prefix", "/")))
