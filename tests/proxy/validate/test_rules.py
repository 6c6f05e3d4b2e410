"""Rules of each kind: a good object passes, and each mistake is told at its field."""

import pytest

from proxy.config.parse import parse
from proxy.validate.judge import validate

GROUPS = {
    "VirtualService": "networking.istio.io/v1",
    "DestinationRule": "networking.istio.io/v1",
    "Gateway": "networking.istio.io/v1",
    "ServiceEntry": "networking.istio.io/v1",
    "Sidecar": "networking.istio.io/v1",
    "AuthorizationPolicy": "security.istio.io/v1",
    "RequestAuthentication": "security.istio.io/v1",
    "Telemetry": "telemetry.istio.io/v1",
}


def _found(kind: str, spec: str, severity: str, annotations: str = "{}") -> list[str]:
    text = (
        f"apiVersion: {GROUPS[kind]}\nkind: {kind}\n"
        f"metadata: {{name: it, annotations: {annotations}}}\nspec: {spec}\n"
    )
    parsed = parse(text)
    assert parsed.problems == ()
    return [p.field.removeprefix("spec.") for p in validate(parsed.objects[0]) if p.severity == severity]


TO = "route: [{destination: {host: reviews}}]"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (f"{{hosts: ['*'], http: [{{{TO}}}]}}", "hosts[0]"),
        (f"{{hosts: [a.com, '*.com'], http: [{{{TO}}}]}}", "hosts[1]"),
        (f"{{hosts: ['a.*'], http: [{{{TO}}}]}}", "hosts[0]"),
        ("{hosts: [a]}", "spec"),
        ("{hosts: [a], http: [{}]}", "http[0]"),
        (f"{{hosts: [a], http: [{{{TO}, redirect: {{uri: /x}}}}]}}", "http[0]"),
        (f"{{hosts: [a], gateways: [a/b/c], http: [{{{TO}}}]}}", "gateways[0]"),
        (f"{{gateways: [b], http: [{{{TO}}}]}}", "gateways"),
        (f"{{hosts: [a], http: [{{{TO}, timeout: 1us}}]}}", "http[0].timeout"),
        (f"{{hosts: [a], http: [{{{TO}, retries: {{attempts: 0, retryOn: 5xx}}}}]}}", "http[0].retries"),
        (
            f"{{hosts: [a], http: [{{{TO}, retries: {{attempts: 1, retryOn: 5x}}}}]}}",
            "http[0].retries.retryOn",
        ),
        (
            f"{{hosts: [a], http: [{{{TO}, match: [{{uri: {{regex: '(a'}}}}]}}]}}",
            "http[0].match[0].uri.regex",
        ),
        (
            f"{{hosts: [a], http: [{{{TO}, match: [{{uri: {{exact: a, prefix: b}}}}]}}]}}",
            "http[0].match[0].uri",
        ),
        (
            f"{{hosts: [a], http: [{{{TO}, match: [{{headers: {{'a b': {{exact: x}}}}}}]}}]}}",
            "http[0].match[0].headers.a b",
        ),
        (
            f"{{hosts: [a], http: [{{{TO}, fault: {{abort: {{httpStatus: 99}}}}}}]}}",
            "http[0].fault.abort.httpStatus",
        ),
        (
            f"{{hosts: [a], http: [{{{TO}, headers: {{request: {{set: {{x: 5%}}}}}}}}]}}",
            "http[0].headers.request.set.x",
        ),
        ("{hosts: [a], http: [{directResponse: {status: 700}}]}", "http[0].directResponse.status"),
        ("{hosts: [a], http: [{route: [{destination: {host: a}, weight: -1}]}]}", "http[0].route[0].weight"),
        (
            "{hosts: [a], http: [{route: [{destination: {host: a}}, {destination: {host: b}}]}]}",
            "http[0].route",
        ),
        (
            f"{{hosts: [a], http: [{{{TO}, mirrorPercentage: {{value: 101}}}}]}}",
            "http[0].mirrorPercentage.value",
        ),
        (f"{{hosts: [a], tls: [{{{TO}, match: [{{port: 443}}]}}]}}", "tls[0].match[0].sniHosts"),
        (f"{{hosts: [a], tls: [{{{TO}, match: [{{sniHosts: [b]}}]}}]}}", "tls[0].match[0].sniHosts[0]"),
        (
            f"{{hosts: [a], tcp: [{{{TO}, match: [{{destinationSubnets: [1.2.3/8]}}]}}]}}",
            "tcp[0].match[0].destinationSubnets[0]",
        ),
        (f"{{hosts: [a], exportTo: ['*', b], http: [{{{TO}}}]}}", "exportTo"),
        (f"{{hosts: [a], http: [{{{TO}, timeout: null}}]}}", "http[0].timeout"),
        (
            "{hosts: [a], http: [{route: [{destination: {host: a}, weight: '1'}]}]}",
            "http[0].route[0].weight",
        ),
    ],
)
def test_mistakes_in_a_virtual_service(spec: str, field: str):
    assert _found("VirtualService", spec, "error") == [field]


def test_a_whole_virtual_service_passes():
    spec = f"""
  hosts: [reviews, "*.example.com", 10.0.0.1]
  gateways: [mesh, ns/gate]
  http:
  - match: [{{uri: {{prefix: /a}}, headers: {{":method": {{exact: GET}}, x: {{regex: "*"}}, y-z: {{}}}}}}]
    {TO}
    timeout: 0s
    retries: {{attempts: 2, perTryTimeout: 1s, retryOn: "5xx,503"}}
    fault: {{delay: {{fixedDelay: 1s, percentage: {{value: 0.5}}}}}}
    corsPolicy: {{allowOrigins: [{{exact: a}}], allowMethods: [GET], maxAge: 1m}}
    headers: {{request: {{set: {{Host: a, x: "%HOSTNAME% 5%%"}}}}, response: {{remove: [server]}}}}
  - redirect: {{prefixRewrite: /b, redirectCode: 302}}
"""
    assert _found("VirtualService", spec, "error") == []
    assert _found("VirtualService", spec, "warning") == []


@pytest.mark.parametrize(
    ("http", "field"),
    [
        (f"[{{{TO}}}, {{{TO}, match: [{{port: 80}}]}}]", "http[1]"),
        (f"[{{{TO}, match: [{{port: 80}}, {{port: 80}}]}}]", "http[0].match[1]"),
        (
            f"[{{{TO}, match: [{{uri: {{prefix: /a}}}}]}}, {{{TO}, match: [{{uri: {{prefix: /ab}}}}]}}]",
            "http[1].match[0]",
        ),
        (f"[{{{TO}, websocketUpgrade: true}}]", "http[0].websocketUpgrade"),
    ],
)
def test_rules_without_effect_are_warnings(http: str, field: str):
    assert _found("VirtualService", f"{{hosts: [a], http: {http}}}", "warning") == [field]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("{}", "trafficPolicy"),
        (
            "{loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}}",
            "trafficPolicy.loadBalancer",
        ),
        (
            "{loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 10}}}}",
            "trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
        ),
        (
            "{outlierDetection: {maxEjectionPercent: 101}}",
            "trafficPolicy.outlierDetection.maxEjectionPercent",
        ),
        ("{connectionPool: {}}", "trafficPolicy.connectionPool"),
        ("{connectionPool: {tcp: {connectTimeout: 0s}}}", "trafficPolicy.connectionPool.tcp.connectTimeout"),
        ("{tls: {mode: MUTUAL, privateKey: k}}", "trafficPolicy.tls.clientCertificate"),
        ("{portLevelSettings: [{tls: {mode: SIMPLE}}]}", "trafficPolicy.portLevelSettings[0].port"),
        ("{tunnel: {targetHost: a, targetPort: 1}, proxyProtocol: {}}", "trafficPolicy"),
        (
            "{loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 99}}]}}}",
            "trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to",
        ),
    ],
)
def test_mistakes_in_a_traffic_policy(policy: str, field: str):
    assert _found("DestinationRule", f"{{host: a, trafficPolicy: {policy}}}", "error") == [field]


def test_subsets_need_different_names():
    spec = "{host: a, subsets: [{name: v1}, {name: v1}, {name: 'v 2'}]}"

    assert _found("DestinationRule", spec, "error") == ["subsets[2].name", "subsets[1].name"]


def test_a_destination_rule_selects_by_match_labels():
    spec = "{host: a, workloadSelector: {matchLabels: {app: a}}, exportTo: [b]}"

    assert _found("DestinationRule", spec, "error") == ["exportTo"]


@pytest.mark.parametrize(
    ("server", "fields"),
    [
        ("{hosts: [a], port: {number: 80, name: h, protocol: HTTP}}", []),
        (
            "{hosts: [n/a, 1.2.3.4], port: {number: 80, name: h, protocol: HTTP}, tls: {httpsRedirect: on}}",
            [],
        ),
        ("{hosts: [a], port: {number: 443, name: h, protocol: HTTPS}}", ["servers[0].tls"]),
        (
            "{hosts: [a], port: {number: 80, name: h, protocol: HTTP}, tls: {mode: ISTIO_MUTUAL}}",
            ["servers[0].tls"],
        ),
        (
            "{hosts: [a], port: {number: 443, name: h, protocol: HTTPS}, tls: {mode: MUTUAL}}",
            [
                "servers[0].tls.caCertificates",
                "servers[0].tls.serverCertificate",
                "servers[0].tls.privateKey",
            ],
        ),
        (
            "{hosts: [a], port: {number: 1, name: h, protocol: TLS}, tls: {mode: ISTIO_MUTUAL, caCrl: x}}",
            [],
        ),
        (
            "{hosts: [a], port: {number: 1, name: h, protocol: TLS}, tls: {privateKey: k, mode: SIMPLE}}",
            ["servers[0].tls.serverCertificate"],
        ),
        (
            "{hosts: [a],port: {name: h, number: 1, protocol: TLS},tls: {mode: ISTIO_MUTUAL, privateKey: k}}",
            ["servers[0].tls.privateKey"],
        ),
        ("{hosts: [a/b/c], port: {number: 0, name: '', protocol: X}}", None),
    ],
)
def test_servers_of_a_gateway(server: str, fields: list[str] | None):
    expected = fields or []
    if fields is None:
        part = "servers[0]"
        expected = [f"{part}.hosts[0]", f"{part}.port.protocol", f"{part}.port.number", f"{part}.port.name"]

    assert _found("Gateway", f"{{servers: [{server}]}}", "error") == expected


def test_an_endpoint_has_only_the_services_ports():
    spec = (
        "{hosts: [a.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],"
        " endpoints: [{address: 1.2.3.4, ports: {htp: 8080}}, {address: b.com}]}"
    )

    assert _found("ServiceEntry", spec, "error") == ["endpoints[0].ports.htp", "endpoints[1].address"]


def test_a_wildcard_cannot_be_resolved():
    spec = "{hosts: ['*.a.com'], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"

    assert _found("ServiceEntry", spec, "error") == ["resolution"]
    assert _found("ServiceEntry", spec.replace("DNS", "DYNAMIC_DNS"), "error") == []


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ("{egress: [{hosts: ['./*', 'istio-system/*']}]}", []),
        ("{}", ["spec"]),
        ("{egress: [{hosts: [a]}]}", ["egress[0].hosts[0]"]),
        ("{egress: [{hosts: ['*/*']}, {port: {number: 80}, hosts: ['*/*']}]}", ["egress[0]"]),
        (
            "{ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: '10.0.0.1:80'}]}",
            ["ingress[0].defaultEndpoint"],
        ),
        ("{outboundTrafficPolicy: {egressProxy: {host: a}}}", None),
    ],
)
def test_sidecars(spec: str, fields: list[str] | None):
    proxy = "outboundTrafficPolicy.egressProxy"

    assert _found("Sidecar", spec, "error") == ([proxy, f"{proxy}.port"] if fields is None else fields)


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ("{}", []),
        ("{rules: [{}]}", []),
        ("{action: DENY}", ["rules"]),
        ("{rules: [{from: []}]}", ["rules[0].from"]),
        ("{rules: [{from: [{source: {}}]}]}", ["rules[0].from[0].source"]),
        ("{rules: [{from: [{source: {ipBlocks: [1.2.3]}}]}]}", ["rules[0].from[0].source.ipBlocks[0]"]),
        ("{rules: [{to: [{operation: {ports: ['70000']}}]}]}", ["rules[0].to[0].operation.ports[0]"]),
        ("{rules: [{to: [{operation: {paths: ['/{*}.jpg']}}]}]}", ["rules[0].to[0].operation.paths[0]"]),
        ("{rules: [{when: [{key: source.ip}]}]}", ["rules[0].when[0]"]),
        ("{rules: [{when: [{key: source.mac, values: [a]}]}]}", ["rules[0].when[0].key"]),
        ("{rules: [{when: [{key: 'request.headers[a]', values: [b]}]}]}", []),
        ("{action: CUSTOM, rules: [{}]}", ["provider.name"]),
        (
            "{action: CUSTOM, provider: {name: a}, rules: [{from: [{source: {namespaces: [b]}}]}]}",
            ["rules[0].from[0].source"],
        ),
        ("{provider: {name: a}}", ["provider"]),
    ],
)
def test_authorization_policies(spec: str, fields: list[str]):
    assert _found("AuthorizationPolicy", spec, "error") == fields


def test_only_allow_and_deny_can_be_dry():
    dry = '{istio.io/dry-run: "true"}'
    place = ["metadata.annotations.istio.io/dry-run"]

    assert _found("AuthorizationPolicy", "{}", "error", dry) == []
    assert _found("AuthorizationPolicy", "{action: AUDIT}", "error", dry) == place
    assert _found("AuthorizationPolicy", "{}", "error", '{istio.io/dry-run: "maybe"}') == place
    assert _found("Telemetry", "{}", "error", dry) == place


def test_keys_must_be_a_key_set():
    assert _found("RequestAuthentication", "{jwtRules: [{issuer: a, jwks: '{}'}]}", "error") == [
        "jwtRules[0].jwks"
    ]
    good = """{jwtRules: [{issuer: a, jwks: '{"keys": [{"kty": "RSA"}]}'}]}"""
    assert _found("RequestAuthentication", good, "error") == []


def test_a_tag_has_one_source():
    spec = "{tracing: [{customTags: {a: {}, b: {literal: {value: ''}}}, randomSamplingPercentage: 101}]}"

    assert _found("Telemetry", spec, "error") == [
        "tracing[0].randomSamplingPercentage",
        "tracing[0].customTags.a",
        "tracing[0].customTags.b.literal.value",
    ]
