/** What the environment of the confined server does to Deno. */

import assert from "node:assert/strict";
import { CONFINED_ENVIRONMENT } from "./environment.ts";

/** Prints how many rounds of a busy loop pass until two bytes have come and gone. */
const PROGRAM = `
let rounds = 0;
const round = () => {
  rounds++;
  setImmediate(round);
};
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const [client, server] = await Promise.all([
  Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  listener.accept(),
]);
const byte = new Uint8Array(1);
const echo = server.read(byte).then(() => server.write(byte));
const answer = client.read(new Uint8Array(1));
round();
await client.write(byte);
await Promise.all([echo, answer]);
console.log(rounds);
Deno.exit();
`;

Deno.test("bytes are looked for in every round of a loop that has work", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", PROGRAM],
    env: { ...CONFINED_ENVIRONMENT, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const rounds = Number(new TextDecoder().decode(stdout));
  // There and back again; by default it is more than 60.
  assert.ok(rounds > 0 && rounds < 20, `it took ${rounds} rounds`);
});
