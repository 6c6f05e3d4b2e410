"""WasmPlugin and EnvoyFilter: read so that files which have them are judged, without effect on any proxy."""

from typing import Any, Literal

from pydantic import Field

from proxy.api.base import LabelSelector, Model, PolicyTargetReference, PortSelector, WorkloadSelector


class TrafficSelector(Model):
    """Which traffic."""

    mode: Literal["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"] = "UNDEFINED"
    ports: tuple[PortSelector, ...] = ()


class EnvVar(Model):
    """An environment variable of the module."""

    name: str = ""
    value_from: Literal["INLINE", "HOST"] = "INLINE"
    value: str = ""


class VmConfig(Model):
    """Of the module's machine."""

    env: tuple[EnvVar, ...] = ()


class WasmPlugin(Model):
    """Spec of a WasmPlugin."""

    selector: LabelSelector | None = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    url: str = ""
    sha256: str = ""
    image_pull_policy: Literal["UNSPECIFIED_POLICY", "IfNotPresent", "Always"] = "UNSPECIFIED_POLICY"
    image_pull_secret: str = ""
    verification_key: str = ""
    plugin_config: dict[str, Any] = Field(default_factory=dict)
    plugin_name: str = ""
    phase: Literal["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"] = "UNSPECIFIED_PHASE"
    priority: int | None = None
    fail_strategy: Literal["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"] = "FAIL_CLOSE"
    vm_config: VmConfig | None = None
    match: tuple[TrafficSelector, ...] = ()
    type: Literal["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"] = "UNSPECIFIED_PLUGIN_TYPE"


class EnvoyConfigObjectMatch(Model):
    """Where a patch applies."""

    context: Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"] = "ANY"
    proxy: dict[str, Any] = Field(default_factory=dict)
    listener: dict[str, Any] | None = None
    route_configuration: dict[str, Any] | None = None
    cluster: dict[str, Any] | None = None
    waypoint: dict[str, Any] | None = None


class Patch(Model):
    """What a patch does."""

    operation: Literal[
        "INVALID",
        "MERGE",
        "ADD",
        "REMOVE",
        "INSERT_BEFORE",
        "INSERT_AFTER",
        "INSERT_FIRST",
        "REPLACE",
        "MERGE_AND_REPLACE_LIST",
    ] = "INVALID"
    value: dict[str, Any] | None = None
    filter_class: Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"] = "UNSPECIFIED"


class EnvoyConfigObjectPatch(Model):
    """One patch."""

    apply_to: str = "INVALID"
    match: EnvoyConfigObjectMatch | None = None
    patch: Patch | None = None


class EnvoyFilter(Model):
    """Spec of an EnvoyFilter."""

    workload_selector: WorkloadSelector | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    config_patches: tuple[EnvoyConfigObjectPatch, ...] = ()
    priority: int = 0
