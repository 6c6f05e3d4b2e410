"""PeerAuthentication, RequestAuthentication, AuthorizationPolicy (security.istio.io)."""

from typing import Literal

from pydantic import Field

from proxy.api.base import Duration, LabelSelector, Model, PolicyTargetReference

MtlsMode = Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]


class MutualTLS(Model):
    """Mode of mutual TLS."""

    mode: MtlsMode = "UNSET"


class PeerAuthentication(Model):
    """Spec of a PeerAuthentication."""

    selector: LabelSelector | None = None
    mtls: MutualTLS | None = None
    port_level_mtls: dict[int, MutualTLS] = Field(default_factory=dict)


class JWTHeader(Model):
    """A header that carries a token."""

    name: str = ""
    prefix: str = ""


class ClaimToHeader(Model):
    """A claim that is passed on as a header."""

    header: str = ""
    claim: str = ""


class JWTRule(Model):
    """One issuer of tokens."""

    issuer: str = ""
    audiences: tuple[str, ...] = ()
    jwks_uri: str = ""
    jwks: str = ""
    from_headers: tuple[JWTHeader, ...] = ()
    from_params: tuple[str, ...] = ()
    from_cookies: tuple[str, ...] = ()
    output_payload_to_header: str = ""
    output_claim_to_headers: tuple[ClaimToHeader, ...] = ()
    forward_original_token: bool = False
    timeout: Duration | None = None
    space_delimited_claims: tuple[str, ...] = ()
    presence: Literal["UNSPECIFIED", "OPTIONAL", "REQUIRED"] = "UNSPECIFIED"


class RequestAuthentication(Model):
    """Spec of a RequestAuthentication."""

    selector: LabelSelector | None = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    jwt_rules: tuple[JWTRule, ...] = ()


class Source(Model):
    """Who sends; all fields given must hold."""

    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    request_principals: tuple[str, ...] = ()
    not_request_principals: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    ip_blocks: tuple[str, ...] = ()
    not_ip_blocks: tuple[str, ...] = ()
    remote_ip_blocks: tuple[str, ...] = ()
    not_remote_ip_blocks: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    not_service_accounts: tuple[str, ...] = ()
    trust_domains: tuple[str, ...] = ()
    not_trust_domains: tuple[str, ...] = ()


class From(Model):
    """Holds a source."""

    source: Source | None = None


class Operation(Model):
    """What is asked for; all fields given must hold."""

    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    not_ports: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()


class To(Model):
    """Holds an operation."""

    operation: Operation | None = None


class Condition(Model):
    """An attribute of the request and its values."""

    key: str = ""
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


class Rule(Model):
    """Any of ``from``, any of ``to`` and all of ``when``; absent ones hold always."""

    from_: tuple[From, ...] = Field(default=(), alias="from")
    to: tuple[To, ...] = ()
    when: tuple[Condition, ...] = ()


class ExtensionProvider(Model):
    """The external authorizer, by its name in the MeshConfig."""

    name: str = ""


class AuthorizationPolicy(Model):
    """Spec of an AuthorizationPolicy. No rules match nothing; a rule without fields matches all."""

    selector: LabelSelector | None = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    rules: tuple[Rule, ...] = ()
    action: Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"] = "ALLOW"
    provider: ExtensionProvider | None = None
