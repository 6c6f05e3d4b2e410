"""The control plane, and vigla itself."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from scripts.dashboards.panels import Query, lines, number, page

RATE = "[$__rate_interval]"
OWN = 'job="vigla"'


def control_plane() -> Dashboard:
    """Pushes to the mesh's proxies, and whether they took them."""
    return page(
        "vigla-control-plane",
        "Control plane",
        "What proxies are told, and how soon they have it.",
        [
            (
                "Now",
                [
                    number("Proxies connected", "sum(pilot_xds)", "short"),
                    number(
                        "Refused by proxies",
                        "sum(pilot_total_xds_rejects) or vector(0)",
                        "short",
                        good="low",
                        bounds=(1, 10),
                    ),
                    number(
                        "Resources not made",
                        "sum(pilot_xds_generate_failures)",
                        "short",
                        good="low",
                        bounds=(1, 10),
                    ),
                    number(
                        "Root certificate ends in",
                        "min(citadel_server_root_cert_expiry_timestamp) - time()",
                        "s",
                        good="high",
                        bounds=(7 * 86_400, 30 * 86_400),
                    ),
                ],
            ),
            (
                "Pushes",
                [
                    lines(
                        "Responses sent",
                        "ops",
                        Query(f"sum by (type) (rate(pilot_xds_pushes{RATE}))", "{{type}}"),
                    ),
                    lines(
                        "From a change to the proxy's answer",
                        "s",
                        *(
                            Query(_quantile(q, "pilot_proxy_convergence_time", "job"), f"p{q * 100:g}")
                            for q in (0.5, 0.95, 0.99)
                        ),
                    ),
                ],
            ),
            (
                "Proxies",
                [
                    lines(
                        "Configuration refused",
                        "ops",
                        Query(
                            f"sum by (pod) (rate(envoy_cluster_manager_cds_update_rejected{RATE}))",
                            "{{pod}} clusters",
                        ),
                        Query(
                            f"sum by (pod) (rate(envoy_listener_manager_lds_update_rejected{RATE}))",
                            "{{pod}} listeners",
                        ),
                    ),
                    lines(
                        "Envoys running", "short", Query("mesh_agent_envoy_running", "{{pod}}"), stacked=True
                    ),
                    lines("Starts of Envoy", "short", Query("mesh_agent_envoy_starts_total", "{{pod}}")),
                    lines(
                        "Memory of Envoys",
                        "bytes",
                        Query("envoy_server_memory_allocated", "{{pod}}"),
                    ),
                ],
            ),
        ],
    )


def itself() -> Dashboard:
    """Intake, storage and queries."""
    return page(
        "vigla-itself",
        "vigla",
        "The server itself: from the wire to the disk and back.",
        [
            (
                "Now",
                [
                    number("Accepted", f"sum(rate(vigla_collector_accepted_total{RATE}))", "cps"),
                    number(
                        "Refused",
                        f"sum(rate(vigla_collector_refused_total{RATE})) or vector(0)",
                        "reqps",
                        good="low",
                        bounds=(0.01, 1),
                    ),
                    number("Waiting on the bus", "sum(vigla_bus_backlog_bytes)", "bytes"),
                    number("Stored", "sum(vigla_storage_bytes)", "bytes"),
                ],
            ),
            (
                "Intake",
                [
                    lines(
                        "Accepted",
                        "cps",
                        Query(
                            f"sum by (signal, transport) (rate(vigla_collector_accepted_total{RATE}))",
                            "{{signal}} {{transport}}",
                        ),
                        stacked=True,
                    ),
                    lines(
                        "Requests held in memory",
                        "bytes",
                        Query("sum by (instance) (vigla_collector_inflight_bytes)", "{{instance}}"),
                    ),
                    lines(
                        "Records not yet stored",
                        "short",
                        Query("sum by (topic) (vigla_bus_lag_records)", "{{topic}}"),
                    ),
                    lines("Sync of the bus", "s", *_quantiles("vigla_bus_fsync_seconds")),
                ],
            ),
            (
                "Storage",
                [
                    lines("Decoding a batch", "s", *_quantiles("vigla_ingester_decode_seconds")),
                    lines("Writing and committing", "s", *_quantiles("vigla_storage_commit_seconds")),
                    lines(
                        "Rows in memory",
                        "short",
                        Query("sum by (instance) (vigla_storage_buffered_rows)", "{{instance}}"),
                    ),
                    lines("Bytes of the lake", "bytes", Query("sum(vigla_storage_bytes)", "stored")),
                ],
            ),
            (
                "Queries",
                [
                    lines(
                        "Queries",
                        "reqps",
                        Query(f"sum by (endpoint) (rate(vigla_query_seconds_count{RATE}))", "{{endpoint}}"),
                        stacked=True,
                    ),
                    lines(
                        "95th percentile of queries",
                        "s",
                        Query(_quantile(0.95, "vigla_query_seconds", "endpoint"), "{{endpoint}}"),
                    ),
                ],
            ),
            (
                "Process",
                [
                    lines(
                        "CPU",
                        "percentunit",
                        Query(f"rate(process_cpu_seconds_total{{{OWN}}}{RATE})", "{{instance}}"),
                    ),
                    lines(
                        "Memory", "bytes", Query(f"process_resident_memory_bytes{{{OWN}}}", "{{instance}}")
                    ),
                    lines("Event loop late by", "s", *_quantiles("vigla_event_loop_lateness_seconds")),
                    lines("Open files", "short", Query(f"process_open_fds{{{OWN}}}", "{{instance}}")),
                ],
            ),
        ],
    )


def _quantile(q: float, histogram: str, by: str) -> str:
    return f"histogram_quantile({q}, sum by ({by}, le) (rate({histogram}_bucket{RATE})))"


def _quantiles(histogram: str) -> list[Query]:
    return [Query(_quantile(q, histogram, "job"), f"p{q * 100:g}") for q in (0.5, 0.99)]
