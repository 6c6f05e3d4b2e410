"""Istio's text and JSON formats of access logs."""

import json
from collections.abc import Mapping
from typing import Any

from proxy.api.mesh import MeshConfig

Json = dict[str, Any]

FIELDS: Mapping[str, str] = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}
_LINE = (
    '[{start_time}] "{method} {path} {protocol}" {response_code} {response_flags} {response_code_details} '
    '{connection_termination_details} "{upstream_transport_failure_reason}" {bytes_received} {bytes_sent} '
    '{duration} {upstream_service_time} "{x_forwarded_for}" "{user_agent}" "{request_id}" "{authority}" '
    '"{upstream_host}" {upstream_cluster} {upstream_local_address} {downstream_local_address} '
    "{downstream_remote_address} {requested_server_name} {route_name}\n"
)
TEXT = _LINE.format(**FIELDS)


def as_text(text: str = "") -> Json:
    """The SubstitutionFormatString of a text; none: Istio's line."""
    if text and not text.endswith("\n"):
        text += "\n"
    return {"text_format_source": {"inline_string": text or TEXT}}


def as_json(labels: Mapping[str, Any]) -> Json:
    """The SubstitutionFormatString of a JSON object; none: Istio's fields."""
    return {"json_format": dict(labels or FIELDS)}


def of_mesh(mesh: MeshConfig) -> Json:
    """The format that the MeshConfig asks for; one that is not JSON gives way to Istio's fields."""
    if mesh.access_log_encoding == "TEXT":
        return as_text(mesh.access_log_format)
    try:
        labels = json.loads(mesh.access_log_format) if mesh.access_log_format else {}
    except json.JSONDecodeError:
        labels = {}
    return as_json(labels if isinstance(labels, dict) else {})
