"""Keeps the lake small and quick, in the background: merges, retention, clean-up."""

import logging
import threading

from vigla.clock import Clock
from vigla.settings import StorageSettings
from vigla.storage.lake import Lake
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


class Maintenance:
    """One thread that maintains a lake.

    Args:
        lake: what to maintain.
        settings: intervals and bounds.
        clock: source of time.
        metrics: where to count.
    """

    def __init__(self, lake: Lake, settings: StorageSettings, clock: Clock, metrics: Metrics) -> None:
        self._lake = lake
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance")

    def start(self) -> None:
        """Run in the background until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being done and return."""
        self._stopping.set()
        self._thread.join()

    def run_once(self) -> None:
        """Do everything that is due now."""

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.merge_interval_s):
            self.run_once()
