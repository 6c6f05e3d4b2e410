"""The cyclic garbage collector in a process that serves."""

import gc

THRESHOLDS = 50_000, 10, 10
"""Allocations that start a young collection, and collections that start one of the next generation."""


def settle() -> None:
    """Take all that lives now out of the collector's sight, and let it look less often.

    Its passes stop every thread. What a server has built by the time that it serves stays until it ends, and
    most of what it makes later is freed by reference counts.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
