/**
 * The composition root of the confined process: the one place that names the
 * concrete stores, puts everything together, and takes it apart again.
 *
 * @module
 */

import { join } from "node:path";
import denoConfig from "../deno.json" with { type: "json" };
import { caseWarning, ignoresCase } from "../workers/letter_case.ts";
import { MANIFEST_FILE } from "../workers/root_names.ts";
import type { GroupNumber } from "../workers/shared_modes.ts";
import { BlobCache } from "./blobs/blob_cache.ts";
import {
  BlobError,
  type BlobStore,
  type LocalFiles,
} from "./blobs/blob_store.ts";
import { SpareBuffers } from "./blobs/spare_buffers.ts";
import { WorkerBlobStore } from "./blobs/worker_blob_store.ts";
import { systemClock } from "./clock.ts";
import {
  type Config,
  isInherited,
  isLoopback,
  isUnix,
  listenerWarnings,
  settingsOf,
  speaksTls,
  type UnixAddress,
  whereIs,
} from "./config.ts";
import { takeOver } from "./systemd/take_over.ts";
import { Access, type Door } from "./access/access.ts";
import { whyNotShared } from "./access/shared_files.ts";
import { watchersBy } from "./access/watchers.ts";
import { areAllGrouped } from "./config/shared.ts";
import { Catalog } from "./engine/catalog.ts";
import { Engine, type EngineOptions } from "./engine/engine.ts";
import { boundedLog } from "./log/bounded_log.ts";
import { Evictor } from "./engine/evictor.ts";
import { MemoryBudget } from "./engine/memory_budget.ts";
import { bytesFill, countFill, fillsOf } from "./engine/fills.ts";
import { FirstStart } from "./root/first_start.ts";
import { diskFull, notOpened } from "./root/full_disk.ts";
import { refuseTooSmallDisk } from "./engine/free_space.ts";
import { Known } from "./engine/known.ts";
import { Pictures } from "./engine/pictures.ts";
import { Pieces } from "./engine/pieces.ts";
import { recover } from "./engine/recovery.ts";
import { RequestShare } from "./engine/request_share.ts";
import { lockRoot } from "./root/root_lock.ts";
import { closeRoot, openRoot, tryGroups } from "./root/shared_root.ts";
import { leftWords, stopWords } from "./engine/stop_words.ts";
import { Sweeper } from "./engine/sweeper.ts";
import { Uploads } from "./engine/uploads.ts";
import { StartError } from "./errors.ts";
import type { Log } from "./log/log.ts";
import { MAX_SHOWN_WORK } from "./limits.ts";
import type { RunningServer, ServedConfig } from "./launch/running_server.ts";
import type { Manifest } from "./manifest/manifest.ts";
import { SqliteManifest } from "./manifest/sqlite_manifest.ts";
import { CallLog, together } from "./ops/call_log.ts";
import { LoopDelay } from "./ops/loop_delay.ts";
import { Observation } from "./ops/observation.ts";
import { Edge } from "./rpc/edge.ts";
import { healthService } from "./rpc/health_service.ts";
import { localService } from "./rpc/local_service.ts";
import type { Paths } from "./rpc/cache_options.ts";
import { cacheService } from "./rpc/cache_service.ts";
import { Readiness } from "./rpc/readiness.ts";
import { reflectionService } from "./rpc/reflection_service.ts";
import { largestValue } from "./rpc/replies.ts";
import { authenticateBy } from "./rpc/rights.ts";
import { remoteService } from "./rpc/remote_service.ts";
import type { Service } from "./rpc/service.ts";
import { Certificates } from "./tls/certificates.ts";
import { REFUSED_HANDSHAKES } from "./tls/refusals.ts";
import { watchService } from "./rpc/watch.ts";

/** Calls that are under way get this long to end after the drain. */
const CLOSE_LIMIT_MS = 1_000;

/** Of the memory for calls: for requests of up to 64 KiB. */
const SMALL_REQUESTS_SHARE = 1 / 6;
/** No refusal of a start and no end that was asked for: `EX_SOFTWARE`. */
const EXIT_BROKEN = 70;

/** What those who watch are told of calls that a limit refused. */
const CALL_REFUSALS = {
  manyCalls: "calls",
  unfinished: "unfinished-requests",
  callerCalls: "caller-calls",
  callerUpload: "caller-upload",
} as const;

const { version } = denoConfig;

/** What a server keeps its entries in. */
export interface Stores {
  readonly manifest: Manifest;
  readonly blobs: BlobStore & { readonly local: LocalFiles };
}

/**
 * Serves a root until it is drained. Resolves when every API answers. `wrap`
 * decorates the stores, to let them fail.
 */
export async function serve(
  config: ServedConfig,
  log: Log,
  wrap: (stores: Stores) => Stores = (stores) => stores,
): Promise<RunningServer> {
  await using stack = new AsyncDisposableStack();
  const { root, heartbeatIntervalMs, heartbeatTimeoutMs } = config;
  const { shared } = config;
  const served = { heartbeatIntervalMs, heartbeatTimeoutMs, shared };
  const groups = groupNumbers(config);
  const start = new FirstStart(root);
  const lock = await lockRoot(root);
  let answers = false;
  stack.defer(async () => {
    if (answers) return lock.release();
    // What cannot be undone stays: why the start has failed is to be told.
    try {
      start.undo();
    } catch {
      // So it is.
    }
    await lock.discard().catch(() => lock.release());
  });

  start.tag();
  closeRoot(root, { shared });
  tryGroups(root, groups);

  const { traceRatio: ratio } = config;
  const traces = ratio === undefined ? undefined : (
    await import("./ops/traces/server_traces.ts")
  ).serverTraces({ ratio, clock: systemClock, version }, log);
  const clock = traces?.clock(systemClock) ?? systemClock;
  const { warn } = stack.use(boundedLog(log, clock));
  const certificates = await openCertificates(config, log, stack);
  const access = config.access === undefined ? undefined : stack.use(
    await Access.open(config.access, {
      ...{ clock: systemClock, log },
      // What is confined is not told its user; the root is that user's.
      serverUid: (await Deno.stat(root)).uid,
      ...isEverybodys(config) && {
        refuse: (rules) => whyNotShared(rules, doorOf(config, "local")),
      },
    }),
  );
  const spare = stack.use(new SpareBuffers(systemClock));
  const watched = config.http && new Observation({
    quotas: config.quotas,
    refusals: Object.keys(CALL_REFUSALS),
    handshakes: certificates ? REFUSED_HANDSHAKES : [],
  });
  const [sqlite, workers] = await openStores(
    config,
    { spare, watched, ...shared && { shared: groups } },
    stack,
  );
  if (shared) openRoot(root);
  await refuseTooSmallDisk(config.minFree, workers);
  await lock.update(served);
  if (ignoresCase(join(root, MANIFEST_FILE))) {
    const { text, remedy } = caseWarning(root);
    warn(`${text}; ${remedy}`);
  }
  const wrapped = wrap({ manifest: sqlite, blobs: workers });
  const { manifest, blobs } = traces?.stores(wrapped) ?? wrapped;
  const cache = new BlobCache(
    blobs,
    config.memoryCacheBytes,
    // Frees it at once: V8 does not count its bytes, and would keep it for long.
    (buffer) => void buffer.transfer(0),
  );
  const callBytes = config.memoryBudgetBytes - config.memoryCacheBytes;
  const smallBytes = callBytes * SMALL_REQUESTS_SHARE;
  const budget = new MemoryBudget({
    totalBytes: callBytes - smallBytes,
    onShort: () => spare.clear(),
  });
  const requestBudget = new RequestShare(budget, {
    shareBytes: (callBytes - smallBytes) / 2,
    smallBytes,
  });
  const callLog = config.logCalls === "off"
    ? undefined
    : stack.use(new CallLog(log, clock, config.logCalls));
  const observe = together([
    watched?.calls.observe,
    callLog?.observe,
    traces?.observe,
  ]);
  const edge = new Edge({
    warn,
    maxMessageBytes: config.maxMessageBytes,
    newBuffer: (bytes) => spare.take(bytes),
    requestBudget,
    ...observe && { observe },
    ...traces && { around: traces.around },
    onRefused(reason, detail) {
      watched?.onRefused(reason);
      engine.lately.note("refused", { reason: CALL_REFUSALS[reason], detail });
    },
    onRefusedHandshake(reason) {
      watched?.onRefusedHandshake(reason);
      engine.lately.note("refused", { reason: `tls-${reason}` });
    },
    onDrop(reason) {
      if (reason !== "crowded") return;
      engine.lately.note("refused", { reason: "connections" });
    },
    isContended: () => requestBudget.contended,
    maxConnections: config.maxConnections,
    maxStreams: config.maxStreams,
    handshakeTimeoutMs: config.handshakeTimeoutMs,
    idleBodyTimeoutMs: config.idleBodyTimeoutMs,
    stallTimeoutMs: config.stallTimeoutMs,
    keepaliveMs: config.keepaliveMs,
    keepaliveTimeoutMs: config.keepaliveTimeoutMs,
  });
  const newEngine = traces?.newEngine ?? ((options) => new Engine(options));
  const engine: Engine = newEngine({
    manifest,
    blobs,
    cache,
    clock,
    budget,
    warn,
    onBroken(thrown) {
      log(
        `the server ends, since its state is not to be trusted: ${
          thrown instanceof Error ? thrown.stack : thrown
        }`,
        { level: "error" },
      );
      // What was acknowledged is on the disk; the launcher starts another one.
      Deno.exit(EXIT_BROKEN);
    },
    table: {
      leaseTimeoutMs: heartbeatTimeoutMs,
      restartGraceMs: config.restartGraceMs,
      handleLeaseMs: config.handleLeaseMs,
      quotas: quotasOf(config),
      ...watched && { observer: watched.namespaces },
      ...config.maxComputeMs !== undefined && {
        maxComputeMs: config.maxComputeMs,
      },
      maxValueBytes: largestValue(
        Math.min(config.maxReplyBytes, config.maxMessageBytes),
      ),
    },
  });
  stack.defer(() => engine.close());
  engine.noticeStandstills();
  const graceEndsMs = clock.wallMs() + config.restartGraceMs;
  const evictor = new Evictor({
    engine,
    manifest,
    blobs,
    clock,
    warn,
    minFree: config.minFree,
    handleLeaseMs: config.handleLeaseMs,
    ...config.maxAgeMs !== undefined && { maxAgeMs: config.maxAgeMs },
  });
  stack.defer(() => evictor.close());
  // What was captured is published only where there is room for it.
  await evictor.look();
  await recover({ engine, manifest, blobs, graceEndsMs, warn });
  await evictor.start();

  const { local: files } = blobs;
  const paths: Paths = {
    path: (name) => files.path(name),
    stagingPath: (staging) => files.stagingPath(staging),
  };
  const readiness = new Readiness();
  const space = new Known(() => blobs.space(), clock);
  const usage = new Known(() => manifest.usage(), clock);
  const catalog = new Catalog({
    warn,
    root: config.root,
    engine,
    manifest,
    blobs,
    space,
    evictor,
    clock,
    limits: {
      ...config.maxBytes !== undefined && { maxBytes: config.maxBytes },
      ...config.maxEntries !== undefined && {
        maxEntries: config.maxEntries,
      },
    },
    damaged: () => workers.stats.damaged,
  });
  const pictures = new Pictures({
    ...{ catalog, usage, lately: engine.lately, clock, version },
    phase: () => readiness.phase,
    fills: (status) =>
      fillsOf({
        ...status,
        space: status.space,
        quotas: engine.quotas,
        others: [
          bytesFill(
            "--memory-budget-bytes",
            budget.usedBytes + cache.stats.bytes,
            config.memoryBudgetBytes,
          ),
          bytesFill(
            "--memory-cache-bytes",
            cache.stats.bytes,
            config.memoryCacheBytes,
          ),
          countFill(
            "--max-connections",
            edge.stats.connections,
            config.maxConnections,
          ),
        ],
      }),
  });
  const parts = {
    heartbeatIntervalMs,
    budget,
    pieces: new Pieces({ engine, blobs, budget, warn }),
    uploads: new Uploads({ files, budget, engine, warn }),
    ...{ catalog, version },
    log: warn,
  };
  const forTools = [
    watchService({ pictures, readiness, clock }),
    healthService(readiness),
    reflectionService(budget),
  ];
  const services: Record<"local" | "remote", () => readonly Service[]> = {
    local: () => [
      localService(engine, { heartbeatIntervalMs, ...paths }),
      cacheService(engine, { ...parts, paths }),
      ...forTools,
    ],
    remote: () => [
      remoteService(engine, { heartbeatIntervalMs }),
      cacheService(engine, parts),
      ...forTools,
    ],
  };
  // Not before: whoever connects meanwhile waits where the next server finds them,
  // should this one not get so far.
  const { config: settled, sockets } = stack.use(
    await takeOver(config, config.descriptors ?? new Map(), log),
  );
  for (const warning of listenerWarnings(settled)) warn(warning);
  // Recovered: what answers from here on is ready.
  readiness.enter("ready");
  async function answer(
    kind: "local" | "remote",
  ): Promise<string | undefined> {
    const given = settled[kind];
    if (!given) return undefined;
    const door = doorOf(settled, kind);
    const who = access ? { authenticate: authenticateBy(access, door) } : {};
    const secured = certificates && door.isTls
      ? { certificates, ...who }
      : undefined;
    const address = whereIs(given);
    const taken = sockets[kind];
    const listener = taken
      ? await edge.listenInherited(
        address,
        taken,
        services[kind](),
        secured ?? who,
      )
      : isUnix(given)
      ? await edge.listenUnix(socketOf(config, given), services[kind](), who)
      : secured
      ? await edge.listenTls(address, services[kind](), secured)
      : edge.listen(address, services[kind](), who);
    stack.defer(() => listener.close(CLOSE_LIMIT_MS));
    return listener.address;
  }
  const localAddress = await answer("local");
  const remoteAddress = await answer("remote");
  let httpAddress: string | undefined;
  if (settled.http && watched) {
    const { serveMetrics } = await import("./ops/serve_metrics.ts");
    const door = doorOf(settled, "http");
    const { http } = settled;
    const listener = await serveMetrics({
      address: isInherited(http)
        ? { name: whereIs(http), taken: sockets.http! }
        : http,
      ...(certificates && door.isTls) && { certificates },
      ...access && { admit: watchersBy(access, door) },
      hosts: config.httpHosts,
      hasPage: config.httpPage,
      phase: () => readiness.phase,
      async prepare() {
        await Promise.all([space.refresh(), usage.refresh()]);
      },
      ...{ warn, pictures, clock, counted: watched },
      settings: settingsOf(settled),
      read: {
        version,
        isReady: () => readiness.isReady,
        startedS: (clock.wallMs() - clock.nowMs()) / 1_000,
        space: () => space.current,
        usage: () => usage.current ?? [],
        certificates: () => certificates?.ends ?? [],
        loop: stack.use(new LoopDelay(clock)),
        limits: config,
        ...{ engine, evictor, manifest, blobs, workers, cache, budget, edge },
        pictures,
      },
    });
    httpAddress = stack.use(listener).address;
  }
  const addresses = {
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(httpAddress === undefined ? {} : { httpAddress }),
  };
  await lock.update({ ...served, ...addresses });

  const sweeper = new Sweeper({ engine, manifest, blobs, clock, warn });
  stack.defer(() => sweeper.close());
  sweeper.start();

  answers = true;
  const running = stack.move();
  const closed = Promise.withResolvers<void>();
  let draining = false;
  return {
    ...addresses,
    closed: closed.promise,
    ...(certificates ?? access) && {
      async reload() {
        await Promise.all([certificates?.look(), access?.look()]);
      },
    },
    async drain() {
      if (draining) return await closed.promise;
      draining = true;
      readiness.enter("draining");
      const { drainTimeoutMs } = config;
      const working = () => engine.underWay(MAX_SHOWN_WORK);
      for (const { message, facts } of stopWords(working(), drainTimeoutMs)) {
        log(message, facts);
      }
      await engine.drain(drainTimeoutMs);
      readiness.enter("stopped");
      const left = leftWords(working());
      if (left) log(left.message, left.facts);
      await running.disposeAsync();
      closed.resolve();
    },
  };
}

/** A Unix domain socket as it is wanted. */
function socketOf(
  { socketMode: mode, socketGroup }: ServedConfig,
  { path }: UnixAddress,
): { readonly path: string; readonly mode: number; readonly group?: number } {
  if (socketGroup === undefined) return { path, mode };
  const group = Number(socketGroup);
  if (Number.isInteger(group)) return { path, mode, group };
  throw new StartError(
    2,
    `--confined needs the number of --socket-group ${socketGroup}`,
  );
}

/** Whether there are values that every user of the machine may read. */
function isEverybodys({ shared, sharedGroups }: ServedConfig): boolean {
  return shared && !areAllGrouped(sharedGroups);
}

/** Whose group may read what. */
function groupNumbers({ sharedGroups }: ServedConfig): GroupNumber[] {
  return sharedGroups.map(({ pattern, group }) => {
    const gid = Number(group);
    if (Number.isInteger(gid)) return { pattern, gid };
    throw new StartError(
      2,
      `--confined needs the numbers of --shared-groups, and ${group} is none`,
    );
  });
}

/** A listener that is served, as access sees it. */
function doorOf(config: ServedConfig, kind: Door["kind"]): Door {
  const address = config[kind];
  return {
    kind,
    isTls: speaksTls(config, kind),
    isHere: address !== undefined && isLoopback(address),
  };
}

/** What TLS needs, where it is spoken. */
async function openCertificates(
  { tlsCert, tlsKey, clientCa }: ServedConfig,
  log: Log,
  stack: AsyncDisposableStack,
): Promise<Certificates | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const files = {
    cert: tlsCert,
    key: tlsKey,
    ...clientCa !== undefined && { ca: clientCa },
  };
  return stack.use(await Certificates.open(files, { clock: systemClock, log }));
}

/** The limits of all namespaces are one quota more. */
function quotasOf(
  { maxBytes, maxEntries, quotas }: Config,
): NonNullable<EngineOptions["table"]["quotas"]> {
  const whole = {
    pattern: "*",
    ...maxBytes !== undefined && { maxBytes },
    ...maxEntries !== undefined && { maxEntries },
  };
  return [whole, ...quotas];
}

/**
 * The manifest first, which says whether the root is ours: until then nothing
 * is made in it. Whatever was opened is closed with the stack.
 */
async function openStores(
  { root, durability, workers, bootId }: ServedConfig,
  { spare, watched, shared }: {
    readonly spare: SpareBuffers;
    readonly watched: Observation | undefined;
    readonly shared?: readonly GroupNumber[];
  },
  stack: AsyncDisposableStack,
): Promise<[SqliteManifest, WorkerBlobStore]> {
  const { wallMs } = systemClock;
  const manifest = stack.use(
    await SqliteManifest.open({
      root,
      durability,
      makes: "where-fresh",
      wallMs,
      ...watched && { onTook: watched.manifestTimes.took },
    }).catch((error) => {
      throw notOpened(root, error);
    }),
  );
  try {
    const blobs = await WorkerBlobStore.open({
      root,
      durability,
      workers,
      spare,
      ...watched && { onTook: watched.blobTimes.took },
      ...bootId !== undefined && { bootId },
      ...shared && { shared },
    });
    return [manifest, stack.use(blobs)];
  } catch (error) {
    throw refusal(root, error);
  }
}

/** A root that holds something foreign is a reason to stop, not a crash. */
function refusal(root: string, reason: unknown): unknown {
  if (!(reason instanceof BlobError)) return reason;
  if (reason.code === "full") return diskFull(root, reason);
  return new StartError(
    1,
    `cannot serve root ${root}: ${reason.message}: ` +
      "move it aside and start again",
    { cause: reason },
  );
}
