/** What somebody between, or a hostile client, gets of TLS: nothing. */

import assert from "node:assert/strict";
import { Cache } from "../../src/client/mod.ts";
import { ALICE, SERVER } from "../support/certificates.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";
import { printedOnNode } from "./on_node.ts";

const TOKEN = "a-token-that-nobody-else-is-to-see";

const PAIRS = { server: SERVER, alice: ALICE };

/** Somebody in the server's place, who answers nothing but plain text. */
class Eavesdropper implements AsyncDisposable {
  heard = "";
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ended = this.#listen();

  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #listen(): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      all.push(this.#hear(connection));
    }
    await Promise.all(all);
  }

  async #hear(connection: Deno.TcpConn): Promise<void> {
    try {
      // As a server of HTTP/2 in plain text begins.
      await connection.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
      const buffer = new Uint8Array(4_096);
      const text = new TextDecoder("latin1");
      for (let count; (count = await connection.read(buffer)) !== null;) {
        this.heard += text.decode(buffer.subarray(0, count));
      }
    } catch {
      // It has gone.
    } finally {
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#ended;
  }
}

async function outageOf(
  options: Parameters<typeof Cache.connect>[0],
): Promise<string> {
  const outages: string[] = [];
  const cache = await Cache.connect({
    ...options,
    patienceMs: 0,
    onOutage: ({ error }) => outages.push((error as Error).message),
  });
  assert.equal(await cache.get("tls", "k"), undefined);
  await cache.close();
  return outages.join("\n");
}

Deno.test("whoever answers in plain text is told no token", () =>
  withRoot(async (folder) => {
    const path = await writeTlsFiles(folder, PAIRS);
    {
      await using between = new Eavesdropper();
      const said = await outageOf({
        ...{ remote: between.address, token: TOKEN, ca: path("ca.pem") },
        ...{ cert: path("alice.pem"), key: path("alice.key") },
      });
      assert.match(said, /speaks plain text, and was spoken to over TLS/);
      assert.notEqual(between.heard, "");
      assert.ok(!between.heard.includes(TOKEN));
    }
    // Beyond this machine nothing is sent in plain text at all.
    await assert.rejects(
      Cache.connect({ remote: "192.0.2.1:28056", token: TOKEN }),
      /a token is not sent to 192\.0\.2\.1:28056 in plain text: give ca/,
    );
  }));

Deno.test("a client cannot begin anew within TLS, and others are served", async () => {
  await withRoot(async (folder) => {
    const path = await writeTlsFiles(folder, PAIRS);
    await using server = await ServerHere.start(path("root"), {
      args: ["-l", "off", "--client-ca", path("ca.pem"), ...tlsArgs(path)],
    });
    const [, port = ""] = server.remote.split(":");
    const printed = await printedOnNode("renegotiate.cjs", port, folder);
    if (printed === undefined) return console.log("skip: there is no Node");
    assert.equal(printed, "refused\n");
    const cache = await Cache.connect({
      ...{ remote: server.remote, ca: path("ca.pem") },
      ...{ cert: path("alice.pem"), key: path("alice.key") },
    });
    assert.equal(await cache.generate("tls", "k", () => 1), 1);
    await cache.close();
  });
});
