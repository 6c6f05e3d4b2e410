"""Access logs of a known trace, as two proxies on its way would send them."""

import pyarrow as pa

from tests.wire.access_log_messages import http_entries, identified
from vigla.wire.access_logs.admit import admit
from vigla.wire.access_logs.decode import AccessLogDecoder

CONFIG = "/apis/networking.istio.io/v1/namespaces/shop/"
LONG_WORKLOAD = "reviews-with-a-name-that-is-longer-than-any-column-of-the-table-" + "x" * 60


def decided(trace: str, start_ns: int) -> pa.Table:
    """Three entries: one routed by a rule and aborted by its fault, one as usual, one failed."""
    message = http_entries(0, 3, into=identified("sidecar~1"))
    for number, entry in enumerate(message.http_logs.log_entry):
        at = start_ns + number * 1_000_000
        entry.common_properties.start_time.FromNanoseconds(at)
        tags = entry.common_properties.custom_tags
        tags["trace_id"] = trace
        tags["reporter"] = "destination" if number == 1 else "source"
    first, *_, last = message.http_logs.log_entry
    first.common_properties.response_flags.fault_injected = True
    tags = first.common_properties.custom_tags
    tags["virtual_service"] = f"{CONFIG}virtual-service/reviews"
    tags["rule"], tags["rule_source"] = "http[2]", "reviews.yaml:17"
    last.common_properties.custom_tags["destination_workload"] = LONG_WORKLOAD
    return AccessLogDecoder().decode([admit(message.SerializeToString(), b"").record])
