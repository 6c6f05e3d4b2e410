"""Annotations with Istio's names: unknown, at the wrong kind, old, or with a value that cannot be read."""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network

from proxy.analyze.context import Context
from proxy.analyze.messages import Message, message
from proxy.api.base import Model
from proxy.api.kubernetes import Deployment
from proxy.config.objects import ConfigObject, Path

_KINDS = ("Namespace", "Service", "Pod", "Deployment")
# They mean something everywhere, or are written by controllers.
_ANY = (
    "galley.istio.io/analyze-suppress",
    "gateway.istio.io/controller-version",
    "install.operator.istio.io/chart-owner",
    "install.operator.istio.io/owner-generation",
    "install.operator.istio.io/version",
    "istio.io/dry-run",
    "istio.io/rev",
)
_PLACES = {
    "kubernetes.io/ingress.class": "Ingress",
    "networking.istio.io/exportTo": "Service",
    "networking.istio.io/traffic-distribution": "Service",
    "traffic.istio.io/nodeSelector": "Service",
    "alpha.istio.io/canonical-serviceaccounts": "Service",
    "alpha.istio.io/kubernetes-serviceaccounts": "Service",
    "topology.istio.io/controlPlaneClusters": "Namespace",
    "istio.io/autoRegistrationGroup": "WorkloadEntry",
    "istio.io/connectedAt": "WorkloadEntry",
    "istio.io/disconnectedAt": "WorkloadEntry",
    "istio.io/workloadController": "WorkloadEntry",
}
_OF_PODS = {
    "ambient.istio.io": "bypass-inbound-capture dns-capture redirection",
    "alpha.istio.io": "identity",
    "inject.istio.io": "templates",
    "istio.io": "reroute-virtual-interfaces",
    "prometheus.istio.io": "merge-metrics",
    "proxy.istio.io": "config overrides",
    "sidecar.istio.io": (
        "agentLogLevel bootstrapOverride componentLogLevel controlPlaneAuthPolicy discoveryAddress "
        "enableCoreDump extraStatTags inject interceptionMode logLevel nativeSidecar proxyCPU proxyCPULimit "
        "proxyImage proxyImageType proxyMemory proxyMemoryLimit rewriteAppHTTPProbers statsCompression "
        "statsEvictionInterval statsFlushInterval statsHistogramBuckets statsInclusionPrefixes "
        "statsInclusionRegexps statsInclusionSuffixes status userVolume userVolumeMount"
    ),
    "status.sidecar.istio.io": "port",
    "readiness.status.sidecar.istio.io": (
        "applicationPorts failureThreshold initialDelaySeconds periodSeconds"
    ),
    "traffic.sidecar.istio.io": (
        "excludeInboundPorts excludeInterfaces excludeOutboundIPRanges excludeOutboundPorts "
        "includeInboundPorts includeOutboundIPRanges includeOutboundPorts kubevirtInterfaces"
    ),
}
_PLACES |= {f"{prefix}/{name}": "Pod" for prefix, names in _OF_PODS.items() for name in names.split()}
_OLD = {
    "alpha.istio.io/canonical-serviceaccounts": "",
    "alpha.istio.io/identity": "",
    "alpha.istio.io/kubernetes-serviceaccounts": "",
    "sidecar.istio.io/controlPlaneAuthPolicy": "",
    "sidecar.istio.io/discoveryAddress": "; use proxy.istio.io/config",
    "sidecar.istio.io/statsInclusionPrefixes": "; use proxy.istio.io/config",
    "sidecar.istio.io/statsInclusionRegexps": "; use proxy.istio.io/config",
    "sidecar.istio.io/statsInclusionSuffixes": "; use proxy.istio.io/config",
}


def annotations(context: Context) -> Iterator[Message]:
    """Those of namespaces, services, pods, and Deployments and their pods."""
    at: Path = ("metadata", "annotations")
    for o in context.objects.by_key.values():
        if o.kind.name in _KINDS:
            yield from _judged(o, o.annotations, o.kind.name, at)
    for deployment in context.objects.all(Deployment):
        template = deployment.spec.template.metadata.annotations
        yield from _judged(deployment, template, "Pod", ("spec", "template", *at))


def _judged(o: ConfigObject[Model], given: Mapping[str, str], kind: str, path: Path) -> Iterator[Message]:
    for name, value in given.items():
        where = (*path, name)
        if name in _ANY or ("istio.io/" not in name and name not in _PLACES):
            continue
        if name not in _PLACES:
            yield message("UnknownAnnotation", o, where, name)
            continue
        if name in _OLD:
            yield message("DeprecatedAnnotation", o, where, name, _OLD[name])
        if _PLACES[name] != kind:
            yield message("MisplacedAnnotation", o, where, name, _PLACES[name])
        elif fault := _fault(name, value):
            yield message("InvalidAnnotation", o, where, name, fault)


def _fault(name: str, value: str) -> str:
    check, wanted = _VALUES.get(name, (str, ""))
    try:
        check(value)
    except ValueError:
        return f"{value!r} is not {wanted}"
    return ""


def _boolean(text: str) -> None:
    if text.lower() not in ("true", "false", "1", "0", "t", "f"):
        raise ValueError(text)


def _mode(text: str) -> None:
    if text not in ("REDIRECT", "TPROXY", "NONE"):
        raise ValueError(text)


def _ports(text: str) -> None:
    for part in () if text in ("", "*") else text.split(","):
        if not 0 <= int(part) <= 0xFFFF:  # noqa: PLR2004 (the highest port)
            raise ValueError(part)


def _ranges(text: str) -> None:
    for part in () if text in ("", "*") else text.split(","):
        ip_network(part.strip(), strict=False)


_PORTS = (_ports, "ports, parted by commas")
_RANGES = (_ranges, "ranges of addresses like 10.0.0.0/8, parted by commas")
_NUMBER = (int, "a whole number")
_BOOLEAN = (_boolean, "true or false")
_VALUES: Mapping[str, tuple[Callable[[str], object], str]] = {
    "readiness.status.sidecar.istio.io/applicationPorts": _PORTS,
    "readiness.status.sidecar.istio.io/failureThreshold": _NUMBER,
    "readiness.status.sidecar.istio.io/initialDelaySeconds": _NUMBER,
    "readiness.status.sidecar.istio.io/periodSeconds": _NUMBER,
    "sidecar.istio.io/enableCoreDump": _BOOLEAN,
    "sidecar.istio.io/inject": _BOOLEAN,
    "sidecar.istio.io/interceptionMode": (_mode, "REDIRECT, TPROXY or NONE"),
    "sidecar.istio.io/rewriteAppHTTPProbers": _BOOLEAN,
    "status.sidecar.istio.io/port": (_ports, "a port"),
    "traffic.sidecar.istio.io/excludeInboundPorts": _PORTS,
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": _RANGES,
    "traffic.sidecar.istio.io/excludeOutboundPorts": _PORTS,
    "traffic.sidecar.istio.io/includeInboundPorts": _PORTS,
    "traffic.sidecar.istio.io/includeOutboundIPRanges": _RANGES,
    "traffic.sidecar.istio.io/includeOutboundPorts": _PORTS,
}
