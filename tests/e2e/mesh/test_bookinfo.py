"""Istio's own Bookinfo files, unchanged and one after another, on this repository's Bookinfo."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving import Server
from tests.e2e.mesh.mesh import Answer, Mesh, eventually, request
from vigla.cli.bookinfo import write_mesh

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT.parent / "shared" / "conformance" / "istio-samples" / "bookinfo"
BUSY = ("in use", "ermission")
"""What Envoy says of a listener whose port this machine does not give it (80, 8080)."""

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no conformance cases: {SAMPLES} is absent")


@pytest.fixture(scope="module")
def bookinfo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    folder = tmp_path_factory.mktemp("bookinfo")
    files = write_mesh(folder / "mesh")
    (files / "routing.yaml").unlink()  # the samples bring their own
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "examples"), str(ROOT)])}
    with Server(folder / "lake", {"VIGLA_MESH__ENABLED": "true"}) as server:
        command = [
            sys.executable, "-m", "vigla", "mesh", "up", f"--file={files}", f"--url={server.query_url}",
            f"--pilot=127.0.0.1:{server.ports.xds}", f"--collector={server.grpc_target}",
            f"--logs={folder / 'logs'}",
        ]  # fmt: skip
        log = (folder / "up.log").open("wb")
        with log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
            mesh = Mesh(server, folder, 0, 0, 0, process)
            try:
                eventually(lambda: "configuration" in (folder / "up.log").read_text(), within_s=60)
                yield mesh
            finally:
                process.terminate()


def apply(mesh: Mesh, *names: str) -> None:
    """Apply sample files; each must be taken as it is."""
    with mesh.api as api:
        for name in names:
            answer = api.post("/mesh/apply", content=(SAMPLES / name).read_text())
            assert answer.status_code == 200, f"{name}: {answer.text}"


def page(mesh: Mesh, user: str = "") -> Answer:
    """The product page, asked for without TLS as by somebody outside."""
    where = mesh.proxy("productpage-v1")["address"]
    return request(where, 9080, "/productpage", {"end-user": user} if user else {})


def refusals(mesh: Mesh) -> list[str]:
    """What Envoys refused, besides ports that this machine does not give."""
    errors = [kind["error"] for p in mesh.proxies() for kind in p["types"].values()]
    return [error for error in errors if error and not any(word in error for word in BUSY)]


def hops(mesh: Mesh, answer: Answer, wanted: str = "reviews") -> dict[str, dict[str, Any]]:
    """The calls of one page as the callers' proxies log them, by the name of the service that was called."""

    def found() -> dict[str, dict[str, Any]]:
        logged = [e for e in mesh.entries(answer) if e["reporter"] == "source"]
        named = {str(e.get("destination_service") or e["service"]).partition(".")[0]: e for e in logged}
        return named if wanted in named else {}

    return eventually(found)


def reviewers(mesh: Mesh, count: int, user: str = "") -> Counter[str]:
    """Which version of reviews answered each of so many pages."""
    pages = [page(mesh, user) for _ in range(count)]
    return Counter(hops(mesh, answer)["reviews"]["destination_workload"] for answer in pages)


def test_every_file_is_taken_and_no_proxy_refuses_it(bookinfo: Mesh) -> None:
    files = sorted(path.name for path in SAMPLES.glob("*.yaml"))
    assert len(files) > 15
    for name in files:
        apply(bookinfo, name)
        assert eventually(lambda: not refusals(bookinfo)), (name, refusals(bookinfo))


ONLY = {
    ("virtual-service-all-v1.yaml", ""): {"reviews-v1"},
    ("virtual-service-reviews-v3.yaml", ""): {"reviews-v3"},
    ("virtual-service-reviews-50-v3.yaml", ""): {"reviews-v1", "reviews-v3"},
    ("virtual-service-reviews-80-20.yaml", ""): {"reviews-v1", "reviews-v2"},
    ("virtual-service-reviews-test-v2.yaml", "jason"): {"reviews-v2"},
    ("virtual-service-reviews-test-v2.yaml", ""): {"reviews-v1"},
    ("virtual-service-reviews-jason-v2-v3.yaml", "jason"): {"reviews-v2"},
    ("virtual-service-reviews-jason-v2-v3.yaml", ""): {"reviews-v3"},
}


@pytest.mark.parametrize(("name", "user"), ONLY)
def test_reviews_are_of_the_versions_that_the_file_says(bookinfo: Mesh, name: str, user: str) -> None:
    apply(bookinfo, "destination-rule-all.yaml", "virtual-service-all-v1.yaml", name)
    count = 1 if len(ONLY[name, user]) == 1 else 24
    assert eventually(lambda: set(reviewers(bookinfo, count, user)) == ONLY[name, user])


FAULTS = {
    "virtual-service-ratings-test-abort.yaml": "FI",
    "virtual-service-ratings-test-delay.yaml": "DI",
}


@pytest.mark.parametrize("name", FAULTS)
def test_ratings_fail_for_jason_alone(bookinfo: Mesh, name: str) -> None:
    apply(bookinfo, "destination-rule-all.yaml", "virtual-service-all-v1.yaml")
    apply(bookinfo, "virtual-service-reviews-test-v2.yaml", name)
    flag = FAULTS[name]

    def injected() -> bool:
        return flag in hops(bookinfo, page(bookinfo, "jason"), "ratings")["ratings"]["flags"]

    assert eventually(injected)
    assert reviewers(bookinfo, 4) == {"reviews-v1": 4}  # others see reviews v1, which asks for no ratings
