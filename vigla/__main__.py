"""``python -m vigla``: the same as the ``vigla`` command."""

from vigla.cli.main import main

main()
