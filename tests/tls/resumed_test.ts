/** A session of TLS outlives nobody's right to connect. */

import assert from "node:assert/strict";
import { ALICE, CA, FOREIGN, SERVER } from "../support/certificates.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";
import { printedOnNode } from "./on_node.ts";

Deno.test("a client that resumes a session is held against the client CA of now", () =>
  withRoot(async (folder) => {
    const pairs = { server: SERVER, alice: ALICE };
    const path = await writeTlsFiles(folder, pairs);
    await Deno.writeTextFile(path("clients.pem"), CA);
    await using server = await ServerHere.start(path("root"), {
      args: [
        ...["-l", "off", "--client-ca", path("clients.pem")],
        ...tlsArgs(path),
      ],
    });
    const [, port = ""] = server.remote.split(":");
    const come = async () =>
      (await printedOnNode("resume.cjs", port, folder))?.trim();
    const first = await come();
    if (first === undefined) return console.log("skip: there is no Node");
    assert.deepEqual([first, await come()], ["new in", "resumed in"]);
    await Deno.writeTextFile(path("clients.pem"), FOREIGN);
    await server.reload();
    assert.equal(await come(), "resumed out");
    assert.match(server.stderr, /showed a certificate that --client-ca does/);
    await Deno.writeTextFile(path("clients.pem"), FOREIGN + CA);
    await server.reload();
    assert.match(`${await come()}`, / in$/);
    // One that vouches for nobody is not taken, and the last one stays.
    await Deno.writeTextFile(path("clients.pem"), ALICE.cert);
    await server.reload();
    assert.match(server.stderr, /certificate of ignored is no authority/);
    assert.match(`${await come()}`, / in$/);
  }));
