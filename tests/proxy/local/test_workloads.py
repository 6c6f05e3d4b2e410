"""Workloads of this machine, from Deployments."""

from pathlib import Path

import pytest

from proxy.agent.settings import Address
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.local.apps import placed
from proxy.local.mesh import Surroundings, agent_settings
from proxy.local.running import Plan
from proxy.local.workloads import Block, LocalWorkload, local_workloads
from proxy.xds.node import parse_node, proxy_of
from vigla.errors import SettingsError

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: {replicas}
  template:
    metadata: {{labels: {{app: cart, version: v1{labels}}}, annotations: {{{annotations}}}}}
    spec:
      serviceAccountName: cart
      containers:
      - name: cart
        {command}
        env: [{{name: DATABASE, value: "$(MESH_ADDRESS):5432"}}, {{name: SECRET, valueFrom: {{}}}}]
        ports: [{{name: http, containerPort: 9080}}, {{name: tcp-db, containerPort: 5432}}]
"""
SURROUNDINGS = Surroundings(Address("127.0.0.1", 1), Address("127.0.0.1", 2), "cluster.local", {})


def found(
    *, replicas: int = 1, labels: str = "", annotations: str = "", command: str = "command: [a, b]"
) -> tuple[LocalWorkload, ...]:
    values = {"replicas": replicas, "labels": labels, "annotations": annotations, "command": command}
    parsed = parse(DEPLOYMENT.format(name="cart", **values))
    assert not parsed.problems
    with Block() as block:
        return local_workloads(Collection.of(parsed.objects), block)


def test_every_replica_has_addresses_of_its_own() -> None:
    workloads = found(replicas=3)
    assert [w.instance for w in workloads] == ["cart-0", "cart-1", "cart-2"]
    assert len({a for w in workloads for a in (w.address, w.bind)}) == 6
    assert {w.command for w in workloads} == {("a", "b")}
    assert all(w.environment == {"DATABASE": "$(MESH_ADDRESS):5432"} for w in workloads)


def test_what_has_no_command_runs_elsewhere() -> None:
    assert found(command="image: docker.io/cart") == ()
    with pytest.raises(SettingsError, match="nothing to run"):
        Plan.of([], "default", "127.0.0.1:1", "127.0.0.1:2", Path())


def test_a_gateway_is_an_envoy_alone() -> None:
    (gateway,) = found(annotations="inject.istio.io/templates: gateway", command="image: auto")
    assert gateway.gateway
    assert gateway.command == ()


def test_an_application_without_a_sidecar_listens_at_the_workloads_address() -> None:
    label = ', sidecar.istio.io/inject: "false"'
    (place,) = placed(found(labels=label, annotations="vigla.io/address: 127.30.9.1"))
    assert (place.host, dict(place.ports), place.http_proxy) == ("127.30.9.1", {9080: 9080, 5432: 5432}, 0)


def test_the_sidecars_node_says_where_the_application_is() -> None:
    (place,) = placed(found())
    settings = agent_settings(place, SURROUNDINGS, Path())
    proxy = proxy_of(parse_node(settings.node_id, metadata=settings.metadata))
    workload = place.workload
    assert (proxy.id, proxy.service_account, proxy.workload) == ("cart-0.shop", "cart", "cart")
    assert proxy.addresses == (workload.address,)
    assert (proxy.bind, proxy.http_proxy_port) == (workload.bind, place.http_proxy)
    assert [(b.port, b.bind, b.app_port) for b in proxy.inbound] == [
        (port, workload.address, place.ports[port]) for port in (9080, 5432)
    ]


def test_two_meshes_have_different_addresses() -> None:
    with Block() as first, Block() as second:
        assert first.number != second.number
