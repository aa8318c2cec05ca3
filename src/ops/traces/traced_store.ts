/**
 * Stores whose operations are parts of the traces of the calls that wait for
 * them.
 *
 * @module
 */

import { type Span, SpanStatusCode } from "@opentelemetry/api";
import type { BlobStore, LocalFiles } from "../../blobs/blob_store.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import type { Traces } from "./traces.ts";

type Method = (...args: unknown[]) => unknown;

/** What a server keeps its entries in. */
export interface Stores {
  readonly manifest: Manifest;
  readonly blobs: BlobStore & { readonly local: LocalFiles };
}

/** Stores with a span for each operation of a traced call. */
export function tracedStores(
  { manifest, blobs }: Stores,
  traces: Traces,
): Stores {
  const local = traced(blobs.local, "files", traces);
  return {
    manifest: traced(manifest, "manifest", traces),
    blobs: traced(blobs, "blobs", traces, { local }),
  };
}

/** Each of its operations that takes time is a part: `manifest.claim`, … */
function traced<Store extends object>(
  store: Store,
  name: string,
  traces: Traces,
  others: Partial<Store> = {},
): Store {
  const known = new Map<PropertyKey, Method>();
  return new Proxy(store, {
    get(target, property) {
      if (property in others) return Reflect.get(others, property);
      // The store itself is `this`, for it has fields that only it can see.
      const member = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      const method = known.get(property) ?? ((...args: unknown[]) => {
        const part = traces.part(`${name}.${String(property)}`);
        const result = member.apply(target, args);
        if (part === undefined || !(result instanceof Promise)) return result;
        return untilSettled(part, result);
      });
      known.set(property, method);
      return method;
    },
  });
}

async function untilSettled<T>(span: Span, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    // Not its message, which may name a path.
    const { code } = error as { readonly code?: unknown };
    if (typeof code === "string") span.setAttribute("error.type", code);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
