"""From configuration and registry to Envoy's resources: pure functions, no I/O.

Resources are built as the JSON form of Envoy's messages (``proxy.envoy.messages.build`` makes the messages).
"""
