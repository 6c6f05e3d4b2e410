"""How a process that serves ends: at SIGTERM or Ctrl-C, and in a deadline."""

import asyncio
import logging
import os
import signal
import threading

log = logging.getLogger(__name__)

STOP_DEADLINE_S = 20.0
"""Orchestrators kill after 30 s (Kubernetes' default grace period); by then we are gone on our own terms."""


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; from then on the deadline runs."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            return
        stopping.set()
        deadline = threading.Timer(STOP_DEADLINE_S, _cut_off)
        deadline.daemon = True
        deadline.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return stopping


def _cut_off() -> None:
    log.error("not stopped before the deadline; accepted data is read again at the next start")
    os._exit(1)
