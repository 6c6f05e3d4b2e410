"""A mesh of plain processes on one machine: no Kubernetes, no root."""
