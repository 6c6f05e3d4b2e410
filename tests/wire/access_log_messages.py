"""Access log messages for tests."""

from typing import Any

from vigla.wire.envoy.descriptors import message_class

MESSAGE = "envoy.service.accesslog.v3.StreamAccessLogsMessage"
START_S = 1_790_000_000


def message(**fields: Any) -> Any:
    """A ``StreamAccessLogsMessage`` of Envoy's own, whole descriptors."""
    made: Any = message_class(MESSAGE)(**fields)
    return made


def identified(node: str = "sidecar~1", log_name: str = "http_envoy_accesslog") -> Any:
    """A message with an identifier and no entries."""
    made = message()
    made.identifier.node.id = node
    made.identifier.node.metadata["SIZE"] = "x" * 100
    made.identifier.log_name = log_name
    return made


def http_entries(first: int, count: int, *, into: Any | None = None) -> Any:
    """Requests with ``request_id`` r<number>, a millisecond apart; every third answered 503."""
    made = message() if into is None else into
    for number in range(first, first + count):
        entry = made.http_logs.log_entry.add()
        common = entry.common_properties
        common.start_time.seconds = START_S + number // 1000
        common.start_time.nanos = number % 1000 * 1_000_000 + 7
        common.duration.nanos = 1_000_000 + number
        common.upstream_cluster = "outbound|9080||reviews.shop.svc.cluster.local"
        common.route_name = "default"
        common.custom_tags["source_workload"] = "productpage"
        common.custom_tags["source_namespace"] = "front"
        common.custom_tags["destination_workload"] = f"reviews-v{number % 2 + 1}"
        common.custom_tags["destination_namespace"] = "shop"
        entry.protocol_version = 3
        entry.request.request_method = 1
        entry.request.path = f"/reviews/{number}"
        entry.request.request_id = f"r{number}"
        entry.request.request_headers["traceparent"] = f"00-{number + 1:032x}-{number + 1:016x}-01"
        failed = number % 3 == 2
        entry.response.response_code.value = 503 if failed else 200
        if failed:
            common.response_flags.upstream_connection_failure = True
            common.response_flags.upstream_retry_limit_exceeded = True
    return made
