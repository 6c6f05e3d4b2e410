"""Access logs as rows by a plain walk over messages: what the columnar decoder must agree with."""

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.wire.access_log_messages import MESSAGE
from vigla.model.access_logs import IDENTITY_TAGS, TIMES, access_log_schema
from vigla.wire.envoy.descriptors import message_class

FLAGS = (
    *("LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX"),
    *("SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DR"),
)
METHODS = (None, "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
PROTOCOLS = (None, "HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3")
TLS = (None, "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
LARGEST = 2**63 - 1

texts = st.one_of(st.just(""), st.text(max_size=8), st.sampled_from(["a", "b|c", '"', "\\", "unknown"]))
counts = st.integers(0, 2**64 - 1)
keys = st.sampled_from([*IDENTITY_TAGS, "destination_service", "trace_id", "x", 'q"', ""])
clusters = st.sampled_from(
    ["", "outbound|80||a.b", "inbound|80||", "outbound|80|v1|c", "plain", "InboundPassthroughCluster"]
)
ids = st.sampled_from(["", "0" * 32, "ab" * 16, "AB" * 16, "12ab", "4bf9-35"])
parents = st.sampled_from(["", "00-" + "cd" * 16 + "-" + "ef" * 8 + "-01", "nonsense"])


@st.composite
def _seconds(draw: st.DrawFn, into: Any) -> None:
    if draw(st.booleans()):
        into.seconds = draw(st.integers(0, 4_000_000_000))
        into.nanos = draw(st.integers(0, 999_999_999))


@st.composite
def _address(draw: st.DrawFn, into: Any) -> None:
    match draw(st.integers(0, 3)):
        case 1:
            into.socket_address.address = draw(st.sampled_from(["10.0.0.1", "::1", "host"]))
            into.socket_address.port_value = draw(st.integers(0, 65535))
        case 2:
            into.pipe.path = draw(st.sampled_from(["/run/x", "@abstract"]))
        case 3:
            into.envoy_internal_address.server_listener_name = "connect"
            into.envoy_internal_address.endpoint_id = draw(texts)


@st.composite
def _map(draw: st.DrawFn, into: Any, names: Any, values: Any = texts) -> None:
    for key, value in draw(st.dictionaries(names, values, max_size=4)).items():
        into[key] = value


@st.composite
def _common(draw: st.DrawFn, common: Any) -> None:
    for name in ("start_time", "duration", *TIMES):
        draw(_seconds(getattr(common, name)))
    for side in ("downstream_remote", "downstream_local", "downstream_direct_remote", "upstream_remote"):
        draw(_address(getattr(common, f"{side}_address")))
    draw(_address(common.upstream_local_address))
    common.upstream_cluster = draw(clusters)
    common.stream_id = draw(ids)
    for name in (
        "upstream_transport_failure_reason",
        "route_name",
        "connection_termination_details",
        "downstream_transport_failure_reason",
    ):
        setattr(common, name, draw(texts))
    for side in ("downstream", "upstream"):
        for way in ("sent", "received"):
            setattr(common, f"{side}_wire_bytes_{way}", draw(counts))
    common.upstream_request_attempt_count = draw(st.integers(0, 2**32 - 1))
    common.access_log_type = draw(st.integers(0, 13))
    draw(_map(common.custom_tags, keys, st.one_of(texts, ids)))
    for field in draw(st.sets(st.integers(1, 28), max_size=4)):
        descriptor = common.response_flags.DESCRIPTOR.fields_by_number[field]
        if descriptor.message_type:
            common.response_flags.unauthorized_details.reason = 1
        else:
            setattr(common.response_flags, descriptor.name, True)
    if draw(st.booleans()):
        draw(_tls(common.tls_properties))
    if draw(st.booleans()):
        common.metadata.filter_metadata["istio"].update({"a": [1, True, None], "b": {"c": draw(texts)}})


@st.composite
def _tls(draw: st.DrawFn, tls: Any) -> None:
    tls.tls_version = draw(st.integers(0, 4))
    tls.tls_sni_hostname = draw(texts)
    tls.tls_cipher_suite.value = draw(st.sampled_from([0x1301, 0xFFFF, 0x9999]))
    peer = tls.peer_certificate_properties
    peer.subject = draw(texts)
    for kind in draw(st.lists(st.sampled_from(["uri", "dns"]), max_size=2)):
        setattr(peer.subject_alt_name.add(), kind, draw(st.sampled_from(["spiffe://a/b", "a.b"])))


@st.composite
def _http(draw: st.DrawFn, entry: Any) -> None:
    draw(_common(entry.common_properties))
    entry.protocol_version = draw(st.integers(0, 4))
    request, response = entry.request, entry.response
    request.request_method = draw(st.integers(0, 9))
    for name in ("scheme", "authority", "path", "original_path", "user_agent", "referer", "forwarded_for"):
        setattr(request, name, draw(texts))
    request.request_id = draw(texts)
    request.request_headers_bytes, request.request_body_bytes = draw(counts), draw(counts)
    response.response_headers_bytes, response.response_body_bytes = draw(counts), draw(counts)
    response.response_code_details = draw(texts)
    if draw(st.booleans()):
        response.response_code.value = draw(st.integers(0, 2**32 - 1))
    draw(_map(request.request_headers, st.just("traceparent"), parents))
    draw(_map(request.request_headers, st.sampled_from(["x-b3-traceid", "y"]), ids))
    draw(_map(response.response_headers, keys))
    draw(_map(response.response_trailers, keys))


@st.composite
def messages(draw: st.DrawFn) -> Any:
    """Whole messages, with an identifier or without."""
    made: Any = message_class(MESSAGE)()
    if draw(st.booleans()):
        made.identifier.node.id, made.identifier.log_name = draw(texts), draw(texts)
        made.identifier.node.metadata["k"] = "v"
    if draw(st.booleans()):
        for _ in range(draw(st.integers(0, 3))):
            draw(_http(made.http_logs.log_entry.add()))
    else:
        for _ in range(draw(st.integers(0, 3))):
            entry = made.tcp_logs.log_entry.add()
            draw(_common(entry.common_properties))
            entry.connection_properties.received_bytes = draw(counts)
            entry.connection_properties.sent_bytes = draw(counts)
    return made


def walked(stream: list[Any]) -> list[dict[str, Any]]:
    """Rows of the messages of one stream, requests first."""
    node = log_name = ""
    http: list[dict[str, Any]] = []
    tcp: list[dict[str, Any]] = []
    for message in stream:
        if message.HasField("identifier"):
            node, log_name = message.identifier.node.id, message.identifier.log_name
        origin = {"node": node or None, "log_name": log_name or None}
        http += [origin | row for row in map(_http_row, message.http_logs.log_entry)]
        tcp += [origin | row for row in map(_tcp_row, message.tcp_logs.log_entry)]
    names = access_log_schema().names
    return [{name: row.get(name) for name in names} for row in (*http, *tcp)]


def _http_row(entry: Any) -> dict[str, Any]:
    request, response = entry.request, entry.response
    texts = ("scheme", "authority", "path", "original_path", "user_agent", "referer", "forwarded_for")
    headers = dict(request.request_headers)
    has_code = response.HasField("response_code")
    return _common_row(entry.common_properties, headers) | {
        **{name: getattr(request, name) or None for name in (*texts, "request_id")},
        "protocol": PROTOCOLS[entry.protocol_version],
        "method": METHODS[request.request_method],
        "status": min(response.response_code.value, 2**31 - 1) if has_code else None,
        "response_code_details": response.response_code_details or None,
        "bytes_received": min(request.request_body_bytes, LARGEST),
        "bytes_sent": min(response.response_body_bytes, LARGEST),
        "request_headers_bytes": min(request.request_headers_bytes, LARGEST),
        "response_headers_bytes": min(response.response_headers_bytes, LARGEST),
        "request_headers": headers or None,
        "response_headers": dict(response.response_headers) or None,
        "response_trailers": dict(response.response_trailers) or None,
    }


def _tcp_row(entry: Any) -> dict[str, Any]:
    return _common_row(entry.common_properties, {}) | {
        "protocol": "TCP",
        "bytes_received": min(entry.connection_properties.received_bytes, LARGEST),
        "bytes_sent": min(entry.connection_properties.sent_bytes, LARGEST),
    }


def _common_row(common: Any, headers: dict[str, str]) -> dict[str, Any]:
    tags = dict(common.custom_tags)
    row = {name: tags.pop(name, "") or None for name in IDENTITY_TAGS}
    cluster = common.upstream_cluster
    side = "source" if cluster.startswith("outbound|") else None
    side = "destination" if cluster.lower().startswith("inbound") else side
    host = cluster.split("|")[3] if cluster.count("|") == 3 else ""
    tls = common.tls_properties
    kind = common.DESCRIPTOR.fields_by_name["access_log_type"].enum_type.values_by_number
    type_name = kind[common.access_log_type].name
    times = {name: _ns(common, name) for name in TIMES}
    duration = _ns(common, "duration")
    return row | {
        **times,
        "ts": _ns(common, "start_time") or 0,
        "dur": times["time_to_last_downstream_tx_byte"] if duration is None else duration,
        "service": tags.pop("destination_service", "") or host or "unknown",
        "reporter": row["reporter"] or side,
        "trace_id": _trace(tags.pop("trace_id", ""), headers, common.stream_id),
        "stream_id": common.stream_id or None,
        "log_type": type_name if common.access_log_type else None,
        "connection_termination_details": common.connection_termination_details or None,
        "flags": [FLAGS[field.number - 1] for field, _ in common.response_flags.ListFields()],
        "downstream_wire_bytes_received": min(common.downstream_wire_bytes_received, LARGEST),
        "downstream_wire_bytes_sent": min(common.downstream_wire_bytes_sent, LARGEST),
        "upstream_wire_bytes_received": min(common.upstream_wire_bytes_received, LARGEST),
        "upstream_wire_bytes_sent": min(common.upstream_wire_bytes_sent, LARGEST),
        "attempts": min(common.upstream_request_attempt_count, 2**31 - 1),
        "route": common.route_name or None,
        "upstream_cluster": cluster or None,
        "upstream_host": _written(common.upstream_remote_address),
        "upstream_local": _written(common.upstream_local_address),
        "upstream_transport_failure": common.upstream_transport_failure_reason or None,
        "downstream_remote": _written(common.downstream_remote_address),
        "downstream_local": _written(common.downstream_local_address),
        "downstream_direct": _written(common.downstream_direct_remote_address),
        "downstream_transport_failure": common.downstream_transport_failure_reason or None,
        "tls_version": TLS[tls.tls_version],
        "tls_cipher": {0x1301: "TLS_AES_128_GCM_SHA256", 0x9999: "0x9999"}.get(tls.tls_cipher_suite.value),
        "sni": tls.tls_sni_hostname or None,
        "peer_principal": next(_names(tls.peer_certificate_properties), None),
        "tags": tags or None,
        "metadata": {
            "istio": {"a": [1, True, None], "b": {"c": common.metadata.filter_metadata["istio"]["b"]["c"]}}
        }
        if common.HasField("metadata")
        else None,
    }


def _ns(common: Any, name: str) -> int | None:
    value = getattr(common, name)
    return value.seconds * 10**9 + value.nanos if common.HasField(name) else None


def _trace(tag: str, headers: dict[str, str], stream: str) -> str | None:
    candidates = [tag, headers.get("traceparent", "")[3:35], headers.get("x-b3-traceid", "")]
    filled = [text.lower().rjust(32, "0") for text in candidates if text] + [stream.lower()]
    valid = (text for text in filled if re.fullmatch("[0-9a-f]{32}", text, re.ASCII) and text != "0" * 32)
    return next(valid, None)


def _written(address: Any) -> str | None:
    match address.WhichOneof("address"):
        case "socket_address":
            socket = address.socket_address
            host = f"[{socket.address}]" if ":" in socket.address else socket.address
            return f"{host}:{socket.port_value}"
        case "pipe":
            return str(address.pipe.path)
        case "envoy_internal_address":
            internal = address.envoy_internal_address
            return f"envoy://{internal.server_listener_name}/{internal.endpoint_id}"
    return None


def _names(certificate: Any) -> Iterator[str]:
    yield from (name.uri for name in certificate.subject_alt_name if name.uri)
    yield from (name.dns for name in certificate.subject_alt_name if name.dns)
    if certificate.subject:
        yield certificate.subject
