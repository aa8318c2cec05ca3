/**
 * The manifest's worker: the only place that has the database open, so that
 * no commit, checkpoint or cold read ever holds up the main isolate.
 *
 * What it does not understand is not caught: it dies, and the manifest
 * replaces it.
 *
 * @module
 */

import type {
  FromManifestWorker,
  ToManifestWorker,
} from "./manifest_protocol.ts";
import { messageOf, RefusedError } from "./manifest_refusal.ts";
import { openManifest } from "./manifest_schema.ts";
import { ManifestSession } from "./manifest_session.ts";
import { isQuotaUsedUp } from "./quota_probe.ts";
import { MANIFEST_FILE } from "./root_names.ts";

let session: ManifestSession | undefined;

function open(
  message: Extract<ToManifestWorker, { kind: "open" }>,
): FromManifestWorker {
  try {
    const { database, servedBefore } = openManifest(message.root, message);
    session = new ManifestSession(database, () => isQuotaUsedUp(message.root));
    return { kind: "opened", servedBefore };
  } catch (error) {
    // Not the form we expect: the statements on it do not compile.
    const where = error instanceof RefusedError
      ? ""
      : `Cannot open ${message.root}/${MANIFEST_FILE}: `;
    return { kind: "refused", message: where + messageOf(error) };
  }
}

/** Runs a batch, and frees its keys at once: V8 waits for 60 MB of them. */
function run(
  session: ManifestSession,
  { operations, keys }: Extract<ToManifestWorker, { kind: "batch" }>,
): FromManifestWorker {
  const answer = session.run(operations, keys);
  (keys.buffer as ArrayBuffer).transfer(0);
  return answer;
}

function handle(message: ToManifestWorker): FromManifestWorker {
  switch (message.kind) {
    case "open":
      return open(message);
    case "batch":
      if (!session) {
        throw new Error("A batch came before the manifest was open");
      }
      return run(session, message);
    case "close":
      try {
        session?.close();
      } catch {
        // The -wal stays behind and is read at the next start; nothing is lost.
      }
      session = undefined;
      return { kind: "closed" };
  }
}

// `postMessage` and `onmessage` of a worker: the types of a window lack them.
const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ToManifestWorker>) => void) | null;
  postMessage(message: FromManifestWorker, transfer: Transferable[]): void;
};

/** Shorter keys are cloned faster than they are moved. */
const MOVED_KEY_BYTES = 4 * 1024;

/** Long keys are moved: as garbage of this worker a page is 1 MiB of them. */
function longKeys(answer: FromManifestWorker): Transferable[] {
  const buffers: ArrayBuffer[] = [];
  if (answer.kind !== "done") return buffers;
  for (const outcome of answer.outcomes) {
    if (!outcome || typeof outcome !== "object" || !("items" in outcome)) {
      continue;
    }
    for (const item of outcome.items) {
      if (typeof item === "string") continue;
      const { buffer, byteLength } = item.key;
      const isAlone = byteLength === buffer.byteLength;
      if (byteLength >= MOVED_KEY_BYTES && isAlone) {
        buffers.push(buffer as ArrayBuffer);
      }
    }
  }
  return buffers;
}

scope.onmessage = (event) => {
  const answer = handle(event.data);
  scope.postMessage(answer, longKeys(answer));
};
