"""What vigla's roles share: settings, columns, wire formats, the bus and the lake.

``vigla.connect(url)`` is for Python users of a running server; see ``vigla.client``.
"""

from vigla.client import connect

__all__ = ["connect"]
