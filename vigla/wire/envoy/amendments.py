"""What Envoy 1.40 has and the newest descriptors in ``xds-protos`` have not."""

from google.protobuf import descriptor_pb2

STATS_FILE = "envoy/extensions/access_loggers/stats/v3/stats.proto"
_SCOPE_FILE = "envoy/type/v3/scope.proto"
_SCOPE = ".envoy.type.v3.Scope"
_Field = descriptor_pb2.FieldDescriptorProto


def amend(files: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
    """Add ``envoy.type.v3.Scope`` and ``stats_scope`` of the stats access logger, where they are missing.

    Args:
        files: of the API by name; changed in place.
    """
    if _SCOPE_FILE not in files:
        files[_SCOPE_FILE] = _scope()
    stats = files[STATS_FILE]
    config = next(message for message in stats.message_type if message.name == "Config")
    if any(field.name == "stats_scope" for field in config.field):
        return
    stats.dependency.append(_SCOPE_FILE)
    config.field.add(
        name="stats_scope",
        number=6,
        label=_Field.LABEL_OPTIONAL,
        type=_Field.TYPE_MESSAGE,
        type_name=_SCOPE,
        json_name="statsScope",
    )


def _scope() -> descriptor_pb2.FileDescriptorProto:
    wrappers = "google/protobuf/wrappers.proto"
    file = descriptor_pb2.FileDescriptorProto(
        name=_SCOPE_FILE, package="envoy.type.v3", dependency=[wrappers], syntax="proto3"
    )
    message = file.message_type.add(name="Scope")
    for number, name in enumerate(("max_counters", "max_gauges", "max_histograms"), 1):
        field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
        field.type, field.type_name = _Field.TYPE_MESSAGE, ".google.protobuf.UInt32Value"
    optional = _Field.LABEL_OPTIONAL
    message.field.add(name="enable_eviction", number=4, label=optional, type=_Field.TYPE_BOOL)
    message.field.add(name="prefix", number=5, label=optional, type=_Field.TYPE_STRING)
    message.field.add(name="sharing_name", number=6, label=optional, type=_Field.TYPE_STRING)
    return file
