/** What is on this machine is asked without a proxy; a failure names it. */

import assert from "node:assert/strict";
import { isHere } from "../../src/client/proxy.ts";
import { denoCommand, withServerHere } from "./support.ts";

const PROGRAM = new URL("programs/compute_once.ts", import.meta.url);
const LARDER = new URL("../../src/main.ts", import.meta.url);
/** Nobody answers there; the name and the password are nobody's business. */
const PROXY = "http://user:secret@127.0.0.1:1";

async function output(
  [program, ...args]: readonly string[],
  env: Record<string, string>,
): Promise<{ out: string; errors: string }> {
  const command = new Deno.Command(program!, {
    args,
    env: { http_proxy: "", https_proxy: "", no_proxy: "", ...env },
  });
  const { stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { out: text(stdout), errors: text(stderr) };
}

for (const name of ["http_proxy", "https_proxy", "grpc_proxy"]) {
  Deno.test(`a server on this machine is asked without a proxy, whatever ${name} says`, () =>
    withServerHere(async ({ remote }) => {
      const command = denoCommand(PROGRAM, remote);
      const { out } = await output(command, { [name]: PROXY });
      assert.equal(out, "computed\n");
    }));
}

Deno.test("a failure names the proxy, and no message says undefined", async () => {
  const away = "192.0.2.1:4";
  const through = "(through the proxy 127.0.0.1:1, which https_proxy names)";
  const env = { https_proxy: PROXY };
  const { out } = await output(denoCommand(PROGRAM, away), env);
  const why = `remote ${away}: cannot ask for the value: no connection`;
  assert.equal(out, `${why} ${through}\nuncached\n`);
  const usage = denoCommand(LARDER, "usage", "--remote", away);
  const { errors } = await output(usage, env);
  assert(errors.includes(through), errors);
  assert(!/undefined|secret/.test(errors), errors);
});

Deno.test("names and addresses of this machine are told from others", () => {
  for (const host of ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1"]) {
    assert(isHere(`${host}:1`), host);
  }
  for (const host of ["127.9.8.7", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"]) {
    assert(isHere(`${host}:1`), host);
  }
  assert(isHere("unix:/run/larder"));
  for (const host of ["10.0.0.1", "127.evil.example", "localhost.example"]) {
    assert(!isHere(`${host}:1`), host);
  }
  assert(!isHere("[2001:db8::1]:1"));
});
