"""The rules of transparent capture, as text, and as nft reads them."""

import os
import subprocess

import pytest

from proxy.capture.options import Capture, listed_networks, listed_ports, networks, ports
from proxy.capture.program import nft
from proxy.capture.ruleset import TABLE, cleanup, ruleset
from vigla.errors import SettingsError


def chain(capture: Capture, name: str) -> list[str]:
    """The rules of a chain, without its head."""
    body = ruleset(capture).split(f"chain {name} {{\n")[1].split("\n  }")[0]
    return [line.strip() for line in body.splitlines()[1:]]


def position(rules: list[str], part: str) -> int:
    return next(i for i, rule in enumerate(rules) if part in rule)


def test_everything_is_captured_unless_it_is_excluded() -> None:
    assert chain(Capture(), "inbound")[-1] == "meta l4proto tcp redirect to :15006"
    assert chain(Capture(), "outbound")[-1] == "meta l4proto tcp redirect to :15001"


def test_ports_of_the_sidecar_itself_are_never_redirected() -> None:
    assert "tcp dport { 15008, 15020, 15021, 15090 } return" in chain(Capture(), "inbound")
    rules = chain(Capture(exclude_inbound_ports=(22,)), "inbound")
    assert "tcp dport { 22, 15008, 15020, 15021, 15090 } return" in rules


def test_only_named_inbound_ports_are_captured() -> None:
    rules = chain(Capture(inbound_ports=(80, 8080)), "inbound")
    assert rules[-1] == "meta l4proto tcp tcp dport { 80, 8080 } redirect to :15006"


def test_without_inbound_ports_nothing_comes_in_by_the_sidecar() -> None:
    assert "15006" not in ruleset(Capture(inbound_ports=()))


def test_the_proxys_own_connections_are_left_alone_before_any_redirection_to_it() -> None:
    rules = chain(Capture(proxy_uid=5, proxy_gid=6), "outbound")
    redirected = position(rules, ":15001")
    for rule in (
        "meta skuid 5 return",
        "meta skgid 6 return",
        'oifname "lo" ip saddr 127.0.0.6 return',
        'oifname "lo" ip6 saddr ::6 return',
    ):
        assert rules.index(rule) < redirected


def test_a_workload_that_calls_itself_comes_in_by_the_sidecar() -> None:
    rules = chain(Capture(inbound_port=16006), "outbound")
    found = position(rules, 'oifname "lo" ip daddr != 127.0.0.0/8 meta skuid 1337')
    assert rules[found].endswith("redirect to :16006")
    assert found < rules.index('oifname "lo" return')


def test_networks_of_both_families_have_rules_of_their_own() -> None:
    capture = Capture(
        outbound_networks=networks("10.0.0.0/8,fd00::/8", "x"),
        exclude_outbound_networks=listed_networks("10.1.0.0/16", "x"),
        exclude_outbound_ports=(25,),
    )
    rules = chain(capture, "outbound")
    assert rules[-2:] == [
        "meta l4proto tcp ip daddr { 10.0.0.0/8 } redirect to :15001",
        "meta l4proto tcp ip6 daddr { fd00::/8 } redirect to :15001",
    ]
    assert rules.index("ip daddr { 10.1.0.0/16 } return") < len(rules) - 2
    assert rules.index("tcp dport { 25 } return") < len(rules) - 2


def test_overlapping_networks_become_one_because_nft_refuses_overlaps() -> None:
    assert [str(n) for n in listed_networks("10.1.0.0/16, 10.0.0.0/8", "x")] == ["10.0.0.0/8"]


def test_a_star_stands_for_all_and_nothing_for_none() -> None:
    assert ports("*", "x") is None
    assert ports("", "x") == ()
    assert networks("*", "x") is None
    assert ports("443,80,80", "x") == (80, 443)


@pytest.mark.parametrize("text", ["0", "65536", "http", "80-90", "1;2", "²", "*"])
def test_what_is_no_port_is_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(SettingsError, match="--exclude-inbound-ports"):
        listed_ports(text, "--exclude-inbound-ports")


@pytest.mark.parametrize("text", ["10.0.0.1/8", "host", "10.0.0.0/33", "*"])
def test_what_is_no_network_is_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(SettingsError, match="--exclude-outbound-cidrs"):
        listed_networks(text, "--exclude-outbound-cidrs")


@pytest.mark.parametrize(
    "text",
    [
        ruleset(Capture()),
        ruleset(Capture(inbound_ports=())),
        ruleset(
            Capture(
                inbound_ports=(80, 8080),
                exclude_inbound_ports=(22,),
                outbound_networks=networks("10.0.0.0/8,10.0.0.0/9,192.0.2.1,fd00::/8,2001:db8::1", "x"),
                exclude_outbound_networks=listed_networks("10.1.0.0/16,fd01::/16", "x"),
                exclude_outbound_ports=(25, 3306),
            )
        ),
        ruleset(Capture(outbound_networks=())),
        cleanup(),
    ],
)
def test_nft_takes_the_text(text: str) -> None:
    try:
        command = nft()
    except SettingsError as error:
        pytest.skip(str(error))
    if os.geteuid():
        pytest.skip("nft -c reads the kernel's rules, which needs root")
    done = subprocess.run([command, "-c", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("nft -c needs NET_ADMIN")
    assert done.returncode == 0, done.stderr


def test_applying_starts_from_nothing_so_that_it_can_be_repeated() -> None:
    assert ruleset(Capture()).startswith(cleanup())
    assert f"delete table inet {TABLE}" in cleanup()
