"""The checks by their names, and which of their findings Istio's codes say too."""

from collections.abc import Mapping, Sequence

from proxy.analyze.context import Analyzer
from proxy.analyze.kiali import (
    authorization,
    destination_rule,
    exports,
    gateway,
    mutual_tls,
    selectors,
    service,
    service_entry,
    sidecar,
    virtual_service,
)
from proxy.analyze.messages import Message

CHECKERS: Mapping[str, Analyzer] = {
    "kiali.authorization.Coverage": authorization.coverage,
    "kiali.authorization.Operations": authorization.operations,
    "kiali.authorization.Sources": authorization.sources,
    "kiali.destinationrule.Hosts": destination_rule.hosts,
    "kiali.destinationrule.Repeated": destination_rule.repeated,
    "kiali.destinationrule.Subsets": destination_rule.subsets,
    "kiali.exports.Namespaces": exports.namespaces,
    "kiali.gateway.Repeated": gateway.repeated,
    "kiali.gateway.Workloads": gateway.workloads,
    "kiali.mutualtls.DisabledPeers": mutual_tls.disabled_peers,
    "kiali.mutualtls.DisabledRules": mutual_tls.disabled_rules,
    "kiali.mutualtls.Identities": mutual_tls.identities,
    "kiali.selectors.Repeated": selectors.repeated,
    "kiali.selectors.Workloads": selectors.workloads,
    "kiali.service.PortNames": service.port_names,
    "kiali.serviceentry.Repeated": service_entry.repeated,
    "kiali.sidecar.Defaults": sidecar.defaults,
    "kiali.sidecar.Egress": sidecar.egress,
    "kiali.sidecar.OutboundModes": sidecar.outbound_modes,
    "kiali.virtualservice.Gateways": virtual_service.gateways,
    "kiali.virtualservice.Hosts": virtual_service.hosts,
    "kiali.virtualservice.RepeatedDestinations": virtual_service.repeated_destinations,
    "kiali.virtualservice.RepeatedHosts": virtual_service.repeated_hosts,
    "kiali.virtualservice.Subsets": virtual_service.subsets,
    "kiali.virtualservice.Weights": virtual_service.weights,
}

SAME: Mapping[str, frozenset[str]] = {
    "KIA0002": frozenset({"IST0111"}),
    "KIA0003": frozenset({"IST0110"}),
    "KIA0004": frozenset({"IST0101", "IST0127"}),
    "KIA0101": frozenset({"IST0101"}),
    "KIA0202": frozenset({"IST0174"}),
    "KIA0203": frozenset({"IST0173"}),
    "KIA0301": frozenset({"IST0145"}),
    "KIA0302": frozenset({"IST0101"}),
    "KIA0601": frozenset({"IST0118", "IST0150"}),
    "KIA1101": frozenset({"IST0101"}),
    "KIA1102": frozenset({"IST0101"}),
    "KIA1106": frozenset({"IST0109"}),
    "KIA1107": frozenset({"IST0101"}),
    "KIA1108": frozenset({"IST0133"}),
    "KIA1212": frozenset({"IST0177"}),
}
"""Codes of Istio that say what a code of Kiali says, if they are about the same field of the same object."""


def without_repeats(found: Sequence[Message]) -> list[Message]:
    """Messages without those of Kiali that one of Istio's says too: Istio's stays, whatever its level."""
    said: dict[object, list[Message]] = {}
    for m in found:
        said.setdefault(m.key, []).append(m)
    return [
        m
        for m in found
        if not any(x.code in SAME.get(m.code, ()) and _meet(x.path, m.path) for x in said[m.key])
    ]


def _meet(one: str, two: str) -> bool:
    """Whether one field is the other or lies in it."""
    outer, inner = sorted((one, two), key=len)
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))
