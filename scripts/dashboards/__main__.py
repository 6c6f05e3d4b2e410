"""Grafana's dashboards, written to ``deploy/grafana/dashboards``: ``python -m scripts.dashboards``."""

from scripts.dashboards.writing import write

if __name__ == "__main__":
    write()
