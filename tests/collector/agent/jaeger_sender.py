"""Run as a script, ``jaeger_sender.py UDP_PORT SAMPLING_PORT``: one trace by Jaeger's own client for Python.

A process of its own: the client warns about what newer Pythons deprecate.
"""

import json
import logging
import sys
import time

from jaeger_client import Config
from opentracing.ext import tags


def main(port: int, sampling_port: int) -> None:
    """Send ``checkout`` (server, failed) with a child ``charge`` (client), and print their ids."""
    logging.basicConfig(level=logging.WARNING)
    config = Config(
        config={
            "local_agent": {
                "reporting_host": "127.0.0.1",
                "reporting_port": port,
                "sampling_port": sampling_port,
                "enabled": True,
            },
            "sampling_refresh_interval": 0.2,
            "generate_128bit_trace_id": True,
            "tags": {"region": "eu"},
        },
        service_name="jaeger-shop",
        validate=True,
    )
    tracer = config.initialize_tracer()
    found = None
    deadline = time.monotonic() + 20
    while found is None and time.monotonic() < deadline:
        root = tracer.start_span("checkout", tags={tags.SPAN_KIND: "server"})
        if root.context.flags & 1:  # the strategy of the agent has come
            found = root
        else:
            time.sleep(0.05)
    with tracer.start_span("charge", child_of=found, tags={tags.SPAN_KIND: "client"}) as child:
        child.set_tag("retry", True)
        child.set_tag("attempt", 3)
        child.set_tag("ratio", 0.25)
        child.log_kv({"event": "paid", "amount": 7})
    found.set_tag(tags.ERROR, True)
    found.finish()
    context = found.context
    print(json.dumps({"trace": f"{context.trace_id:032x}", "root": f"{context.span_id:016x}"}))  # noqa: T201
    closed = tracer.close()
    while not closed.done():
        time.sleep(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
