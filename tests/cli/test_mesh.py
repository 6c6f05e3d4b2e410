"""The mesh's commands against a running server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.serving import Server
from vigla.cli.main import app
from vigla.client import Unreachable
from vigla.errors import NotFound

runner = CliRunner()

SERVICE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: [cart]
  http:
  - timeout: 2s
    route:
    - destination: {host: cart}
"""
WRONG = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: wrong, namespace: shop}
spec:
  hosts: [cart]
  http:
  - timeout: soon
    colour: red
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = {"VIGLA_MESH__ENABLED": "true"}
    with Server(tmp_path_factory.mktemp("mesh") / "lake", environment) as server:
        yield server.query_url


def run(url: str, *arguments: str, stdin: str | None = None, status: int = 0) -> Result:
    result = runner.invoke(app, [*arguments, "--url", url], input=stdin)
    assert result.exit_code == status, result.output
    return result


def number(url: str) -> int:
    found = json.loads(run(url, "history", "--output", "json").stdout)
    return int(found[0]["number"]) if found else 0


def test_apply_get_history_rollback_delete(url: str) -> None:
    run(url, "apply", "-f", "-", stdin=SERVICE)
    first = number(url)
    run(url, "apply", "-f", "-", stdin=SERVICE.replace("2s", "3s"))
    diff = run(url, "history", "--diff", str(first + 1)).stdout
    assert "-  - timeout: 2s" in diff
    assert "+  - timeout: 3s" in diff
    run(url, "rollback", str(first))
    (item,) = json.loads(run(url, "get", "virtualservice", "cart", "-n", "shop", "-o", "json").stdout)
    assert item["spec"]["http"][0]["timeout"] == "2s"
    run(url, "delete", "VirtualService", "cart", "-n", "shop")
    assert json.loads(run(url, "get", "VirtualService", "cart", "-o", "json").stdout) == []
    assert number(url) == first + 3


def test_what_is_wrong_is_refused_as_a_whole_and_everything_is_said(url: str) -> None:
    before = number(url)
    said = run(url, "apply", "-f", "-", stdin=f"{SERVICE}\n---\n{WRONG}", status=1).output
    assert "spec.http[0].timeout" in said
    assert "spec.http[0].colour" in said
    assert "nothing of it was applied" in said
    assert number(url) == before


def test_dry_run_changes_nothing(url: str) -> None:
    before = number(url)
    said = run(url, "apply", "--dry-run", "-f", "-", stdin=SERVICE).output
    assert (
        'error IST0101 standard input:10 VirtualService shop/cart: Referenced host not found: "cart"' in said
    )
    assert number(url) == before


def test_a_missing_object_is_not_deleted(url: str) -> None:
    result = runner.invoke(app, ["delete", "VirtualService", "none", "--url", url])
    assert "there is no VirtualService default/none" in str(result.exception)


def test_analysis_of_files_needs_no_server(tmp_path: Path) -> None:
    path = tmp_path / "cart.yaml"
    path.write_text(SERVICE)
    result = runner.invoke(app, ["analyze", str(path), "--output", "json"])
    messages = json.loads(result.stdout)["messages"]
    assert ("IST0101", f"{path}") in [(m["code"], m["file"]) for m in messages]
    assert result.exit_code == 1


def test_status_proxies_and_certificates_of_an_empty_mesh(url: str) -> None:
    assert json.loads(run(url, "mesh", "status", "-o", "json").stdout)["proxies"] == []
    assert json.loads(run(url, "proxy-status", "-o", "json").stdout) == []
    (root,) = json.loads(run(url, "certs", "-o", "json").stdout)["roots"]
    assert root["valid"]


def test_nothing_runs_and_nobody_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vigla.cli.mesh.PID_FILE", tmp_path / "none.pid")
    assert isinstance(runner.invoke(app, ["mesh", "down"]).exception, NotFound)
    refused = runner.invoke(app, ["get", "--url", "http://127.0.0.1:9"]).exception
    assert isinstance(refused, Unreachable)
