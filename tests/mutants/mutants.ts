/**
 * Places where the table, the engine and the stores can be wrong, one at a time.
 * Each must be noticed by somebody: `run.ts` looks by whom.
 *
 * @module
 */

/** What a file says in one place, and what it is made to say. */
export interface Mutant {
  /** What is wrong then. */
  readonly name: string;
  readonly file: string;
  /** Stands once in the file. */
  readonly from: string;
  readonly to: string;
}

/** From leases to stores. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "a heartbeat adds nothing to the lease",
    file: "src/table/leases.ts",
    from: "    nowMs + s.options.leaseTimeoutMs,\n" + "  );\n" +
      "  s.hold(id, entry);",
    to: "    entry.state.deadlineMs,\n" + "  );\n" + "  s.hold(id, entry);",
  },
  {
    name: "work of a dead holder is never given out",
    file: "src/table/get.ts",
    from:
      "if (nowMs >= state.deadlineMs) return getExpired(s, entry, wait, nowMs);\n",
    to: "",
  },
  {
    name: "a lease ends a millisecond early",
    file: "src/table/get.ts",
    from: "if (nowMs >= state.deadlineMs) return getExpired",
    to: "if (nowMs + 1 >= state.deadlineMs) return getExpired",
  },
  {
    name: "the old holder's id stays good after a takeover",
    file: "src/table/get.ts",
    from: "  s.letGo(id);\n" + "  const token = s.nextToken();\n" +
      "  const proposed",
    to: "  const token = s.nextToken();\n" + "  const proposed",
  },
  {
    name: "a file that is written to is no heartbeat",
    file: "src/table/get.ts",
    from: "if (quietMs < leaseTimeoutMs) {",
    to: "if ((false as boolean) && quietMs < leaseTimeoutMs) {",
  },
  {
    name: "work is given back by whoever says so twice",
    file: "src/table/get.ts",
    from: 'if (state.kind !== "loading" || state.taken?.acknowledged) {\n' +
      '    return s.reply(wait, { kind: "ok" });\n' + "  }\n" + "  takeOver",
    to: 'if (state.kind !== "loading") {\n' +
      '    return s.reply(wait, { kind: "ok" });\n' + "  }\n" + "  takeOver",
  },
  {
    name: "an unknown id is answered with OK",
    file: "src/table/leases.ts",
    from:
      'if (!isOwn) return s.reply(wait, { kind: "error", error: invalid(id) });',
    to: 'if (!isOwn) return s.reply(wait, { kind: "ok" });',
  },
  {
    name: "another caller's id is as good as one's own",
    file: "src/table/leases.ts",
    from: "    row.owner === wait.request.by && mayPublish(",
    to: "    mayPublish(",
  },
  {
    name: "expired work is found by its id no more",
    file: "src/table/leases.ts",
    from: "    adopt(s, adopted, row, { nowMs });\n",
    to: "",
  },
  {
    name: "expired work is kept in memory for ever",
    file: "src/table/leases.ts",
    from: "if (state.deadlineMs + EXPIRED_IN_MEMORY_MS > nowMs) return;",
    to: "return;",
  },
  {
    name: "a second value takes the place of the first",
    file: "src/table/publish.ts",
    from: '  if (state.kind === "publishing") {\n' +
      "    // Whatever it brings, the first one's outcome is this one's too.\n" +
      "    state.joined.push(wait);\n" + "    return answerDue(s, state);\n" +
      "  }\n",
    to:
      '  if (state.kind === "publishing") return s.reply(wait, { kind: "ok" });\n',
  },
  {
    name: "a Done is answered before the file is taken",
    file: "src/table/publish.ts",
    from: "  if (!state.taken || state.taken.found || state.short) return;\n",
    to: "  state.taken ??= { acknowledged: true };\n",
  },
  {
    name: "an accepted Done that failed is not tried again",
    file: "src/table/publish.ts",
    from:
      'if (state.kind !== "loading" || !state.taken?.acknowledged) return false;',
    to: "return false;",
  },
  {
    name: "Set is answered before the manifest has it",
    file: "src/table/publish.ts",
    from: "      state.stamp = result.stamp;\n" +
      "      return persist(s, entry, state);\n" + '    case "captured":',
    to: "      state.stamp = result.stamp;\n" +
      '      for (const wait of state.joined.splice(0)) s.reply(wait, { kind: "ok" });\n' +
      "      return persist(s, entry, state);\n" + '    case "captured":',
  },
  {
    name: "an answer to an earlier step counts",
    file: "src/table/publish.ts",
    from:
      '  if (state.kind !== "publishing" || state.token !== result.token) return;\n' +
      "  switch (result.kind) {\n" + '    case "stored":',
    to: '  if (state.kind !== "publishing") return;\n' +
      "  switch (result.kind) {\n" + '    case "stored":',
  },
  {
    name: "a value that was published is not counted",
    file: "src/table/publish.ts",
    from: "  s.room.add(namespace, digest!.size);\n",
    to: "",
  },
  {
    name: "who waits is not woken by a publish",
    file: "src/table/publish.ts",
    from:
      "  for (const wait of joined) s.reply(wait, outcome(wait, digest));\n" +
      "  s.wake(entry);\n",
    to: "  for (const wait of joined) s.reply(wait, outcome(wait, digest));\n",
  },
  {
    name: "a file of a value is left in staging",
    file: "src/table/publish.ts",
    from:
      '  if (staging !== undefined && !taken) s.emit({ kind: "discard", staging });\n',
    to: "",
  },
  {
    name: "a damaged value stays an entry",
    file: "src/table/read.ts",
    from: "  const { rowId } = state;\n" +
      "  startEvicting(s, entry, { damaged: true, rowId });",
    to: "  state.reading = state.verifying = undefined;",
  },
  {
    name: "one of those who wait for a read gets it",
    file: "src/table/read.ts",
    from: "    giveValue(s, state, wait, value);\n",
    to: "    giveValue(s, state, wait, value);\n" + "    break;\n",
  },
  {
    name: "a path that is read can be removed",
    file: "src/table/handles.ts",
    from: "  state.pins++;\n",
    to: "",
  },
  {
    name: "a dropped handle pins for ever",
    file: "src/table/handles.ts",
    from: "    forget(s, id);\n" + "    unpin(s, handle);\n" +
      "    return s.reply",
    to: "    forget(s, id);\n" + "    return s.reply",
  },
  {
    name: "a handle ends never",
    file: "src/table/handles.ts",
    from: "    if (handle.expiresMs > nowMs) break;",
    to: "    break;",
  },
  {
    name: "a removal does not look for readers",
    file: "src/table/evict.ts",
    from: '(state.kind === "ready" && state.pins > 0);',
    to: "false;",
  },
  {
    name: "a removal takes whatever value is there",
    file: "src/table/evict.ts",
    from: "  if (sha256 !== undefined && isAnother(state, sha256)) {\n" +
      '    return s.reply(wait, { kind: "absent" });\n' + "  }\n",
    to: "",
  },
  {
    name: "a value lives beyond its time",
    file: "src/table/expiry.ts",
    from: "return expiresMs <= nowMs;",
    to: "return expiresMs + 1_000 <= nowMs;",
  },
  {
    name: "a start forgets the work under way",
    file: "src/table/restore.ts",
    from: "  if (row.id === undefined) return;",
    to: '  if (row.id === undefined || row.status === "loading") return;',
  },
  {
    name: "each start gives a whole grace",
    file: "src/table/grace.ts",
    from: "Math.min(endMs, s.startMs + restartGraceMs)",
    to: "s.startMs + restartGraceMs",
  },
  {
    name: "a captured file is forgotten at a start",
    file: "src/table/restore.ts",
    from: "  republish(s, entry);\n",
    to: "",
  },
  {
    name: "in a stop, who waits gets expired work",
    file: "src/table/get.ts",
    from: "  if (s.draining && patient) return awaitNext(s, wait, entry);\n",
    to: "",
  },
  {
    name: "what can never fit empties the cache",
    file: "src/table/room.ts",
    from: "    if (this.#tooLarge(scopes, asked.bytes)) return false;\n",
    to: "",
  },
  {
    name: "room is made only when it is missing",
    file: "src/table/state.ts",
    from: "  makeRoom({ urgent = false } = {}): void {\n",
    to: "  makeRoom({ urgent = false } = {}): void {\n" +
      "    if (!urgent) return;\n",
  },
  {
    name: "no Get waits for an eviction",
    file: "src/table/state.ts",
    from: "return (this.crowded || this.room.isLeaving) &&\n",
    to: "return (false as boolean) &&\n",
  },
  {
    name: "dead work holds its room",
    file: "src/table/state.ts",
    from: "          this.#endLease(id);\n" + "        }\n" +
      "        // What",
    to: "        }\n" + "        // What",
  },
  {
    name: "a waiting Get keeps its memory",
    file: "src/table/patience.ts",
    from:
      "  // The value that it was for is gone, and the next one takes its time.\n" +
      "  dismiss(s, wait);\n",
    to: "",
  },
  {
    name: "the queue goes on after an exception",
    file: "src/engine/engine.ts",
    from: "      this.#queue.length = 0;\n" +
      "      this.#closed = true;\n" +
      "      this.#onBroken",
    to: "      this.#onBroken",
  },
  {
    name: "left work is not bounded",
    file: "src/engine/sweeper.ts",
    from: "let tooMany = await this.#countUnsettled() - max;",
    to: "let tooMany = 0 * max;",
  },
  {
    name: "a start restores all there is",
    file: "src/engine/recovery.ts",
    from: "let resting = await countUnsettled(manifest) - maxRestored;",
    to: "let resting = 0 * maxRestored;",
  },
  {
    name: "the log of uses is not bounded in bytes",
    file: "src/engine/access_log.ts",
    from: "if (bytes > MAX_PENDING_USE_BYTES) {",
    to: "if (false as boolean) {",
  },
  {
    name: "a page of the oldest is not bounded in bytes",
    file: "src/engine/oldest_first.ts",
    from: "keyBytes: Math.floor(MAX_HELD_KEY_BYTES / patterns.length),",
    to: "keyBytes: 1e12,",
  },
  {
    name: "an upload is held to no quota while it comes",
    file: "src/engine/uploads.ts",
    from: '    if (reply?.kind === "error") throw reply.error;\n',
    to: "",
  },
  {
    name: "a value of unknown size takes the room of others",
    file: "src/table/room.ts",
    from: "if (sized && rest > free && canBeMade) {",
    to: "if (rest > free && canBeMade) {",
  },
  {
    name: "a piece waits for no room",
    file: "src/table/arriving.ts",
    from: "if (waits) return",
    to: "if ((false as boolean) && waits) return",
  },
  {
    name: "what lies on the disk has room made for it again",
    file: "src/table/scope.ts",
    from: "return Math.max(0, this.reservedBytes - this.landedBytes);",
    to: "return this.reservedBytes;",
  },
  {
    name: "a value is read without a look at its digest",
    file: "workers/blob_values.ts",
    from: "  if ((hash ? hash.hex() : sha256Hex(value)) !== digest.sha256) {",
    to: "  if ((false as boolean) && hash) {",
  },
  {
    name: "a value of another size is served",
    file: "workers/blob_values.ts",
    from:
      "  if (info.size !== digest.size) throw wrongSize(path, info.size, digest);\n" +
      "  using file",
    to: "  using file",
  },
  {
    name: "a part is read of a file that was replaced",
    file: "workers/blob_values.ts",
    from: "  if (!sameStamp(stamp, stampOf(fs, info))) {",
    to: "  if (false as boolean) {",
  },
  {
    name: "a captured file may change before it is installed",
    file: "workers/blob_staging.ts",
    from: "  if (stamp && !sameStamp(stamp, found)) {",
    to: "  if (false as boolean) {",
  },
  {
    name: "strict mode syncs no file",
    file: "workers/blob_values.ts",
    from: "    if (folders.strict) yield* wait(file.sync());\n",
    to: "",
  },
  {
    name: "a piece is written wherever the file ends",
    file: "workers/blob_staging.ts",
    from:
      "  if ((!found || ino === found.ino) && nlink === 1 && size === offset) {",
    to: "  if ((!found || ino === found.ino) && nlink === 1) {",
  },
  {
    name: "a value is verified without its digest",
    file: "workers/blob_values.ts",
    from: "      if (digest && found.sha256 !== digest.sha256) {",
    to: "      if (false as boolean) {",
  },
  {
    name: "a stamp is believed, whatever the file is by now",
    file: "workers/blob_values.ts",
    from: "if (digest && stamp && !stamp.young && sameStamp(stamp, before)) {",
    to: "if (digest && stamp) {",
  },
  {
    name: "a removal leaves the file",
    file: "workers/blob_values.ts",
    from: "  if (path) yield* removeAny(folders, path);\n",
    to: "",
  },
  {
    name: "a part of a write counts as all of it",
    file: "workers/blob_files.ts",
    from: "    done += file.writeSync(slice.subarray(done));",
    to: "    file.writeSync(slice.subarray(done));\n" +
      "    done = slice.length;",
  },
  {
    name: "a file that was captured is captured again",
    file: "workers/blob_staging.ts",
    from: "    if (before) return before.path;\n",
    to: "",
  },
  {
    name: "a file counts that was written after its Done was answered",
    file: "workers/blob_staging.ts",
    from: "    ? there(folders, staging).path\n",
    to: "    ? take(folders, staging)\n",
  },
  {
    name: "a file does not count that was written after its Done was refused",
    file: "src/table/publish.ts",
    from: "    const again = taken?.acknowledged && { again: true };\n",
    to: "    const again = taken !== undefined && { again: true };\n",
  },
  {
    name: "a capture from before counts more than what was taken last",
    file: "workers/blob_folders.ts",
    from: " : [taken, copied, kept];\n",
    to: " : [copied, kept, taken];\n",
  },
  {
    name: "what is no file brings back the one that was refused",
    file: "src/table/publish.ts",
    from: "    if (missing && taken?.digest) {\n",
    to: "    if (taken?.digest) {\n",
  },
  {
    name: "a capture from before stays where something new was taken",
    file: "workers/blob_staging.ts",
    from:
      "    for (const before of [copied, kept]) yield* removeAny(folders, before);\n",
    to: "",
  },
  {
    name: "a large file of another user is hashed where it lies",
    file: "workers/blob_staging.ts",
    from: "  return info.uid === uid && info.nlink === 1;\n",
    to: "  return uid !== undefined && info.nlink === 1;\n",
  },
  {
    name: "a file that may not be read is gone",
    file: "workers/blob_staging.ts",
    from: "    yield* giveBack(folders, { staging, captured });\n" +
      '    throw new OpError("unreadable"',
    to: '    throw new OpError("unreadable"',
  },
  {
    name: "a sweep takes captured files, too",
    file: "workers/blob_staging.ts",
    from: "    if (folders.capturedFrom(file) !== undefined) continue;\n",
    to: "",
  },
  {
    name: "a copy of a capture is not synced before it has its name",
    file: "workers/blob_staging.ts",
    from: "    if (isKept) yield* wait(copy.sync());\n",
    to: "",
  },
  {
    name: "a large capture is not synced before it has its name",
    file: "workers/blob_staging.ts",
    from: "    yield* syncCaptured(folders, file);\n" +
      "    // A rename",
    to: "    // A rename",
  },
  {
    name: "captures of another boot count",
    file: "workers/blob_folders.ts",
    from: "    this.#taken = `${TAKEN}${config.memory}-`;\n" +
      "    this.#copied = `${COPIED}${config.memory}-`;\n",
    to: "    this.#taken = TAKEN;\n" +
      "    this.#copied = COPIED;\n",
  },
  {
    name: "strict mode does not sync the name of a namespace",
    file: "workers/blob_folders.ts",
    from: "    yield* wait(this.fs.syncFolder(this.root));\n",
    to: "",
  },
  {
    name: "strict mode does not sync the name of a value",
    file: "src/blobs/worker_blob_store.ts",
    from: "          await this.#renames.settle(name);\n" +
      "          return stored;",
    to: "          return stored;",
  },
  {
    name: "what a dead worker was doing is never answered",
    file: "src/blobs/worker_pool.ts",
    from: "        job.reject(end.error);\n",
    to: "",
  },
  {
    name: "a publish takes the place of somebody else's",
    file: "workers/manifest_operations.ts",
    from: "`${BY_KEY} AND status = 0 AND id = ${ID}`,\n" + "  ),\n" +
      "  // What the original",
    to: "`${BY_KEY} AND status = 0`,\n" + "  ),\n" + "  // What the original",
  },
  {
    name: "work is taken over whoever has it now",
    file: "workers/manifest_operations.ts",
    from: '      "AND id IS CAST(:expectedId AS INTEGER)",',
    to: '      "AND :expectedId IS :expectedId",',
  },
  {
    name: "an eviction takes a value that came meanwhile",
    file: "workers/manifest_operations.ts",
    from: "      `${BY_KEY} AND status = 1 AND id IS ${ID}`,\n" + "  ),\n" +
      "  remove",
    to: "      `${BY_KEY} AND status = 1`,\n" + "  ),\n" + "  remove",
  },
  {
    name: "the time of a value's last use goes back",
    file: "workers/manifest_operations.ts",
    from: "`${column} = coalesce(max(${column}, ${name}), ${column}, ${name})`",
    to: "`${column} = ${name}`",
  },
];
