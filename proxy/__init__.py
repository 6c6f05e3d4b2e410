"""The mesh: Istio's configuration for real Envoys.

``api`` (objects as YAML has them) -> ``config`` (parse, store, watch) -> ``validate`` and ``analyze`` ->
``registry`` (services and workloads) -> ``translate`` (a snapshot per proxy) -> ``xds`` (streams).
``ca`` issues identities, ``agent`` runs one Envoy.
"""
