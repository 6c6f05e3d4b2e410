"""WasmPlugin, EnvoyFilter: judged as Istio does; they have no effect here."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from proxy.api.extension import EnvoyConfigObjectPatch, EnvoyFilter, EnvVar, WasmPlugin
from proxy.validate import checks, scope
from proxy.validate.spot import Spot

_SCHEMES = frozenset({"", "file", "http", "https", "oci"})
_DIGEST = re.compile(r"[a-f0-9]{64}")
_LONGEST = {"imagePullSecret": 253, "pluginName": 256}
_LONGEST_VARIABLE = 2048
_APPLY_TO = frozenset(
    "LISTENER FILTER_CHAIN NETWORK_FILTER HTTP_FILTER ROUTE_CONFIGURATION VIRTUAL_HOST HTTP_ROUTE CLUSTER "  # noqa: SIM905
    "EXTENSION_CONFIG BOOTSTRAP LISTENER_FILTER".split()
)
_MATCHES = ("listener", "route_configuration", "cluster", "waypoint")
_NO_EFFECT = "has no effect here: this mesh runs no {}"


def wasm_plugin(at: Spot, spec: WasmPlugin) -> None:
    """All rules of WasmPlugin."""
    scope.attachment(at, spec.selector, spec.target_ref, spec.target_refs)
    _url(at / "url", spec.url)
    if spec.sha256 and not _DIGEST.fullmatch(spec.sha256):
        (at / "sha256").error("must be 64 digits of 0-9 and a-f")
    for name, field, value in (
        ("imagePullSecret", "image_pull_secret", spec.image_pull_secret),
        ("pluginName", "plugin_name", spec.plugin_name),
    ):
        if field in spec.model_fields_set and not 0 < len(value) <= _LONGEST[name]:
            (at / name).error(f"must have 1 to {_LONGEST[name]} characters")
    if spec.vm_config is not None:
        spots = list((at / "vmConfig").each("env", spec.vm_config.env))
        for spot, variable in spots:
            _variable(spot, variable)
        checks.unique([(spot / "name", variable.name) for spot, variable in spots], "variable")
    for spot, match in at.each("match", spec.match):
        for where, port in spot.each("ports", match.ports):
            checks.port(where / "number", port.number)
    at.warn(_NO_EFFECT.format("WebAssembly modules"))


def _url(at: Spot, url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = bool(url) and parts.scheme in _SCHEMES and not re.search(r"%(?![0-9a-fA-F]{2})", url)
    except ValueError:
        sound = False
    if not sound:
        at.error(f"{url!r} is no URL: write one with http, https, oci or file")


def _variable(at: Spot, variable: EnvVar) -> None:
    if not variable.name:
        (at / "name").error("required: must not be empty")
    if variable.value_from == "HOST" and variable.value:
        (at / "value").error("can only be set with valueFrom INLINE")
    if len(variable.value) > _LONGEST_VARIABLE:
        (at / "value").error(f"must have at most {_LONGEST_VARIABLE} characters")


def envoy_filter(at: Spot, spec: EnvoyFilter) -> None:
    """All rules of EnvoyFilter."""
    scope.workload_selector(at / "workloadSelector", spec.workload_selector)
    checks.one_of(at, workloadSelector=spec.workload_selector is not None, targetRefs=bool(spec.target_refs))
    scope.targets(at, spec.target_refs)
    for spot, patch in at.each("configPatches", spec.config_patches):
        _patch(spot, patch)
    at.warn(_NO_EFFECT.format("patches of Envoy's configuration"))


def _patch(at: Spot, patch: EnvoyConfigObjectPatch) -> None:
    if patch.apply_to not in _APPLY_TO:
        known = ", ".join(sorted(_APPLY_TO))
        (at / "applyTo").error(f"{patch.apply_to!r} cannot be patched; known: {known}")
    if patch.patch is None or patch.patch.operation == "INVALID":
        (at / "patch" / "operation").error("required: what the patch does")
    elif patch.patch.operation != "REMOVE" and patch.patch.value is None:
        (at / "patch" / "value").error(f"required with operation {patch.patch.operation}")
    match = patch.match
    if match is None:
        return
    given = {name: value for name, value in match if name in _MATCHES and value is not None}
    checks.one_of(at / "match", **dict.fromkeys(given, True))
    others = [name for name in given if name != "waypoint"]
    if (match.context == "WAYPOINT" and others) or (match.context != "WAYPOINT" and "waypoint" in given):
        (at / "match").error("waypoint belongs to context WAYPOINT, and is the only match there")
    for name, value in given.items():
        if isinstance(value, Mapping):
            _port(at / "match" / name / "portNumber", value)


def _port(at: Spot, match: Mapping[str, object]) -> None:
    number = match.get("portNumber")
    if isinstance(number, int):
        checks.port(at, number)
