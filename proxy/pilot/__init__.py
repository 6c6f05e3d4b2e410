"""The control plane as a whole: configuration and connected workloads in, resources for every proxy out."""
