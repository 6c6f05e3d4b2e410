"""Load balancing of a DestinationRule."""

import math

from proxy.api.destination_rule import (
    ConsistentHashLB,
    LoadBalancerSettings,
    LocalityLoadBalancerSetting,
    OutlierDetection,
    WarmupConfiguration,
)
from proxy.validate import checks
from proxy.validate.spot import Spot

_LARGEST_TABLE = 5_000_011
_WHOLE = 100


def load_balancer(at: Spot, lb: LoadBalancerSettings | None, outlier: OutlierDetection | None) -> None:
    """Policy, hashing, localities and warm-up."""
    if lb is None:
        return
    checks.one_of(at, simple=lb.simple is not None, consistentHash=lb.consistent_hash is not None)
    if lb.consistent_hash is not None:
        _hash(at / "consistentHash", lb.consistent_hash)
    if lb.locality_lb_setting is not None:
        _locality(at / "localityLbSetting", lb.locality_lb_setting, outlier)
    if lb.warmup_duration_secs is not None:
        (at / "warmupDurationSecs").warn("is deprecated: write warmup.duration")
        checks.duration(at / "warmupDurationSecs", lb.warmup_duration_secs)
    checks.one_of(at, warmup=lb.warmup is not None, warmupDurationSecs=lb.warmup_duration_secs is not None)
    if lb.warmup is not None:
        _warmup(at / "warmup", lb.warmup)


def _hash(at: Spot, lb: ConsistentHashLB) -> None:
    checks.one_of(
        at,
        httpHeaderName=lb.http_header_name is not None,
        httpCookie=lb.http_cookie is not None,
        useSourceIp=lb.use_source_ip is not None,
        httpQueryParameterName=lb.http_query_parameter_name is not None,
    )
    checks.one_of(
        at,
        minimumRingSize=bool(lb.minimum_ring_size),
        ringHash=lb.ring_hash is not None,
        maglev=lb.maglev is not None,
    )
    if lb.http_cookie is not None:
        if not lb.http_cookie.name:
            (at / "httpCookie" / "name").error("required: the name of the cookie")
        ttl = lb.http_cookie.ttl
        if ttl is not None and ttl.total_seconds() < 0:
            (at / "httpCookie" / "ttl").error("must not be negative")
    if lb.minimum_ring_size:
        (at / "minimumRingSize").warn("is deprecated: write ringHash.minimumRingSize")
    if lb.maglev is not None and "table_size" in lb.maglev.model_fields_set:
        size = lb.maglev.table_size
        if not _is_prime(size) or size >= _LARGEST_TABLE:
            (at / "maglev" / "tableSize").error(
                f"{size} is not allowed: write a prime below {_LARGEST_TABLE}"
            )


def _is_prime(number: int) -> bool:
    return number > 1 and all(
        number % factor for factor in range(2, math.isqrt(min(number, _LARGEST_TABLE)) + 1)
    )


def _warmup(at: Spot, warmup: WarmupConfiguration) -> None:
    if warmup.duration is None:
        (at / "duration").error("required: how long an endpoint warms up")
    checks.duration(at / "duration", warmup.duration)
    if warmup.minimum_percent is not None:
        checks.percent(at / "minimumPercent", warmup.minimum_percent)
    if warmup.aggression is not None and warmup.aggression < 1:
        (at / "aggression").error(f"{warmup.aggression:g} is too low: write 1 or more")


def _locality(at: Spot, lb: LocalityLoadBalancerSetting, outlier: OutlierDetection | None) -> None:
    given = {"distribute": bool(lb.distribute), "failover": bool(lb.failover)}
    checks.one_of(at, **given)
    checks.one_of(at, distribute=given["distribute"], failoverPriority=bool(lb.failover_priority))
    if (lb.failover or lb.failover_priority) and outlier is None:
        at.error("failover needs outlierDetection: without it no endpoint counts as failed")
    _distribute(at, lb)
    for spot, rule in at.each("failover", lb.failover):
        if not rule.from_ or not rule.to:
            spot.error("from and to are required")
        elif rule.from_ == rule.to:
            spot.error(f"from and to are both {rule.to!r}: fail over to another region")
        for name, region in (("from", rule.from_), ("to", rule.to)):
            if "/" in region or "*" in region:
                (spot / name).error(f"{region!r} is no region: write it without zone and without *")


def _distribute(at: Spot, lb: LocalityLoadBalancerSetting) -> None:
    origins = [(spot / "from", rule.from_) for spot, rule in at.each("distribute", lb.distribute)]
    for index, (spot, origin) in enumerate(origins):
        for _, other in origins[:index]:
            if _covers(origin, other) or _covers(other, origin):
                spot.error(f"{origin!r} and {other!r} overlap: keep one")
    for spot, rule in at.each("distribute", lb.distribute):
        places = [(spot / "from", rule.from_), *((spot / "to" / place, place) for place in rule.to)]
        for where, place in places:
            _place(where, place)
        for where, place, share in spot.entries("to", rule.to):
            if not 0 < share <= _WHOLE:
                where.error(f"the share of {place} must be between 1 and {_WHOLE}")
        if sum(rule.to.values()) != _WHOLE:
            (spot / "to").error(f"the shares are {sum(rule.to.values())} in sum: they must be {_WHOLE}")


def _place(at: Spot, place: str) -> None:
    parts = place.split("/")
    if not all(parts) or len(parts) > 3:  # noqa: PLR2004 (region, zone, sub-zone)
        at.error(f"{place!r} is no locality: write region/zone/subzone")
    elif any("*" in part for part in parts[:-1]) or ("*" in parts[-1] and parts[-1] != "*"):
        at.error(f"{place!r}: * stands only for the whole last part")


def _covers(pattern: str, place: str) -> bool:
    return place.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == place
