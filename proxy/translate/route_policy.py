"""What accompanies a route: retries, cross-origin rules, hashing."""

from typing import Any

from proxy.api.destination_rule import ConsistentHashLB
from proxy.api.virtual_service import CorsPolicy, HTTPRetry
from proxy.envoy.messages import typed
from proxy.translate.names import seconds
from proxy.translate.route_match import string_match

Json = dict[str, Any]
CORS = "envoy.filters.http.cors"
RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
_CODES = "retriable-status-codes"
_ATTEMPTS = 2
_PREVIOUS_HOSTS = {
    "name": "envoy.retry_host_predicates.previous_hosts",
    "typed_config": typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
}
_OTHER_LOCALITIES = {
    "name": "envoy.retry_priorities.previous_priorities",
    "typed_config": typed(
        "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
        {"update_frequency": 2},
    ),
}


def retry_policy(retries: HTTPRetry | None, default: HTTPRetry | None, *, hashed: bool) -> Json | None:
    """``RetryPolicy``; None: no retries.

    Args:
        retries: of the rule.
        default: of the mesh; None: Istio's defaults.
        hashed: the host is chosen by a hash, so that another one is no choice.
    """
    chosen = retries if retries is not None else default
    if chosen is None:
        return {"retry_on": RETRY_ON, "num_retries": _ATTEMPTS, **_other_hosts(another=not hashed)}
    if chosen.attempts <= 0:
        return None
    another = chosen.retry_ignore_previous_hosts
    retry_on, codes = _conditions(chosen.retry_on)
    made: Json = {"retry_on": retry_on, "num_retries": chosen.attempts}
    made |= _other_hosts(another=not hashed if another is None else another)
    if codes:
        made["retriable_status_codes"] = codes
    if chosen.per_try_timeout is not None:
        made["per_try_timeout"] = seconds(chosen.per_try_timeout)
    if chosen.backoff is not None:
        made["retry_back_off"] = {"base_interval": seconds(chosen.backoff)}
    if chosen.retry_remote_localities:
        made["retry_priority"] = _OTHER_LOCALITIES
    return made


def cors_filter(policy: CorsPolicy) -> Json:
    """``CorsPolicy`` of the per-route configuration of the cors filter."""
    origins = [{"exact": origin} if origin != "*" else _ANY for origin in policy.allow_origin]
    made: Json = {
        "filter_enabled": {"default_value": {"numerator": 100}},
        "forward_not_matching_preflights": policy.unmatched_preflights != "IGNORE",
        "allow_origin_string_match": [string_match(o) for o in policy.allow_origins] or origins,
    }
    listed = (policy.allow_methods, policy.allow_headers, policy.expose_headers)
    for key, values in zip(("allow_methods", "allow_headers", "expose_headers"), listed, strict=True):
        if values:
            made[key] = ",".join(values)
    if policy.max_age is not None:
        made["max_age"] = str(int(policy.max_age.total_seconds()))
    if policy.allow_credentials is not None:
        made["allow_credentials"] = policy.allow_credentials
    return typed("envoy.extensions.filters.http.cors.v3.CorsPolicy", made)


def hash_policy(consistent: ConsistentHashLB) -> Json | None:
    """``HashPolicy``: what of a request is hashed."""
    if consistent.http_header_name:
        return {"header": {"header_name": consistent.http_header_name}}
    if consistent.http_cookie is not None:
        return {"cookie": _cookie(consistent)}
    if consistent.use_source_ip:
        return {"connection_properties": {"source_ip": True}}
    if consistent.http_query_parameter_name:
        return {"query_parameter": {"name": consistent.http_query_parameter_name}}
    return None


_ANY = {"safe_regex": {"regex": ".*"}}


def _cookie(consistent: ConsistentHashLB) -> Json:
    cookie = consistent.http_cookie
    if cookie is None:
        return {}
    made: Json = {"name": cookie.name}
    if cookie.path:
        made["path"] = cookie.path
    if cookie.ttl is not None:
        made["ttl"] = seconds(cookie.ttl)
    if cookie.attributes:
        made["attributes"] = [{"name": a.name, "value": a.value} for a in cookie.attributes]
    return made


def _conditions(retry_on: str) -> tuple[str, list[int]]:
    """Conditions by name, and the status codes that stood among them."""
    if not retry_on:
        return RETRY_ON, []
    parts = [part.strip() for part in retry_on.split(",") if part.strip()]
    codes = [int(part) for part in parts if part.isdigit()]
    names = [part for part in parts if not part.isdigit()]
    if codes and _CODES not in names:
        names.append(_CODES)
    return ",".join(names), codes


def _other_hosts(*, another: bool) -> Json:
    return (
        {"retry_host_predicate": [_PREVIOUS_HOSTS], "host_selection_retry_max_attempts": "5"}
        if another
        else {}
    )
