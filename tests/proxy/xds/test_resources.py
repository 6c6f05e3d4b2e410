"""Resources are serialized once, and equal content is one version."""

import pytest
from google.protobuf import json_format

from proxy.envoy.messages import TYPE_URL
from proxy.xds.resources import CDS, LDS, RDS, Snapshot, resource, version_of
from tests.proxy.xds.plane import cluster, listener, opened, route


def test_the_same_content_is_the_same_object():
    assert resource(CDS, cluster("a")) is resource(CDS, cluster("a"))


def test_the_order_of_fields_and_of_map_entries_makes_no_version():
    def metadata(*keys: str) -> dict[str, object]:
        return {"filter_metadata": {key: {"k": key, "l": {"m": 1}} for key in keys}}

    options = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"

    def made(*keys: str) -> dict[str, object]:
        inner = {"@type": TYPE_URL + options, "stat_prefix": "s", "metadata_match": metadata(*keys)}
        chain = {"filters": [{"name": "tcp", "typed_config": inner}]}
        value = {"name": "l", "metadata": metadata(*keys), "filter_chains": [chain]}
        return value if keys[0] == "a" else dict(reversed(value.items()))

    assert resource(LDS, made("a", "b", "c")).version == resource(LDS, made("c", "b", "a")).version


def test_routes_from_the_cache_are_as_fresh_ones():
    two = {"name": "r", "virtual_hosts": [{"name": n, "domains": [n]} for n in ("x", "y")]}
    first = resource(RDS, two)
    other = resource(RDS, {"name": "s", "virtual_hosts": [two["virtual_hosts"][1]]})  # type: ignore[index]
    again = resource(RDS, {**two, "virtual_hosts": list(two["virtual_hosts"])})

    assert again == first
    assert [h.name for h in opened(first.body).virtual_hosts] == ["x", "y"]
    assert [h.name for h in opened(other.body).virtual_hosts] == ["y"]
    assert resource(RDS, route("r", "x")).version != resource(RDS, route("r", "y")).version


def test_the_order_of_virtual_hosts_is_content():
    hosts = [{"name": n, "domains": [n]} for n in ("x", "y")]
    one = resource(RDS, {"name": "r", "virtual_hosts": hosts})

    assert one.version != resource(RDS, {"name": "r", "virtual_hosts": hosts[::-1]}).version


def test_names_and_types_keep_equal_content_apart():
    assert resource(CDS, cluster("a")).body != resource(CDS, cluster("b")).body
    assert resource(CDS, {"name": "x"}).body != resource(LDS, {"name": "x"}).body


def test_versions_of_many_do_not_depend_on_their_order():
    a, b = resource(LDS, listener("a")), resource(LDS, listener("b"))

    assert version_of([a, b]) == version_of([b, a]) != version_of([a])


@pytest.mark.parametrize("bad", [{"name": "a", "colour": 1}, {"name": "a", "connect_timeout": "soon"}])
def test_what_is_no_resource_is_refused_each_time(bad: dict[str, object]):
    for _ in range(2):
        with pytest.raises(json_format.ParseError):
            resource(CDS, bad)


def test_a_private_key_is_not_shown():
    assert "body" not in repr(resource(CDS, cluster("a")))


def test_clusters_without_endpoints_get_an_empty_assignment():
    named = {"name": "b", "type": "EDS", "eds_cluster_config": {"service_name": "other"}}
    made = Snapshot.of({CDS: [{"name": "a", "type": "EDS"}, named, cluster("static")]})
    endpoints = {
        n: opened(r.body) for t, found in made.resources.items() if t != CDS for n, r in found.items()
    }

    assert sorted(endpoints) == ["a", "other"]
    assert all(not e.endpoints for e in endpoints.values())
