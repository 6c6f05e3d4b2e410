"""Istio's standard metrics, counted from access logs, for Envoys that do not make them.

Source: Istio, "Istio Standard Metrics". TCP connections are counted at their end. Labels that an access log
does not tell are ``unknown``; a cluster that it does not tell has the name that Istio gives to the only one.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingester.derived.counters import Counters, Family, grouped, slowest, spread

REQUESTS, DURATION = "istio_requests_total", "istio_request_duration_milliseconds"
RECEIVED, SENT = "istio_request_bytes", "istio_response_bytes"
OPENED, CLOSED = "istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total"
TCP_RECEIVED, TCP_SENT = "istio_tcp_received_bytes_total", "istio_tcp_sent_bytes_total"

_STEPS = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000)
BOUNDS = (*map(float, _STEPS), 1800000.0, 3600000.0)
"""Milliseconds and bytes alike, as Envoy has them in Istio."""

FAMILIES = (
    Family(REQUESTS, "counter", "Requests."),
    Family(DURATION, "histogram", "Duration of requests.", "milliseconds", BOUNDS),
    Family(RECEIVED, "histogram", "Bytes of requests.", "bytes", BOUNDS),
    Family(SENT, "histogram", "Bytes of responses.", "bytes", BOUNDS),
    Family(OPENED, "counter", "TCP connections opened."),
    Family(CLOSED, "counter", "TCP connections closed."),
    Family(TCP_RECEIVED, "counter", "Bytes that TCP clients sent.", "bytes"),
    Family(TCP_SENT, "counter", "Bytes that TCP clients got.", "bytes"),
)
UNKNOWN, LATEST, CLUSTER = "unknown", "latest", "Kubernetes"
_NOT_TOLD = pa.array([None, "", UNKNOWN])
_NS_PER_MS = 1e6
_ENDS = pa.array(["TcpConnectionEnd", "NotSet"])
_HOST = r"^(?P<name>[^.]+)(?:\.(?P<namespace>[^.]+)\.svc\..*)?"
_GRPC = r'"grpc-status":"(?P<status>[0-9]+)"'


def observe(counters: Counters, rows: pa.Table, now_ms: int) -> None:
    """Count the entries of a batch; columns as in ``vigla.model.access_logs``."""
    is_tcp = pc.equal(_text(rows, "protocol"), "TCP").fill_null(False)
    ended = pc.is_in(_text(rows, "log_type"), _ENDS)
    _requests(counters, rows.filter(pc.invert(is_tcp)), now_ms)
    _connections(counters, rows.filter(pc.and_(is_tcp, ended)), now_ms)


def _requests(counters: Counters, rows: pa.Table, now_ms: int) -> None:
    if not rows.num_rows:
        return
    grpc = pc.coalesce(
        *(
            pc.struct_field(pc.extract_regex(_text(rows, name), _GRPC), "status")
            for name in ("response_trailers", "response_headers")
        )
    )
    labels, groups = grouped(
        _parties(rows)
        | {
            "request_protocol": pc.if_else(pc.is_valid(grpc), "grpc", "http"),
            "response_code": _column(rows, "status").fill_null(0).cast(pa.string()),
            "grpc_response_status": grpc.fill_null(""),
            **_last(rows),
        }
    )
    count = len(labels)
    counters.add(REQUESTS, labels, np.bincount(groups, minlength=count).astype(np.float64), now_ms)
    durations = _column(rows, "dur").fill_null(0).to_numpy() / _NS_PER_MS
    examples = slowest(durations, groups, _text(rows, "trace_id"))
    counters.add(DURATION, labels, spread(durations, groups, count, BOUNDS), now_ms, examples)
    for name, values in (
        (RECEIVED, _bytes(rows, "downstream_wire_bytes_received")),
        (SENT, _bytes(rows, "downstream_wire_bytes_sent")),
    ):
        counters.add(name, labels, spread(values, groups, count, BOUNDS), now_ms)


def _connections(counters: Counters, rows: pa.Table, now_ms: int) -> None:
    if not rows.num_rows:
        return
    labels, groups = grouped(_parties(rows) | {"request_protocol": _all(rows, "tcp"), **_last(rows)})
    weights: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]] | None] = {
        OPENED: None,
        CLOSED: None,
        TCP_RECEIVED: _bytes(rows, "bytes_received"),
        TCP_SENT: _bytes(rows, "bytes_sent"),
    }
    for name, values in weights.items():
        amounts = np.bincount(groups, values, minlength=len(labels)).astype(np.float64)
        counters.add(name, labels, amounts, now_ms)


def _parties(rows: pa.Table) -> dict[str, pa.Array]:
    """Who called whom, in Istio's order of labels."""
    hosts = pc.extract_regex(_text(rows, "service"), _HOST)
    columns = {"reporter": _known(_text(rows, "reporter"))}
    for side in ("source", "destination"):
        workload = _known(_text(rows, f"{side}_workload"))
        canonical = _known(_canonical(rows, side, workload))
        revision = _tag(rows, f"{side}_canonical_revision")
        told = pc.not_equal(revision, LATEST).fill_null(False)
        columns |= {
            f"{side}_workload": workload,
            f"{side}_canonical_service": canonical,
            f"{side}_canonical_revision": _present(revision, LATEST),
            f"{side}_workload_namespace": _known(_text(rows, f"{side}_namespace")),
            f"{side}_principal": _known(_text(rows, f"{side}_principal")),
            f"{side}_app": canonical,
            f"{side}_version": pc.if_else(told, revision, UNKNOWN),
            f"{side}_cluster": pc.if_else(pc.equal(workload, UNKNOWN), UNKNOWN, _cluster(rows, side)),
        }
    namespace = _text(rows, "destination_namespace")
    return columns | {
        "destination_service": _known(_text(rows, "service")),
        "destination_service_name": _known(_service_name(hosts, rows)),
        "destination_service_namespace": _known(_present(pc.struct_field(hosts, "namespace"), namespace)),
    }


def _canonical(rows: pa.Table, side: str, workload: pa.StringArray) -> pa.StringArray:
    """The service that a workload belongs to; ``destination_service`` is the host that was asked for."""
    named = [_tag(rows, f"{side}_canonical_service")]
    if side == "source":
        named.append(_text(rows, "source_service"))
    for texts in reversed(named):
        workload = pc.if_else(pc.is_in(texts, _NOT_TOLD), workload, texts)
    return workload


def _cluster(rows: pa.Table, side: str) -> pa.StringArray:
    texts = _tag(rows, f"{side}_cluster")
    return pc.if_else(pc.is_in(texts, _NOT_TOLD), CLUSTER, texts)


def _service_name(hosts: pa.StructArray, rows: pa.Table) -> pa.StringArray:
    """The first part of a host in the cluster; of others all of it."""
    inside = pc.not_equal(pc.struct_field(hosts, "namespace"), "").fill_null(False)
    return pc.if_else(inside, pc.struct_field(hosts, "name"), _text(rows, "service"))


def _last(rows: pa.Table) -> dict[str, pa.Array]:
    flags = pc.binary_join(_column(rows, "flags"), ",")
    by_source = pc.equal(_text(rows, "reporter"), "source").fill_null(False)
    secure = pc.if_else(pc.is_valid(_text(rows, "peer_principal")), "mutual_tls", "none")
    return {
        "response_flags": pc.if_else(pc.equal(flags, ""), "-", flags).fill_null("-"),
        "connection_security_policy": pc.if_else(by_source, UNKNOWN, secure),
    }


def _column(rows: pa.Table, name: str) -> pa.Array:
    column: pa.Array = rows.column(name).combine_chunks()
    return column


def _text(rows: pa.Table, name: str) -> pa.StringArray:
    return _column(rows, name).cast(pa.string())


def _bytes(rows: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = (
        _column(rows, name).fill_null(0).to_numpy().astype(np.float64)
    )
    return values


def _tag(rows: pa.Table, name: str) -> pa.StringArray:
    """A custom tag without a column of its own; most entries have the same few texts of tags."""
    tags = _column(rows, "tags").cast(pa.string()).dictionary_encode()
    found = pc.struct_field(pc.extract_regex(tags.dictionary, f'"{name}":"(?P<value>[^"\\\\]*)"'), "value")
    return found.take(tags.indices)


def _known(texts: pa.StringArray) -> pa.StringArray:
    return _present(texts, UNKNOWN)


def _present(texts: pa.StringArray, otherwise: str | pa.StringArray) -> pa.StringArray:
    """``texts`` where they are neither null nor empty."""
    choose: Callable[..., pa.StringArray] = pc.if_else
    return choose(pc.not_equal(texts, "").fill_null(False), texts, otherwise)


def _all(rows: pa.Table, text: str) -> pa.StringArray:
    return pa.array([text]).take(pa.array(np.zeros(rows.num_rows, np.int64)))
