"""A service in two versions, and a wizard's subject of what was configured."""

from typing import Any

import yaml

from proxy.config.apply import judge, refused
from proxy.config.collection import Collection
from proxy.registry.model import Endpoint, Protocol, Service, ServicePort
from proxy.wizards.subject import Subject, subject

HOST = "reviews.shop.svc.cluster.local"

MESH = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews, version: v1}}
  template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: a}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v2, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews, version: v2}}
  template: {metadata: {labels: {app: reviews, version: v2}}, spec: {containers: [{name: a}]}}
---
"""


def service(*versions: str, protocol: Protocol = Protocol.HTTP) -> Service:
    """With one workload for each version."""
    endpoints = [Endpoint("10.0.0.1", 9080, "http", {"version": version}) for version in versions]
    ports = (ServicePort("http", 9080, protocol),)
    return Service(HOST, "shop", "reviews", ports, endpoints=tuple(endpoints))


def configured(text: str = "") -> Collection:
    """Objects of a text without errors."""
    objects, problems = judge(text, "", "shop")
    assert refused(problems) == ()
    return Collection.of(objects)


def about(text: str = "", *versions: str, protocol: Protocol = Protocol.HTTP) -> Subject:
    """The service with this configuration."""
    made = service(*(versions or ("v1", "v2")), protocol=protocol)
    return subject(made, configured(text), "cluster.local")


def applied(before: Subject, documents: list[Any]) -> Subject:
    """The same service once these documents are applied; they must be sound."""
    named = {d["kind"]: d for d in (*_there(before), *documents)}
    text = yaml.safe_dump_all(named.values(), sort_keys=False)
    return subject(before.service, configured(text), "cluster.local")


def written(subject: Subject) -> str:
    """Its objects."""
    return yaml.safe_dump_all(_there(subject), sort_keys=False)


def _there(subject: Subject) -> list[Any]:
    return [each for each in (subject.virtual_service, subject.destination_rule) if each]


def routes(documents: list[Any]) -> list[Any]:
    """Of the VirtualService among them."""
    (found,) = (d for d in documents if d["kind"] == "VirtualService")
    http: list[Any] = found["spec"]["http"]
    return http
