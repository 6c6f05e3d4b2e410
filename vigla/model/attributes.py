r"""How OpenTelemetry attribute values are written as JSON text, and read back.

``attrs``, ``resource`` and the attributes inside ``scope``, ``events`` and ``links`` are one JSON object each,
compact (no spaces), keys in the sender's order. Values keep their OTLP type:

| AnyValue | JSON |
|---|---|
| string | string |
| bool | ``true``, ``false`` |
| int | number without ``.`` or exponent |
| double | number with ``.`` or exponent; ``{"$double":"NaN"}``, ``"Infinity"``, ``"-Infinity"`` |
| bytes | ``{"$bytes":"<base64>"}`` |
| array | array of the same |
| kvlist | object of the same; ``{"$kvlist":[[key,value],..]}`` when a key starts with ``$`` or stands twice |
| no value set | ``null`` |

Other columns:
``scope``: ``{"name":..,"version":..,"attributes":{..},"schema_url":..,"resource_schema_url":..,"dropped":n,
"resource_dropped":n}``, empty and zero members left out, ``{}`` when all are.
``events``: ``[{"ts":<ns>,"name":..,"attributes":{..},"dropped":n}]``.
``links``: ``[{"trace_id":<hex>,"span_id":<hex>,"trace_state":..,"flags":n,"attributes":{..},"dropped":n}]``;
``ts``, ``name``, ``trace_id`` and ``span_id`` always stand, other members only when not empty or zero.
``dropped``: ``{"attributes":n,"events":n,"links":n}``.
"""
