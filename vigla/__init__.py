"""What vigla's roles share: settings, columns, wire formats, the bus and the lake."""
