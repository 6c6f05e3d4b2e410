"""Istio's own metrics of the control plane, as its dashboards read them."""

from prometheus_client import CollectorRegistry, Gauge, Histogram

_SECONDS = (0.1, 0.5, 1, 3, 5, 10, 20, 30)


class PilotMetrics:
    """Counts of pushes and refusals. Counters are gauges here: prometheus_client would append ``_total``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge("pilot_xds", "proxies connected", registry=registry)
        self.pushes = Gauge("pilot_xds_pushes", "responses sent", ["type"], registry=registry)
        self.rejects = Gauge("pilot_total_xds_rejects", "responses refused", ["type"], registry=registry)
        self.failures = Gauge("pilot_xds_generate_failures", "resources not made", registry=registry)
        self.root_expiry = Gauge(
            "citadel_server_root_cert_expiry_timestamp",
            "when the authority's certificate ends, seconds since the epoch",
            registry=registry,
        )
        self.convergence = Histogram(
            "pilot_proxy_convergence_time",
            "seconds from a change to the proxy's answer",
            buckets=_SECONDS,
            registry=registry,
        )
