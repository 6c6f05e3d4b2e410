"""Envoy's words for the numbers and flags of an access log.

Source: ``envoy/data/accesslog/v3/accesslog.proto``, Envoy's documentation of ``%RESPONSE_FLAGS%``, and IANA's
registry of TLS cipher suites.
"""

FLAGS = {
    "failed_local_healthcheck": "LH",
    "no_healthy_upstream": "UH",
    "upstream_request_timeout": "UT",
    "local_reset": "LR",
    "upstream_remote_reset": "UR",
    "upstream_connection_failure": "UF",
    "upstream_connection_termination": "UC",
    "upstream_overflow": "UO",
    "no_route_found": "NR",
    "delay_injected": "DI",
    "fault_injected": "FI",
    "rate_limited": "RL",
    "unauthorized_details": "UAEX",
    "rate_limit_service_error": "RLSE",
    "downstream_connection_termination": "DC",
    "upstream_retry_limit_exceeded": "URX",
    "stream_idle_timeout": "SI",
    "invalid_envoy_request_headers": "IH",
    "downstream_protocol_error": "DPE",
    "upstream_max_stream_duration_reached": "UMSDR",
    "response_from_cache_filter": "RFCF",
    "no_filter_config_found": "NFCF",
    "duration_timeout": "DT",
    "upstream_protocol_error": "UPE",
    "no_cluster_found": "NC",
    "overload_manager": "OM",
    "dns_resolution_failure": "DF",
    "downstream_remote_reset": "DR",
}
"""Field of ``ResponseFlags`` to short name."""

METHODS = {
    1: "GET",
    2: "HEAD",
    3: "POST",
    4: "PUT",
    5: "DELETE",
    6: "CONNECT",
    7: "OPTIONS",
    8: "TRACE",
    9: "PATCH",
}
PROTOCOLS = {1: "HTTP/1.0", 2: "HTTP/1.1", 3: "HTTP/2", 4: "HTTP/3"}
TCP = "TCP"
LOG_TYPES = {
    1: "TcpUpstreamConnected",
    2: "TcpPeriodic",
    3: "TcpConnectionEnd",
    4: "DownstreamStart",
    5: "DownstreamPeriodic",
    6: "DownstreamEnd",
    7: "UpstreamPoolReady",
    8: "UpstreamPeriodic",
    9: "UpstreamEnd",
    10: "DownstreamTunnelSuccessfullyEstablished",
    11: "UdpTunnelUpstreamConnected",
    12: "UdpPeriodic",
    13: "UdpSessionEnd",
}
TLS_VERSIONS = {1: "TLSv1", 2: "TLSv1.1", 3: "TLSv1.2", 4: "TLSv1.3"}
NO_CIPHER = 0xFFFF  # what Envoy writes when there is none
_CIPHERS = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}


def cipher(number: int) -> str | None:
    """Name of a cipher suite, in hexadecimal when it is not one that Envoy offers by default."""
    return None if number == NO_CIPHER else _CIPHERS.get(number, f"0x{number:04X}")
