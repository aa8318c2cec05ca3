/** Metrics and the page of a server that asks who looks. */

import assert from "node:assert/strict";
import { request } from "node:https";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { sha256Hex } from "../../workers/digest.ts";
import { CA, RENEWED, SERVER } from "../support/certificates.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";
import { Caller, refused, RULES, TOKENS, V1 } from "./guarded.ts";

const WATCHER = `
[[token]]
name = "prometheus"
sha256 = "${sha256Hex("watcher-token")}"
watch = true
`;
const CLOSED = `${RULES}${WATCHER}[anyone.http]\n`;

function asked(url: string, token?: string): Promise<Response> {
  const headers = token === undefined
    ? new Headers()
    : { authorization: `Bearer ${token}` };
  return fetch(url, { headers });
}

/** The status, and what is said with it. */
async function told(url: string, token?: string): Promise<[number, string]> {
  const response = await asked(url, token);
  return [response.status, await response.text()];
}

Deno.test("metrics and the page's stream are for those with the right to watch, probes for all", () =>
  withRoot(async (folder) => {
    const rules = join(folder, "access.toml");
    await Deno.writeTextFile(rules, CLOSED);
    await using server = await ServerHere.start(join(folder, "root"), {
      args: ["--http", "127.0.0.1:0", "--access", rules],
    });
    const at = (path: string) => `http://${server.http}${path}`;
    for (const path of ["/", "/healthz", "/readyz", "/page/page.js"]) {
      assert.equal((await told(at(path)))[0], 200, path);
    }
    for (const path of ["/metrics", "/live"]) {
      const none = await asked(at(path));
      assert.deepEqual(
        [none.status, none.headers.get("www-authenticate")],
        [401, 'Bearer realm="larder"'],
        path,
      );
      assert.match(await none.text(), /needs a token/);
      assert.equal((await told(at(path), "guess"))[0], 401, path);
      assert.equal((await told(at(path), TOKENS.past))[0], 401, path);
      const [code, why] = await told(at(path), TOKENS.other);
      assert.equal(code, 403, path);
      assert.match(why, /no right to watch/);
      for (const token of ["watcher-token", TOKENS.admin]) {
        const known = await asked(at(path), token);
        assert.equal(known.status, 200, `${path} ${token}`);
        await known.body?.cancel();
      }
    }
    // The same is seen by gRPC, and nothing else.
    using watcher = new Caller(server.remote, "watcher-token", null);
    await watcher.call(V1, "Status", {});
    await refused(watcher.get("a", "k"), status.PERMISSION_DENIED);
    await refused(watcher.call(V1, "Sweep", {}), status.PERMISSION_DENIED);
    // Who looks on gets nothing more when the right has gone.
    const stream = await asked(at("/live"), "watcher-token");
    const reader = stream.body!.getReader();
    assert.equal((await reader.read()).done, false);
    await Deno.writeTextFile(rules, `${RULES}[anyone.http]\nwatch = true\n`);
    await server.reload();
    while (!(await reader.read()).done);
    // The file may let all in.
    assert.equal((await told(at("/metrics")))[0], 200);
    assert.equal((await told(at("/metrics"), "watcher-token"))[0], 401);
  }));

/** Over TLS, as a Prometheus on another machine. */
function overTls(
  address: string,
  token?: string,
): Promise<{ status: number; serial: string }> {
  const [, port = ""] = address.split(":");
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ host: "localhost", port, path: "/metrics", ca: CA, agent: false },
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    }, (response) => {
      const { socket } = response as unknown as {
        socket: { getPeerCertificate(): { serialNumber: string } };
      };
      const serial = socket.getPeerCertificate().serialNumber;
      response.resume();
      response.on(
        "end",
        () => resolve({ status: response.statusCode ?? 0, serial }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

Deno.test("where others reach them, metrics speak TLS with the certificate of now", () =>
  withRoot(async (folder) => {
    const path = await writeTlsFiles(folder, { server: SERVER });
    await Deno.writeTextFile(path("access.toml"), CLOSED);
    await using server = await ServerHere.start(path("root"), {
      args: [
        ...["--http", "0.0.0.0:0", "--access", path("access.toml")],
        ...tlsArgs(path),
      ],
    });
    const before = await overTls(server.http, "watcher-token");
    assert.equal(before.status, 200);
    assert.equal((await overTls(server.http)).status, 401);
    await assert.rejects(fetch(`http://${server.http}/metrics`));
    await writeTlsFiles(folder, { server: RENEWED });
    await server.reload();
    const after = await overTls(server.http, "watcher-token");
    assert.equal(after.status, 200);
    assert.notEqual(after.serial, before.serial);
  }));
