"""Kiali's checks of a configuration (KIA codes), as far as they need no Kubernetes."""
