"""vigla's own logs, metrics and health."""
