"""Configurations for the codes about VirtualServices and DestinationRules."""

from tests.proxy.analyze.documents import (
    DR,
    FILTER,
    MESH_POD,
    TO,
    VS,
    Case,
    entry,
    join,
    patch,
    route,
    rule,
    scoped,
    service,
)

_DEPRECATED = [
    Case(
        "whole percents of delays",
        "deprecation.FieldAnalyzer",
        route(f"{{hosts: [a], http: [{{{TO}, fault: {{delay: {{percent: 5, fixedDelay: 1s}}}}}}]}}"),
        (("IST0002", VS, "spec.http[0].fault.delay.percent"),),
    ),
    Case(
        "percentages of delays",
        "deprecation.FieldAnalyzer",
        route(
            f"{{hosts: [a], http: [{{{TO}, "
            "fault: {delay: {percentage: {value: 5}, fixedDelay: 1s}}}]}"
        ),
    ),
    Case(
        "a provider of Lightstep",
        "telemetry.LightstepAnalyzer",
        scoped("Telemetry", "it", "tracing: [{providers: [{name: old}]}]"),
        (("IST0002", "Telemetry default/it", "spec.tracing[0].providers"),),
        "extensionProviders: [{name: old, lightstep: {service: a, port: 1}}]",
    ),
    Case(
        "a provider of OpenTelemetry",
        "telemetry.LightstepAnalyzer",
        scoped("Telemetry", "it", "tracing: [{providers: [{name: old}]}]"),
        mesh="extensionProviders: [{name: old, opentelemetry: {service: a, port: 1}}]",
    ),
]

_ROUTES = [
    Case(
        "a host that is not there",
        "virtualservice.DestinationHostAnalyzer",
        route(f"{{hosts: [a], http: [{{{TO}}}]}}"),
        (("IST0101", VS, "spec.http[0].route[0].destination.host"),),
    ),
    Case(
        "a host that is there",
        "virtualservice.DestinationHostAnalyzer",
        join(route(f"{{hosts: [a], http: [{{{TO}}}]}}"), service()),
    ),
    Case(
        "a mirror to a port that is not there",
        "virtualservice.DestinationHostAnalyzer",
        join(
            route(f"{{hosts: [a], http: [{{{TO}, mirror: {{host: reviews, port: {{number: 81}}}}}}]}}"),
            service(),
        ),
        (("IST0101", VS, "spec.http[0].mirror.port"),),
    ),
    Case(
        "several ports",
        "virtualservice.DestinationHostAnalyzer",
        join(
            route(f"{{hosts: [a], http: [{{{TO}}}]}}"),
            service(ports="{name: http, port: 80}, {name: grpc, port: 81}"),
        ),
        (("IST0112", VS, "spec.http[0].route[0].destination"),),
    ),
    Case(
        "one of several ports",
        "virtualservice.DestinationHostAnalyzer",
        join(
            route("{hosts: [a], http: [{route: [{destination: {host: reviews, port: {number: 81}}}]}]}"),
            service(ports="{name: http, port: 80}, {name: grpc, port: 81}"),
        ),
    ),
    Case(
        "a subset that is not there",
        "virtualservice.DestinationRuleAnalyzer",
        join(
            route("{hosts: [a], http: [{route: [{destination: {host: reviews, subset: v2}}]}]}"),
            rule("{host: reviews, subsets: [{name: v1, labels: {v: '1'}}]}"),
        ),
        (("IST0101", VS, "spec.http[0].route[0].destination.subset"),),
    ),
    Case(
        "a subset by the full name",
        "virtualservice.DestinationRuleAnalyzer",
        join(
            route("{hosts: [a], tcp: [{route: [{destination: {host: reviews, subset: v1}}]}]}"),
            rule("{host: reviews.default.svc.cluster.local, subsets: [{name: v1, labels: {v: '1'}}]}"),
        ),
    ),
    Case(
        "a subset of another namespace",
        "virtualservice.DestinationRuleAnalyzer",
        join(
            route(
                "{hosts: [a], http: [{route: [{destination: "
                "{host: reviews.default.svc.cluster.local, subset: v1}}]}]}",
                namespace="web",
            ),
            rule("{host: reviews, exportTo: ['.'], subsets: [{name: v1, labels: {v: '1'}}]}"),
        ),
        (("IST0101", "VirtualService web/it", "spec.http[0].route[0].destination.subset"),),
    ),
    Case(
        "a host of two VirtualServices",
        "virtualservice.ConflictingMeshGatewayHostsAnalyzer",
        join(
            route(f"{{hosts: [a], http: [{{{TO}}}]}}"),
            route(f"{{hosts: [a.default.svc.cluster.local], http: [{{{TO}}}]}}", "two"),
        ),
        (("IST0109", VS, "spec.hosts"), ("IST0109", "VirtualService default/two", "spec.hosts")),
    ),
    Case(
        "a host of two namespaces",
        "virtualservice.ConflictingMeshGatewayHostsAnalyzer",
        join(
            route(f"{{hosts: [a.com], exportTo: ['.'], http: [{{{TO}}}]}}"),
            route(f"{{hosts: [a.com], exportTo: ['.'], http: [{{{TO}}}]}}", namespace="web"),
        ),
    ),
    Case(
        "subsets only in the mesh",
        "virtualservice.DestinationHostAnalyzer",
        join(
            service(),
            route(f"{{hosts: [a.com], gateways: [edge], http: [{{{TO}}}]}}"),
            route(
                "{hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}", "in-mesh"
            ),
        ),
        (("IST0140", VS, "spec.http[0].route[0].destination"),),
    ),
    Case(
        "subsets in the mesh and at the gateway",
        "virtualservice.DestinationHostAnalyzer",
        join(
            service(),
            route(
                "{hosts: [a.com], gateways: [edge], "
                "http: [{route: [{destination: {host: reviews, subset: v1}}]}]}"
            ),
            route(
                "{hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}", "in-mesh"
            ),
        ),
    ),
]

_REACHED = [
    Case(
        "a rule behind a catch-all",
        "schema.ValidationAnalyzer.VirtualService",
        route(f"{{hosts: [a], http: [{{{TO}}}, {{{TO}, match: [{{uri: {{prefix: /a}}}}]}}]}}"),
        (("IST0130", VS, "spec.http[1]"),),
    ),
    Case(
        "a catch-all at the end",
        "schema.ValidationAnalyzer.VirtualService",
        route(f"{{hosts: [a], http: [{{{TO}, match: [{{uri: {{prefix: /a}}}}]}}, {{{TO}}}]}}"),
    ),
    Case(
        "a prefix behind a wider one",
        "schema.ValidationAnalyzer.VirtualService",
        route(
            f"{{hosts: [a], http: [{{{TO}, match: [{{uri: {{prefix: /a}}, headers: {{x: {{exact: '1'}}}}}}, "
            "{uri: {prefix: /a/b}, headers: {x: {exact: '1'}, y: {}}, method: {exact: GET}}]}]}"
        ),
        (("IST0131", VS, "spec.http[0].match[1]"),),
    ),
    Case(
        "a prefix behind a wider one that asks for more",
        "schema.ValidationAnalyzer.VirtualService",
        route(
            f"{{hosts: [a], http: [{{{TO}, match: [{{uri: {{prefix: /a}}, headers: {{x: {{exact: '1'}}}}}}, "
            "{uri: {prefix: /a/b}, headers: {x: {exact: '2'}}}]}]}"
        ),
    ),
    Case(
        "no route",
        "schema.ValidationAnalyzer.VirtualService",
        route("{hosts: [a], http: [{}]}"),
        (("IST0106", VS, "spec.http[0]"),),
    ),
    Case(
        "an EnvoyFilter, which has no effect here",
        "schema.ValidationAnalyzer.EnvoyFilter",
        patch("applyTo: CLUSTER, patch: {operation: MERGE, value: {}}"),
        (("IST0133", FILTER, "spec"),),
    ),
]

_RULES = [
    Case(
        "TLS without authorities",
        "destinationrule.CaCertificateAnalyzer",
        rule(
            "{host: a.com, trafficPolicy: {tls: {mode: SIMPLE}, "
            "portLevelSettings: [{port: {number: 1}, tls: {mode: MUTUAL}}]}}"
        ),
        (
            ("IST0128", DR, "spec.trafficPolicy.tls"),
            ("IST0129", DR, "spec.trafficPolicy.portLevelSettings[0].tls"),
        ),
    ),
    Case(
        "TLS with authorities",
        "destinationrule.CaCertificateAnalyzer",
        rule(
            "{host: a.com, trafficPolicy: {tls: {mode: SIMPLE, caCertificates: /a}, "
            "portLevelSettings: [{port: {number: 1}, tls: {mode: ISTIO_MUTUAL}}]}}"
        ),
    ),
    Case(
        "a subset of no pods",
        "destinationrule.PodNotSelectedAnalyzer",
        join(service(), MESH_POD, rule("{host: reviews, subsets: [{name: v1, labels: {version: v1}}]}")),
        (("IST0173", DR, "spec.subsets[0]"),),
    ),
    Case(
        "subsets of pods and of their nodes",
        "destinationrule.PodNotSelectedAnalyzer",
        join(
            service(),
            MESH_POD,
            rule(
                "{host: reviews, subsets: [{name: all, labels: {}}, "
                "{name: west, labels: {topology.kubernetes.io/region: west}}]}"
            ),
        ),
    ),
    Case(
        "a rule for nothing",
        "destinationrule.PodNotSelectedAnalyzer",
        rule("{host: a.com}"),
        (("IST0174", DR, "spec.host"),),
    ),
    Case(
        "a rule for a ServiceEntry's host",
        "destinationrule.PodNotSelectedAnalyzer",
        join(rule("{host: b.a.com}"), entry("{hosts: ['*.a.com'], ports: [{number: 80, name: http}]}")),
    ),
]

CASES = (*_DEPRECATED, *_ROUTES, *_REACHED, *_RULES)
