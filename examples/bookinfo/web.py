"""HTTP server and client of the services, with the spans that HTTP semantic conventions ask for.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import contextvars
import http.client
import json
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

tracer = trace.get_tracer("bookinfo.web")

TIMEOUT_S = 3.0
SERVER_ERROR = 500

HANDED_ON = ("end-user", "x-request-id", "user-agent")
"""Request headers that every call made for a request carries too: the mesh routes and correlates by them."""

_handed_on: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("handed on")


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler sees: the path's parameters and the headers to hand on."""

    parameters: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body, of a handler or from another service."""

    status: int
    body: str
    content_type: str = "application/json"


Handler = Callable[[Request], Answer]


class UpstreamError(Exception):
    """Another service did not answer, or answered with an error."""


def get(url: str, headers: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> Answer:
    """GET ``url`` inside a client span that the called service continues.

    Raises:
        UpstreamError: no answer within ``timeout_s``, or a status of 500 and above.
    """
    parts = urlsplit(url)
    attributes: dict[str, str | int] = {
        "http.request.method": "GET",
        "url.full": url,
        "server.address": parts.hostname or "",
        "server.port": parts.port or 80,
    }
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=attributes) as span:
        carrier = {**_handed_on.get({}), **(headers or {})}
        propagate.inject(carrier)
        proxy = urlsplit(os.environ.get("http_proxy", ""))  # a sidecar that takes our calls
        through, target = (proxy, url) if proxy.hostname else (parts, parts.path or "/")
        connection = http.client.HTTPConnection(through.hostname or "", through.port, timeout=timeout_s)
        try:
            connection.request("GET", target, headers=carrier)
            response = connection.getresponse()
            answer = Answer(response.status, response.read().decode())
        except OSError as error:
            span.set_attribute("error.type", type(error).__qualname__)
            raise UpstreamError(f"no answer from {parts.netloc}: {error}") from error
        finally:
            connection.close()
        span.set_attribute("http.response.status_code", answer.status)
        if answer.status >= SERVER_ERROR:
            span.set_attribute("error.type", str(answer.status))
            raise UpstreamError(f"{parts.netloc} answered {answer.status}")
        return answer


def work(typical_ms: float) -> None:
    """Take about as long as a real service would, at times much longer."""
    time.sleep(random.lognormvariate(0, 0.5) * typical_ms / 1000)


def serve(host: str, port: int, routes: Mapping[str, Handler]) -> None:
    """Answer GET requests until SIGTERM or SIGINT.

    Args:
        host: address to listen on.
        port: port to listen on.
        routes: handlers by route, ``/reviews/{id}``.
    """
    patterns = [(re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", r)), r, h) for r, h in routes.items()]

    class RequestHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            for pattern, route, handler in patterns:
                if match := pattern.fullmatch(path):
                    self._send(_traced(self, route, handler, match.groupdict()))
                    return
            self._send(Answer(404, json.dumps({"error": f"no page {path}"})))

        def _send(self, answer: Answer) -> None:
            body = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
            """Requests are traced, not logged."""

    server = ThreadingHTTPServer((host, port), RequestHandler)
    server.daemon_threads = True
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stop.wait()
    server.shutdown()
    server.server_close()


def _traced(
    connection: BaseHTTPRequestHandler, route: str, handler: Handler, parameters: Mapping[str, str]
) -> Answer:
    headers = {name.lower(): value for name, value in connection.headers.items()}
    _handed_on.set({name: headers[name] for name in HANDED_ON if name in headers})
    address, port = connection.connection.getsockname()[:2]
    attributes: dict[str, str | int] = {
        "http.request.method": "GET",
        "http.route": route,
        "url.scheme": "http",
        "url.path": urlsplit(connection.path).path,
        "server.address": address,
        "server.port": port,
        "client.address": connection.client_address[0],
        "network.protocol.version": "1.1",
        "user_agent.original": headers.get("user-agent", ""),
    }
    with tracer.start_as_current_span(
        f"GET {route}",
        context=propagate.extract(headers),
        kind=SpanKind.SERVER,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        answer = _handled(handler, Request(parameters, headers), span)
        span.set_attribute("http.response.status_code", answer.status)
        if answer.status >= SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
    return answer


def _handled(handler: Handler, request: Request, span: Span) -> Answer:
    try:
        return handler(request)
    except Exception as error:  # noqa: BLE001  the boundary of a request: a bug answers 500 and is traced
        span.record_exception(error)
        span.set_attribute("error.type", type(error).__qualname__)
        return Answer(SERVER_ERROR, json.dumps({"error": str(error)}))
