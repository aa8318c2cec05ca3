/**
 * A receiver of traces: OTLP by HTTP, as JSON.
 *
 * @module
 */

/** A span, as far as tests look at it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 is internal, 2 a server's. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
  readonly status: { readonly code: number };
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly ReceivedSpan[];
    }[];
  }[];
}

/** Takes whatever is sent. */
export class OtlpReceiver implements AsyncDisposable {
  /** What has come, in its order. */
  readonly spans: ReceivedSpan[] = [];
  /** The ends of the addresses that it came to: `traces`. */
  readonly signals = new Set<string>();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      this.signals.add(request.url.split("/v1/")[1]!);
      const { resourceSpans = [] }: Exported = await request.json();
      this.spans.push(
        ...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans)
          .flatMap(({ spans }) => spans),
      );
      return Response.json({});
    },
  );

  /** What an exporter is told, to send everything here at once. */
  get environment(): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    };
  }

  /** The spans of one trace, by their names. */
  trace(traceId: string): Map<string, ReceivedSpan> {
    return new Map(
      this.spans.filter((span) => span.traceId === traceId)
        .map((span) => [span.name, span]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** What a span says under a name. */
export function attribute(
  span: ReceivedSpan | undefined,
  key: string,
): unknown {
  const found = span?.attributes.find((each) => each.key === key);
  return Object.values(found?.value ?? {})[0];
}
