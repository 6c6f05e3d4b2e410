"""The descriptors of Envoy's API (v3), and message classes made from them at run time.

The generated package ``xds-protos`` must not be installed beside ``opentelemetry-proto``: it replaces that
package's modules by old ones. So the build takes its descriptors only (``hatch_build.py``); they live in a
pool of their own, apart from every generated module of this process.
"""

import functools
from importlib import resources

from google.protobuf import (
    any_pb2,
    api_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    message_factory,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)
from google.protobuf.message import Message

from vigla.wire.envoy.amendments import amend

WELL_KNOWN = (
    api_pb2,
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)
DESCRIPTORS = "descriptors.binpb"


@functools.cache
def pool() -> descriptor_pool.DescriptorPool:
    """The pool that holds Envoy's API; filled at the first call (about 0.1 s)."""
    content = resources.files("vigla.wire.envoy").joinpath(DESCRIPTORS).read_bytes()
    files = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(content).file}
    for module in WELL_KNOWN:
        name = module.DESCRIPTOR.name
        module.DESCRIPTOR.CopyToProto(files.setdefault(name, descriptor_pb2.FileDescriptorProto()))
    amend(files)
    made = descriptor_pool.DescriptorPool()
    added: set[str] = set()

    def add(name: str) -> None:
        if name not in added:
            added.add(name)
            for dependency in files[name].dependency:
                add(dependency)
            made.Add(files[name])

    for name in files:
        add(name)
    return made


@functools.cache
def message_class(name: str) -> type[Message]:
    """The class of a message by its full name, as ``envoy.config.cluster.v3.Cluster``.

    Raises:
        KeyError: there is no such message.
    """
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(name))
