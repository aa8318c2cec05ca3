/**
 * All that a server tells of itself, as families of metrics.
 *
 * @module
 */

import type { BlobCacheStats } from "../blobs/blob_cache.ts";
import type { BlobStore, Space } from "../blobs/blob_store.ts";
import type { Engine } from "../engine/engine.ts";
import type { Evictor } from "../engine/evictor.ts";
import type { Pictures } from "../engine/pictures.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { FilledQuota } from "../table/room.ts";
import type { NamespaceUsage } from "../table/types.ts";
import type { CallTallies } from "./call_tallies.ts";
import { type Family, single } from "./family.ts";
import type { LoopDelay } from "./loop_delay.ts";
import type { NamespaceTallies } from "./namespace_tallies.ts";
import type { Times } from "./times.ts";

/** What is counted as it happens, from the first call on. */
export interface Counted {
  readonly calls: CallTallies;
  readonly namespaces: NamespaceTallies;
  /** Calls that a limit refused, by its name. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Clients that TLS did not let in, by why. */
  readonly handshakes: ReadonlyMap<string, number>;
  /** Operations of the blob workers … */
  readonly blobTimes: Times;
  /** … and of the manifest. */
  readonly manifestTimes: Times;
}

/** What is read when somebody asks. */
export interface Read {
  readonly version: string;
  readonly isReady: () => boolean;
  readonly engine: Pick<Engine, "counts" | "full" | "kept" | "quotas">;
  /** What is kept of each namespace, as far as it is known. */
  readonly usage: () => readonly NamespaceUsage[];
  readonly pictures: Pick<Pictures, "watches">;
  readonly evictor: Pick<Evictor, "stats" | "reasons">;
  readonly blobs: Pick<BlobStore, "trouble">;
  readonly manifest: Pick<Manifest, "trouble">;
  /** As far as it is known. */
  readonly space: () => Space | undefined;
  readonly workers: {
    readonly stats: {
      readonly damaged: number;
      readonly quarantined: number;
    };
    readonly underWay: { readonly operations: number; readonly bytes: number };
  };
  readonly cache: { readonly stats: BlobCacheStats };
  readonly budget: { readonly usedBytes: number; readonly contended: boolean };
  readonly limits: {
    readonly maxBytes: number | undefined;
    readonly maxEntries: number | undefined;
    readonly maxConnections: number;
    readonly memoryBudgetBytes: number;
  };
  readonly edge: {
    readonly stats: {
      readonly connections: number;
      readonly openCalls: number;
      readonly unfinishedRequests: number;
      readonly unfinishedBytes: number;
    };
    /** How many connections are at what. */
    readonly connectionStates: Readonly<Record<string, number>>;
  };
  /** When the certificates of TLS end; none without TLS. */
  readonly certificates: () => readonly {
    readonly of: string;
    readonly endMs: number;
  }[];
  readonly loop: LoopDelay;
  /** When the process began, in seconds since 1970. */
  readonly startedS: number;
}

/** The families of a server. */
export function serverMetrics(counted: Counted, read: Read): Family[] {
  return [
    ...counted.calls.families(),
    ...counted.namespaces.families(),
    ...ofEntries(read),
    ...ofNamespaces(counted, read),
    ...ofDisk(counted, read),
    ...ofMemory(read),
    ...ofEdge(counted, read),
    ...ofProcess(read),
  ];
}

const gauge = (name: string, help: string, read: () => number): Family =>
  single("gauge", name, help, read);
const counter = (name: string, help: string, read: () => number): Family =>
  single("counter", name, help, read);

function ofEntries({ engine, evictor, limits }: Read): Family[] {
  const { maxBytes, maxEntries } = limits;
  return [
    gauge(
      "larder_entries",
      "Values that are ready.",
      () => engine.kept.entries,
    ),
    gauge("larder_kept_bytes", "What they take.", () => engine.kept.bytes),
    gauge(
      "larder_max_entries",
      "How many there may be; 0: any number.",
      () => maxEntries ?? 0,
    ),
    gauge(
      "larder_max_bytes",
      "What they may take; 0: what the disk has.",
      () => maxBytes ?? 0,
    ),
    {
      type: "gauge",
      name: "larder_under_way",
      help: "Work that is computed or published, what is handed out, and " +
        "Fetches that wait for somebody's work.",
      read: () => {
        const { loading, publishing, handles, waiting } = engine.counts();
        return Object.entries({ loading, publishing, handles, waiting })
          .map(([state, value]) => ({ labels: { state }, value }));
      },
    },
    {
      type: "counter",
      name: "larder_evicted_values_total",
      help: "Values that went because room was needed, nobody had used them " +
        "for --max-age, or their time to live was over.",
      read: () =>
        Object.entries(evictor.reasons).map(([reason, value]) => ({
          labels: { reason },
          value,
        })),
    },
    counter(
      "larder_evicted_bytes_total",
      "What those had taken that went for room or age.",
      () => evictor.stats.bytes,
    ),
  ];
}

function ofNamespaces(
  { namespaces }: Counted,
  { engine, usage }: Read,
): Family[] {
  const each = (name: string, help: string, of: "bytes" | "entries") => ({
    type: "gauge" as const,
    name,
    help,
    read: () =>
      namespaces.kept(usage()).map(({ label, [of]: value }) => ({
        labels: { namespace: label },
        value,
      })),
  });
  return [
    each(
      "larder_namespace_kept_bytes",
      "What the ready values take.",
      "bytes",
    ),
    each("larder_namespace_entries", "Values that are ready.", "entries"),
    ofQuotas(
      "larder_quota_bytes",
      "What the values of these namespaces may take.",
      ({ maxBytes }) => maxBytes,
    ),
    ofQuotas(
      "larder_quota_used_bytes",
      "What they take; of quotas within each other, each counts all its own.",
      ({ maxBytes, usedBytes }) =>
        maxBytes === undefined ? undefined : usedBytes,
    ),
  ];

  function ofQuotas(
    name: string,
    help: string,
    of: (quota: FilledQuota) => number | undefined,
  ): Family {
    return {
      type: "gauge",
      name,
      help,
      read: () =>
        engine.quotas.flatMap((quota) => {
          const value = of(quota);
          return value === undefined
            ? []
            : [{ labels: { namespace: quota.pattern }, value }];
        }),
    };
  }
}

function ofDisk(
  { blobTimes, manifestTimes }: Counted,
  { blobs, engine, manifest, space, workers }: Read,
): Family[] {
  return [
    counter(
      "larder_damaged_total",
      "Looks at a value that found other bytes than were published.",
      () => workers.stats.damaged,
    ),
    counter(
      "larder_quarantined_total",
      "Values that were moved out of the way because of that.",
      () => workers.stats.quarantined,
    ),
    gauge(
      "larder_disk_trouble",
      "1: no value can be kept now. Hits are served all the same.",
      () =>
        blobs.trouble || manifest.trouble || engine.full !== undefined ? 1 : 0,
    ),
    {
      type: "gauge",
      name: "larder_disk_free_bytes",
      help: "Free on the root's disk.",
      read: () => ofSpace(space()?.freeBytes),
    },
    {
      type: "gauge",
      name: "larder_disk_bytes",
      help: "The size of the root's disk.",
      read: () => ofSpace(space()?.totalBytes),
    },
    gauge(
      "larder_blob_queue_operations",
      "Operations that wait for a blob worker, or that one does.",
      () => workers.underWay.operations,
    ),
    gauge(
      "larder_blob_queue_bytes",
      "Values that those hold in memory.",
      () => workers.underWay.bytes,
    ),
    blobTimes.family(
      "larder_blob_operation_duration_seconds",
      "What operations on files took, queueing included.",
    ),
    manifestTimes.family(
      "larder_manifest_operation_duration_seconds",
      "What operations of the manifest took, queueing included.",
    ),
  ];
}

/** Absent where it is not known: 0 would be an alert. */
function ofSpace(bytes: number | undefined) {
  return bytes === undefined ? [] : [{ value: bytes }];
}

function ofMemory({ budget, cache, limits }: Read): Family[] {
  return [
    gauge(
      "larder_memory_budget_used_bytes",
      "Memory of calls in flight, without the hot values.",
      () => budget.usedBytes,
    ),
    gauge(
      "larder_memory_budget_bytes",
      "What calls in flight and hot values may take together.",
      () => limits.memoryBudgetBytes,
    ),
    gauge(
      "larder_memory_budget_contended",
      "1: somebody waits for memory now.",
      () => budget.contended ? 1 : 0,
    ),
    gauge(
      "larder_hot_bytes",
      "Hot values in memory.",
      () => cache.stats.bytes,
    ),
  ];
}

function ofEdge(
  { refusals, handshakes }: Counted,
  { edge, limits, pictures, certificates }: Read,
): Family[] {
  return [
    gauge(
      "larder_connections",
      "Open connections.",
      () => edge.stats.connections,
    ),
    gauge(
      "larder_max_connections",
      "How many there may be.",
      () => limits.maxConnections,
    ),
    {
      type: "gauge",
      name: "larder_connections_by_state",
      help:
        "Open connections: opening, until the client has said what it is; " +
        "busy with calls; idle; or leaving, told to go.",
      read: () =>
        Object.entries(edge.connectionStates)
          .map(([state, value]) => ({ labels: { state }, value })),
    },
    gauge(
      "larder_watches",
      "Those who watch the server: larder top, and its page.",
      () => pictures.watches,
    ),
    gauge("larder_open_calls", "Open calls.", () => edge.stats.openCalls),
    gauge(
      "larder_unfinished_requests",
      "Requests that have begun and not ended.",
      () => edge.stats.unfinishedRequests,
    ),
    gauge(
      "larder_unfinished_request_bytes",
      "What has come of those.",
      () => edge.stats.unfinishedBytes,
    ),
    {
      type: "counter",
      name: "larder_refused_calls_total",
      help: "Calls that were refused, by the limit: too many open ones, " +
        "requests that did not end, or too many or too large ones of one " +
        "caller.",
      read: () =>
        [...refusals].map(([limit, value]) => ({ labels: { limit }, value })),
    },
    {
      type: "counter",
      name: "larder_refused_handshakes_total",
      help: "Clients that TLS did not let in, by why: no certificate or one " +
        "that nobody vouches for, plain text, no HTTP/2, ended by the client.",
      read: () =>
        [...handshakes]
          .map(([reason, value]) => ({ labels: { reason }, value })),
    },
    {
      type: "gauge",
      name: "larder_tls_certificate_expiry_timestamp_seconds",
      help: "When the server's certificate ends, and the first one of those " +
        "that vouch for clients, in seconds since 1970; absent without TLS.",
      read: () =>
        certificates().map(({ of, endMs }) => ({
          labels: { certificate: of },
          value: endMs / 1_000,
        })),
    },
  ];
}

function ofProcess({ version, isReady, loop, startedS }: Read): Family[] {
  const delay = "larder_event_loop_delay_seconds";
  return [
    {
      type: "gauge",
      name: "larder_info",
      help: "Always 1; the version of the server.",
      read: () => [{ labels: { version }, value: 1 }],
    },
    gauge(
      "larder_ready",
      "1: it takes calls; 0: it stops.",
      () => isReady() ? 1 : 0,
    ),
    {
      type: "histogram",
      name: delay,
      help: "How late the event loop was, looked at ten times a second.",
      read: () => loop.delays.samples(delay, {}),
    },
    gauge(
      "process_start_time_seconds",
      "When the process began, in seconds since 1970.",
      () => startedS,
    ),
    gauge(
      "process_resident_memory_bytes",
      "Memory of the server process.",
      () => Deno.memoryUsage().rss,
    ),
    gauge(
      "larder_heap_used_bytes",
      "Of the main isolate's heap, what is in use.",
      () => Deno.memoryUsage().heapUsed,
    ),
  ];
}
