/** What the environment of the confined server does to Deno. */

import assert from "node:assert/strict";
import { CONFINED_ENVIRONMENT } from "./environment.ts";

/**
 * Prints how many rounds of a busy loop pass at most until two bytes have come and
 * gone, while a worker tells of its work.
 */
const PROGRAM = `
const ECHOES = 200;
const ROUND_MS = 0.1;
const worker = new Worker(
  "data:text/javascript," + encodeURIComponent(\`
    const never = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      postMessage(0);
      Atomics.wait(never, 0, 0, 0.1);
    }
  \`),
  { type: "module" },
);
await new Promise((resolve) => worker.onmessage = resolve);
let rounds = 0;
function round() {
  rounds++;
  const endMs = performance.now() + ROUND_MS;
  while (performance.now() < endMs);
  setImmediate(round);
}
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const [client, server] = await Promise.all([
  Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  listener.accept(),
]);
const byte = new Uint8Array(1);
round();
let most = 0;
for (let i = 0; i < ECHOES; i++) {
  const before = rounds;
  const echo = server.read(byte).then(() => server.write(byte));
  const answer = client.read(new Uint8Array(1));
  await client.write(byte);
  await Promise.all([echo, answer]);
  most = Math.max(most, rounds - before);
}
console.log(most);
Deno.exit();
`;

Deno.test("bytes are looked for in every round of a loop that has work", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", PROGRAM],
    env: { ...CONFINED_ENVIRONMENT, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const rounds = Number(new TextDecoder().decode(stdout));
  // There and back again. By default bytes alone take more than 100, and with a
  // worker that wakes the loop between them some 30.
  assert.ok(rounds > 0 && rounds < 12, `it took ${rounds} rounds`);
});
