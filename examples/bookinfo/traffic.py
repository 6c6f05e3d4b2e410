"""traffic: users who open product pages at a steady rate, some of them impatient."""

import random
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from bookinfo.web import UpstreamError, get

tracer = trace.get_tracer("bookinfo.traffic")

PRODUCTS = 10
USERS = ("jason", "maria", "chen", "amara", "")
IMPATIENT_RATE = 0.05
IMPATIENT_S = 0.25
PATIENT_S = 5.0
WORKERS = 16
RETRY_S = 0.1


def run(productpage_url: str, otlp_url: str, per_second: float) -> None:
    """Open pages until SIGTERM or SIGINT; begins once productpage and the collector accept connections.

    Args:
        productpage_url: base address of productpage.
        otlp_url: base address of the collector.
        per_second: pages opened a second.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for url in (otlp_url, productpage_url):
        while not _accepts(url) and not stop.wait(RETRY_S):
            pass
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="user") as pool:
        while not stop.wait(1 / per_second):
            pool.submit(_visit, productpage_url)


def _accepts(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=PATIENT_S).close()
    except OSError:
        return False
    return True


def _visit(productpage_url: str) -> None:
    user = random.choice(USERS)
    attributes = {"enduser.id": user} if user else {}
    timeout_s = IMPATIENT_S if random.random() < IMPATIENT_RATE else PATIENT_S
    with tracer.start_as_current_span(
        "visit product page", kind=SpanKind.INTERNAL, attributes=attributes
    ) as span:
        try:
            get(
                f"{productpage_url}/productpage",
                {"user-agent": "bookinfo-traffic/1.0", "end-user": user},
                timeout_s,
            )
        except UpstreamError as error:
            span.set_status(StatusCode.ERROR, str(error))
