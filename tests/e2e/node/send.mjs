// Sends the trace that conftest.py describes with the OpenTelemetry SDK for JavaScript, and prints its ids.
// Usage: node send.mjs <http|proto|grpc> <endpoint> <service> <base time, Unix nanoseconds>
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const [kind, url, service, base] = process.argv.slice(2);
const Exporter = { http: JsonExporter, proto: ProtoExporter, grpc: GrpcExporter }[kind];
const at = (milliseconds) => {
  const ns = BigInt(base) + BigInt(milliseconds) * 1_000_000n;
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
};

const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": service, "service.version": "1.2", "host.cpus": 4 }),
  spanProcessors: [new BatchSpanProcessor({ exporter: new Exporter({ url }) })],
});
const tracer = provider.getTracer("e2e.scope", "0.3");

const root = tracer.startSpan(
  "checkout",
  {
    kind: SpanKind.SERVER,
    startTime: at(0),
    attributes: {
      "http.route": "/cart/{id}",
      "http.response.status_code": 500,
      retry: true,
      ratio: 0.25,
      ids: [1, 2],
      greeting: "grüß dich \u{1F600}",
    },
  },
  ROOT_CONTEXT,
);
root.addEvent("exception", { "exception.message": "no stock", attempt: 2 }, at(200));
root.setStatus({ code: SpanStatusCode.ERROR, message: "boom" });
const child = tracer.startSpan(
  "charge",
  {
    kind: SpanKind.CLIENT,
    startTime: at(100),
    links: [
      {
        context: {
          traceId: "0af7651916cd43dd8448eb211c80319c",
          spanId: "b7ad6b7169203331",
          traceFlags: TraceFlags.SAMPLED,
        },
        attributes: { "link.reason": "retry" },
      },
    ],
  },
  trace.setSpan(ROOT_CONTEXT, root),
);
child.end(at(300));
root.end(at(500));

await provider.forceFlush();
await provider.shutdown();
const { traceId, spanId } = root.spanContext();
console.log(JSON.stringify({ trace_id: traceId, root_id: spanId, child_id: child.spanContext().spanId }));
