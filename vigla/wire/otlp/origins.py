"""Where spans come from: the resource and scope entries of a batch, each made into text once."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.otlp import text
from vigla.wire.otlp.attributes import Attributes

SERVICE_NAME = "service.name"
MISSING = "missing-service-name"
EMPTY = "empty-service-name"
WRONG_TYPE = "service-name-wrong-type"


class Resources:
    """Service names and JSON text of resources, one for each ``ResourceSpans``.

    A service name that is missing, empty or no string is replaced as Jaeger does, in both.

    Attributes:
        services: name of each entry's service.
        texts: attributes of each entry's resource.
    """

    def __init__(self, resource_spans: pa.StructArray) -> None:
        attributes = Attributes(resource_spans.field("resource").field("attributes"))
        named = attributes.column(SERVICE_NAME, "string")
        odd = pc.fill_null(pc.equal(named, ""), True)
        present = attributes.discard(SERVICE_NAME, odd.to_numpy(zero_copy_only=False))
        substitute = pc.if_else(pa.array(present), pc.if_else(pc.is_null(named), WRONG_TYPE, EMPTY), MISSING)
        self.services = pc.if_else(odd, substitute, named)
        texts = attributes.objects()
        self.texts = pc.if_else(odd, _with_service(texts, substitute), texts)


def _with_service(objects: pa.StringArray, names: pa.StringArray) -> pa.StringArray:
    others = text.unless(pc.equal(objects, "{}"), pc.utf8_slice_codeunits(objects, 1, -1))
    name = text.concat(f'"{SERVICE_NAME}":', text.quoted(names))
    return text.concat("{", text.present([others, name]), "}")


def scope_texts(
    scope_spans: pa.StructArray, resource_spans: pa.StructArray, resource_of_scope: npt.NDArray[np.int64]
) -> pa.StringArray:
    """JSON text of scopes, one for each ``ScopeSpans``."""
    scope = scope_spans.field("scope")
    rows = pa.array(resource_of_scope)
    resource_dropped = resource_spans.field("resource").field("dropped_attributes_count")
    return text.objects(
        name=text.string_member(scope.field("name")),
        version=text.string_member(scope.field("version")),
        attributes=text.object_member(Attributes(scope.field("attributes")).objects()),
        schema_url=text.string_member(scope_spans.field("schema_url")),
        resource_schema_url=text.string_member(resource_spans.field("schema_url").take(rows)),
        dropped=text.count_member(scope.field("dropped_attributes_count")),
        resource_dropped=text.count_member(resource_dropped.take(rows)),
    )
