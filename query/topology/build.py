"""A graph from beginning to end."""

from query.topology.appenders import ambient, configured, defined, marks, measured
from query.topology.configuration import Configuration
from query.topology.options import GraphOptions
from query.topology.service_graph import reduced
from query.topology.telemetry import Metrics, traffic_map
from query.topology.traffic import TrafficMap

_MEASURED = (
    ("responseTime", measured.response_time),
    ("securityPolicy", measured.security_policy),
    ("throughput", measured.throughput),
)


def build(metrics: Metrics, options: GraphOptions, configuration: Configuration) -> TrafficMap:
    """The traffic map with everything that was asked for but health, which is judged last.

    Raises:
        ExecutionError: the range holds more samples than a query may read.
        QueryStopped: by ``metrics.stop``.
    """
    traffic = traffic_map(metrics, options)
    if options.wants("serviceEntry"):
        defined.service_entry(traffic, options, configuration)
    if options.wants("deadNode"):
        defined.dead_node(traffic, options, configuration)
    for name, append in _MEASURED:
        if options.wants(name):
            append(traffic, metrics, options)
    if options.wants("idleNode"):
        defined.idle_node(traffic, options, configuration)
    marks.outsider(traffic, options, configuration)
    if options.wants("ambient"):
        ambient.waypoints(traffic, options, configuration)
    marks.traffic_generator(traffic)
    if options.wants("istio"):
        configured.badges(traffic, options, configuration)
    if options.graph_type == "service":
        traffic = reduced(traffic)
    measured.show(traffic, options)
    return traffic
