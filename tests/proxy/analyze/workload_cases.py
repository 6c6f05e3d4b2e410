"""Configurations for the codes about Sidecars, Telemetries, services and what runs."""

from tests.proxy.analyze.documents import (
    APP,
    DEPLOYMENT,
    MESH_POD,
    SE,
    SIDECAR_A,
    SIDECAR_B,
    TELEMETRY_APP,
    Case,
    deployment,
    entry,
    join,
    scoped,
    service,
)

_SELECTORS = [
    Case(
        "Sidecars of nothing",
        "sidecar.SelectorAnalyzer",
        scoped("Sidecar", "a", APP),
        (("IST0101", SIDECAR_A, "spec.workloadSelector.labels"),),
    ),
    Case(
        "Sidecars of one pod",
        "sidecar.SelectorAnalyzer",
        join(scoped("Sidecar", "a", APP), scoped("Sidecar", "b", APP), MESH_POD),
        (
            ("IST0110", SIDECAR_A, "spec.workloadSelector.labels"),
            ("IST0110", SIDECAR_B, "spec.workloadSelector.labels"),
        ),
    ),
    Case(
        "a Sidecar of a Deployment",
        "sidecar.SelectorAnalyzer",
        join(scoped("Sidecar", "a", APP), scoped("Sidecar", "b"), deployment()),
    ),
    Case(
        "Sidecars of a namespace",
        "sidecar.DefaultSelectorAnalyzer",
        join(scoped("Sidecar", "a"), scoped("Sidecar", "b")),
        (("IST0111", SIDECAR_A, "spec"), ("IST0111", SIDECAR_B, "spec")),
    ),
    Case(
        "one Sidecar of a namespace",
        "sidecar.DefaultSelectorAnalyzer",
        join(scoped("Sidecar", "a"), scoped("Sidecar", "b", APP), MESH_POD),
    ),
    Case(
        "Sidecars of ambient workloads",
        "sidecar.DefaultSelectorAnalyzer",
        join(
            "kind: Namespace\nmetadata: {name: default, labels: {istio.io/dataplane-mode: ambient}}",
            scoped("Sidecar", "a"),
            scoped("Sidecar", "b", APP),
            "kind: Pod\nmetadata: {name: p, labels: {app: reviews}, "
            "annotations: {ambient.istio.io/redirection: enabled}}",
        ),
        (("IST0167", SIDECAR_A, "spec"), ("IST0167", SIDECAR_B, "spec")),
    ),
    Case(
        "a Sidecar of an injected namespace",
        "sidecar.DefaultSelectorAnalyzer",
        join(
            "kind: Namespace\n"
            "metadata: {name: default, labels: {istio.io/dataplane-mode: ambient, istio-injection: enabled}}",
            scoped("Sidecar", "a"),
        ),
    ),
    Case(
        "Telemetries of one workload",
        "telemetry.SelectorAnalyzer",
        join(
            scoped("Telemetry", "a", TELEMETRY_APP),
            scoped("Telemetry", "b", TELEMETRY_APP),
            "kind: WorkloadEntry\nmetadata: {name: w}\nspec: {address: 10.0.0.1, labels: {app: reviews}}",
        ),
        (
            ("IST0159", "Telemetry default/a", "spec.selector.matchLabels"),
            ("IST0159", "Telemetry default/b", "spec.selector.matchLabels"),
        ),
    ),
    Case(
        "one Telemetry of a pod",
        "telemetry.SelectorAnalyzer",
        join(scoped("Telemetry", "a", TELEMETRY_APP), scoped("Telemetry", "b"), MESH_POD),
    ),
    Case(
        "Telemetries of a namespace",
        "telemetry.DefaultSelectorAnalyzer",
        join(scoped("Telemetry", "a"), scoped("Telemetry", "b")),
        (("IST0160", "Telemetry default/a", "spec"), ("IST0160", "Telemetry default/b", "spec")),
    ),
    Case(
        "one Telemetry of a namespace",
        "telemetry.DefaultSelectorAnalyzer",
        join(scoped("Telemetry", "a"), scoped("Telemetry", "b", TELEMETRY_APP)),
    ),
    Case(
        "logs without a provider",
        "telemetry.ProviderAnalyzer",
        scoped(
            "Telemetry", "it", "accessLogging: [{providers: [{name: envoy}]}, {filter: {expression: 'true'}}]"
        ),
        (("IST0157", "Telemetry default/it", "spec.accessLogging[1]"),),
    ),
    Case(
        "logs that are off",
        "telemetry.ProviderAnalyzer",
        scoped("Telemetry", "it", "accessLogging: [{disabled: true}]"),
    ),
    Case(
        "logs to the default provider",
        "telemetry.ProviderAnalyzer",
        scoped("Telemetry", "it", "accessLogging: [{filter: {expression: 'true'}}]"),
        mesh="defaultProviders: {accessLogging: [envoy]}",
    ),
]

_SERVICES = [
    Case(
        "a port without protocol",
        "service.PortNameAnalyzer",
        service(ports="{name: web, port: 80}"),
        (("IST0118", "Service default/reviews", "spec.ports[0].name"),),
    ),
    Case(
        "ports with protocols",
        "service.PortNameAnalyzer",
        service(ports="{name: http-web, port: 80}, {name: web, port: 81, appProtocol: http}"),
    ),
    Case(
        "a TCP port of an external name",
        "service.PortNameAnalyzer",
        service(more=", type: ExternalName", ports="{name: tcp, port: 80}"),
        (("IST0150", "Service default/reviews", "spec.ports[0].name"),),
    ),
    Case(
        "an HTTP port of an external name", "service.PortNameAnalyzer", service(more=", type: ExternalName")
    ),
    Case(
        "a TCP port without addresses",
        "serviceentry.ProtocolAddressesAnalyzer",
        entry("{hosts: [a.com], ports: [{number: 1, name: tcp, protocol: TCP}]}"),
        (("IST0134", f"ServiceEntry {SE}", "spec.ports[0]"),),
    ),
    Case(
        "a TCP port with addresses",
        "serviceentry.ProtocolAddressesAnalyzer",
        entry("{hosts: [a.com], addresses: [1.2.3.4], ports: [{number: 1, name: tcp, protocol: TCP}]}"),
    ),
    Case(
        "a TCP port with addresses that a controller gave",
        "serviceentry.ProtocolAddressesAnalyzer",
        entry("{hosts: [a.com], ports: [{number: 1, name: tcp, protocol: TCP}]}")
        + "\nstatus: {addresses: [{host: a.com, value: 240.240.0.1}]}",
        mesh="defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: 'true'}}",
    ),
    Case(
        "a TCP port with addresses that proxies make",
        "serviceentry.ProtocolAddressesAnalyzer",
        entry("{hosts: [a.com], ports: [{number: 1, name: tcp, protocol: TCP}]}"),
        mesh="defaultConfig: {proxyMetadata: "
        "{ISTIO_META_DNS_CAPTURE: 'true', ISTIO_META_DNS_AUTO_ALLOCATE: 'true'}}",
    ),
    Case(
        "a port of two protocols",
        "serviceentry.ConflictingServiceEntryProtocolAnalyzer",
        join(
            entry("{hosts: [a.com], ports: [{number: 1, name: http, protocol: HTTP}]}"),
            entry("{hosts: [a.com], ports: [{number: 1, name: tls, protocol: TLS}]}", "two"),
        ),
        (
            ("IST0177", f"ServiceEntry {SE}", "spec.ports"),
            ("IST0177", "ServiceEntry default/two", "spec.ports"),
        ),
    ),
    Case(
        "a port of two protocols that nobody sees both of",
        "serviceentry.ConflictingServiceEntryProtocolAnalyzer",
        join(
            entry("{hosts: [a.com], exportTo: ['.'], ports: [{number: 1, name: http, protocol: HTTP}]}"),
            entry(
                "{hosts: [a.com], exportTo: ['.'], ports: [{number: 1, name: tls, protocol: TLS}]}",
                namespace="web",
            ),
        ),
    ),
    Case(
        "one port of two protocols",
        "deployment.ServiceAssociationAnalyzer",
        join(
            deployment(),
            service(),
            service("other", ports="{name: tcp, port: 80}"),
        ),
        (("IST0116", DEPLOYMENT, "spec.template"),),
    ),
    Case(
        "two ports for one",
        "deployment.ServiceAssociationAnalyzer",
        join(
            deployment(),
            service(),
            service("other", ports="{name: http, port: 81, targetPort: 80}"),
        ),
        (("IST0137", DEPLOYMENT, "spec.template"),),
    ),
    Case(
        "one port of TCP and UDP",
        "deployment.ServiceAssociationAnalyzer",
        join(deployment(), service(ports="{name: tcp, port: 53}, {name: dns, port: 53, protocol: UDP}")),
    ),
    Case(
        "two ports for one without sidecar",
        "deployment.ServiceAssociationAnalyzer",
        join(
            deployment("{metadata: {labels: {app: reviews, sidecar.istio.io/inject: 'false'}}}"),
            service(),
            service("other", ports="{name: http, port: 81, targetPort: 80}"),
        ),
    ),
    Case(
        "the sidecar's user",
        "deployment.ApplicationUIDAnalyzer",
        join(
            deployment("{spec: {containers: [{name: a, securityContext: {runAsUser: 1337}}]}}"),
            "kind: Pod\nmetadata: {name: p}\nspec: {securityContext: {runAsUser: 1337}}",
        ),
        (("IST0144", DEPLOYMENT, "spec.template.spec"), ("IST0144", "Pod default/p", "spec")),
    ),
    Case(
        "the sidecar",
        "deployment.ApplicationUIDAnalyzer",
        deployment("{spec: {containers: [{name: istio-proxy, securityContext: {runAsUser: 1337}}]}}"),
    ),
]

_INJECT = "{sidecar.istio.io/inject: 'true', kubernetes.io/psp: a, istio.io/rev: b}"
_ANNOTATIONS = [
    Case(
        "annotations that mean nothing",
        "annotations.K8sAnalyzer",
        join(
            "kind: Service\nmetadata: {name: a, annotations: {networking.istio.io/exportThree: b}}",
            "kind: Namespace\nmetadata: {name: a, annotations: {kubernetes.io/ingress.class: b}}",
            "kind: Pod\nmetadata: {name: a, annotations: {sidecar.istio.io/inject: b}}",
            deployment("{metadata: {annotations: {sidecar.istio.io/statsInclusionPrefixes: a}}}"),
        ),
        (
            ("IST0107", "Namespace a", "metadata.annotations.kubernetes.io/ingress.class"),
            ("IST0108", "Service default/a", "metadata.annotations.networking.istio.io/exportThree"),
            ("IST0125", "Pod default/a", "metadata.annotations.sidecar.istio.io/inject"),
            (
                "IST0135",
                DEPLOYMENT,
                "spec.template.metadata.annotations.sidecar.istio.io/statsInclusionPrefixes",
            ),
        ),
    ),
    Case(
        "annotations that mean something",
        "annotations.K8sAnalyzer",
        join(
            "kind: Service\nmetadata: {name: a, annotations: {networking.istio.io/exportTo: '*'}}",
            f"kind: Pod\nmetadata: {{name: a, annotations: {_INJECT}}}",
            deployment("{metadata: {annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: '1,2'}}}"),
        ),
    ),
]

CASES = (*_SELECTORS, *_SERVICES, *_ANNOTATIONS)
