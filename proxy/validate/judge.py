"""All checks of one object."""

from proxy.api.base import Model
from proxy.api.destination_rule import DestinationRule
from proxy.api.extension import EnvoyFilter, WasmPlugin
from proxy.api.gateway import Gateway
from proxy.api.kubernetes import ConfigMap
from proxy.api.security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from proxy.api.service_entry import ServiceEntry, WorkloadEntry, WorkloadGroup
from proxy.api.sidecar import ProxyConfig, Sidecar
from proxy.api.telemetry import Telemetry
from proxy.api.virtual_service import VirtualService
from proxy.config.mesh_config import FIELD, PLACE, read_mesh_config
from proxy.config.objects import ConfigObject
from proxy.config.parse import Problem
from proxy.validate.authentication import peer_authentication, request_authentication
from proxy.validate.authorization import authorization_policy, dry_run
from proxy.validate.checks import is_label
from proxy.validate.destination_rule import destination_rule
from proxy.validate.extension import envoy_filter, wasm_plugin
from proxy.validate.gateway import gateway
from proxy.validate.schema import schema
from proxy.validate.service_entry import service_entry
from proxy.validate.sidecar import proxy_config, sidecar
from proxy.validate.spot import Spot
from proxy.validate.telemetry import telemetry
from proxy.validate.virtual_service import virtual_service
from proxy.validate.workload import workload_entry, workload_group
from vigla.errors import BadInput

_SPEC_REQUIRED = (ServiceEntry, WorkloadEntry, WorkloadGroup, WasmPlugin)


def validate(obj: ConfigObject[Model]) -> list[Problem]:
    """What is wrong (errors) or doubtful (warnings) about an object; empty: it is fine."""
    spot = Spot(obj)
    if obj.key == PLACE and isinstance(obj.spec, ConfigMap):
        _mesh_config(spot / "data" / FIELD, obj.spec)
        return spot.found
    if not obj.kind.group.endswith(".istio.io"):
        return []
    spec = obj.spec
    if isinstance(spec, _SPEC_REQUIRED) and "spec" not in obj.document:
        (spot / "spec").error("required")
        return spot.found
    schema(spot / "spec", type(spec), obj.document)
    if spot.found:
        return spot.found
    _metadata(spot)
    _spec(spot / "spec", spec)
    return spot.found


def _mesh_config(at: Spot, spec: ConfigMap) -> None:
    try:
        read_mesh_config(spec.data.get(FIELD, ""))
    except BadInput as error:
        at.error(str(error))


def _metadata(at: Spot) -> None:
    dry_run(at, at.obj.annotations, at.obj.spec)
    if isinstance(at.obj.spec, Gateway) and not is_label(at.obj.name):
        (at / "metadata" / "name").error(
            f"{at.obj.name!r} is no gateway name: use letters, digits and inner dashes"
        )


def _spec(at: Spot, spec: Model) -> None:  # noqa: C901, PLR0912 (one case a kind)
    match spec:
        case VirtualService():
            virtual_service(at, spec)
        case DestinationRule():
            destination_rule(at, spec)
        case Gateway():
            gateway(at, spec)
        case ServiceEntry():
            service_entry(at, spec)
        case WorkloadEntry():
            workload_entry(at, spec)
        case WorkloadGroup():
            workload_group(at, spec)
        case Sidecar():
            sidecar(at, spec)
        case ProxyConfig():
            proxy_config(at, spec)
        case PeerAuthentication():
            peer_authentication(at, spec)
        case RequestAuthentication():
            request_authentication(at, spec)
        case AuthorizationPolicy():
            authorization_policy(at, spec)
        case Telemetry():
            telemetry(at, spec)
        case WasmPlugin():
            wasm_plugin(at, spec)
        case EnvoyFilter():
            envoy_filter(at, spec)
