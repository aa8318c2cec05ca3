/** The real server over TLS, and all our clients of it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Cache, type CacheError } from "../../src/client/mod.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { larderCommand } from "../cli/support.ts";
import { type Ended, run } from "../confinement/support.ts";
import {
  ALICE,
  CA,
  MALLORY,
  type Pair,
  RENEWED,
  SERVER,
} from "../support/certificates.ts";
import { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/status.ts";

/** Files as Kubernetes mounts them: links to a folder that is swapped at once. */
class Mounted {
  #version = 0;

  constructor(readonly folder: string) {}

  path(name: string): string {
    return join(this.folder, name);
  }

  async swap(pair: Pair): Promise<void> {
    const data = `..v${this.#version++}`;
    await Deno.mkdir(this.path(data));
    const files = { "ca.crt": CA, "tls.crt": pair.cert, "tls.key": pair.key };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(this.path(`${data}/${name}`), text);
      await Deno.symlink(`..data/${name}`, this.path(name)).catch(() => {});
    }
    await Deno.symlink(data, this.path("..new"));
    await Deno.rename(this.path("..new"), this.path("..data"));
  }
}

async function written(folder: string, name: string, pair: Pair) {
  const [cert, key] = [
    join(folder, `${name}.crt`),
    join(folder, `${name}.key`),
  ];
  await Deno.writeTextFile(cert, pair.cert);
  await Deno.writeTextFile(key, pair.key);
  return { cert, key };
}

function larder(
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
): Promise<Ended> {
  const [program, ...words] = larderCommand(...args);
  return run(program!, words, { env, cwd });
}

Deno.test("a confined server speaks mutual TLS with all clients, and takes new files on a hangup", async () => {
  await using root = await temporaryFolder();
  await using files = await temporaryFolder();
  const mounted = new Mounted(files.path);
  await mounted.swap(SERVER);
  const ca = mounted.path("ca.crt");
  await using server = await ServerProcess.start(root.path, {
    args: [
      ...["--tls-cert", mounted.path("tls.crt")],
      ...["--tls-key", mounted.path("tls.key"), "--client-ca", ca],
    ],
  });
  const alice = await written(files.path, "alice", ALICE);
  const mallory = await written(files.path, "mallory", MALLORY);
  const { remote, local } = server;
  {
    await using cache = await Cache.connect({ remote, local, ca, ...alice });
    assert.equal(await cache.generate("tls", "a", () => 42), 42);
    await using again = await Cache.connect({ remote, ca, ...alice });
    const { source } = await again.generateDetailed("tls", "a", () => 0);
    assert.equal(source, "remote");
  }
  const refused = [{ ca }, { ca, ...mallory }, {}];
  for (const options of refused) {
    const outages: string[] = [];
    await using cache = await Cache.connect({
      remote,
      patienceMs: 0,
      onOutage: ({ error }) => outages.push((error as CacheError).code),
      ...options,
    });
    assert.equal(await cache.get("tls", "a"), undefined);
    assert.deepEqual(outages, ["unavailable"]);
  }
  const env = {
    LARDER_REMOTE: remote,
    LARDER_CA: ca,
    LARDER_CERT: alice.cert,
    LARDER_CERT_KEY: alice.key,
  };
  const { stdout, stderr } = await larder(["ls"], env, files.path);
  assert.match(stdout, /\btls\b/, stderr);
  await mounted.swap(RENEWED);
  Deno.kill(server.pid, "SIGHUP");
  const log = () => Promise.resolve(server.stderr);
  await until(log, (text) => /new connections get the certificate/.test(text));
  await Deno.writeTextFile(mounted.path("..data/tls.key"), SERVER.key);
  Deno.kill(server.pid, "SIGHUP");
  await until(log, (text) => /the key is another certificate's/.test(text));
  await using cache = await Cache.connect({ remote, ca, ...alice });
  assert.equal(await cache.get("tls", "a"), 42);
  await cache.close();
  assert.equal(await server.stop(), 0, server.stderr);
});

Deno.test("doctor speaks TLS to the listener that does, and plain text to the other", async () => {
  await using root = await temporaryFolder();
  await using files = await temporaryFolder();
  const mounted = new Mounted(files.path);
  await mounted.swap(SERVER);
  await using server = await ServerProcess.start(root.path, {
    args: [
      ...["--tls-cert", mounted.path("tls.crt")],
      ...["--tls-key", mounted.path("tls.key"), "--tls-on", "remote"],
    ],
  });
  const { local, remote } = server;
  for (const where of [{ LARDER_LOCAL: local }, { LARDER_REMOTE: remote }]) {
    const env = {
      ...where,
      LARDER_CA: mounted.path("ca.crt"),
      LARDER_TLS_ON: "remote",
    };
    const { stdout } = await larder(["doctor"], env, files.path);
    const [address] = Object.values(where);
    assert.match(stdout, new RegExp(`^ok +server +${address}: larder `, "m"));
    assert.match(stdout, /^ok +kept /m);
  }
  assert.equal(await server.stop(), 0, server.stderr);
});
