/** Clients that are killed, or vanish, while large values move. */

import assert from "node:assert/strict";
import { goaway, reset } from "../../src/http2/testing/frame_bytes.ts";
import { RemoteClient } from "../support/clients.ts";
import { until } from "../support/status.ts";
import { eachOf } from "../support/waiting.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import { ClientProcess } from "./client_process.ts";
import { scaled } from "./scale.ts";
import { Upload } from "./upload.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 60 * MIB;
/** Uploads that are begun and never finished, all at once: 240 MiB. */
const UPLOADS = scaled(4);

/** Starts a client process, waits until it is at it, and kills it. */
async function killed(
  { remote }: Arena,
  direction: "up" | "down",
): Promise<void> {
  await using _ = await ClientProcess.start(
    [direction, remote, NS, "killed 0"],
  );
}

function unfinished(
  name: string,
  end: (upload: Upload) => Promise<unknown>,
): RudeCase {
  return {
    name,
    async run(arena) {
      // The work of a case before this one may still have its lease.
      const id = await arena.assigned(name);
      using stack = new DisposableStack();
      const uploads: Upload[] = [];
      const ends: string[] = [];
      await eachOf(UPLOADS, UPLOADS, async () => {
        const upload = stack.use(
          await Upload.begin(arena.port, {
            id,
            valueBytes: VALUE_BYTES,
            sentBytes: VALUE_BYTES - 1,
          }),
        );
        uploads.push(upload);
        ends.push(await upload.run());
      });
      const sum = uploads.reduce((all, { bytes }) => all + bytes, 0);
      console.log(
        `rude: sent ${Math.round(sum / MIB)} MiB: ${ends.toSorted()}`,
      );
      await eachOf(uploads.length, UPLOADS, async (i) => {
        await end(uploads[i]!);
      });
    },
  };
}

const cases: RudeCase[] = [
  {
    name: "a value of 60 MiB is published",
    run: (arena) => arena.publish("killed", { sizeBytes: VALUE_BYTES }),
  },
  {
    name: "SIGKILL in mid-upload of 64 MiB",
    run: (arena) => eachOf(scaled(2), 1, () => killed(arena, "up")),
  },
  {
    name: "SIGKILL in mid-download of 60 MiB",
    run: (arena) => eachOf(scaled(2), 1, () => killed(arena, "down")),
  },
  unfinished(
    `${UPLOADS} uploads of 60 MiB that lack a byte, closed`,
    () => Promise.resolve(),
  ),
  unfinished(
    `${UPLOADS} uploads of 60 MiB that lack a byte, cancelled`,
    (upload) => upload.client.send(reset(1), goaway()),
  ),
  {
    name: "an honest upload and download after all of them",
    async run({ remote }) {
      using client = new RemoteClient(remote);
      const { id } = await client.assigned(NS, "honest");
      await client.set(id, new Uint8Array(VALUE_BYTES).fill(9));
      // On a loaded machine so much takes longer than a Get may wait.
      const { ready } = await until(
        () => client.get(NS, "honest", { assign: false }),
        ({ entryStatus }) => entryStatus !== "loading",
      );
      assert.equal((ready as Uint8Array).length, VALUE_BYTES);
    },
  },
];

// One message of the largest size fits either way.
rudeTest("clients that vanish leave nothing behind", cases, [
  ...["--max-reply-bytes", "64MiB"],
]);
