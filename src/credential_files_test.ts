import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "./launch/testing/program.ts";
import { SERVER } from "../tests/support/certificates.ts";
import { Access } from "./access/access.ts";
import { FakeClock } from "./clock.ts";
import { whyKeyExposed, whyRightsExposed } from "./credential_files.ts";
import type { Log } from "./log/log.ts";
import { Certificates } from "./tls/certificates.ts";

const RULES = '[[certificate]]\nname = "ci"\nread = ["*"]\n';

Deno.test("the log says when others may change the rights, or read the key, at the start and later", async () => {
  await using folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const files = { access: RULES, cert: SERVER.cert, key: SERVER.key };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(path(name), text);
    await Deno.chmod(path(name), 0o600);
  }
  const said: string[] = [];
  const log: Log = (message, { level } = {}) =>
    said.push(`${level} ${message}`);
  const options = { clock: new FakeClock(Date.now()), log };
  const openAll = async () => {
    const cert = { cert: path("cert"), key: path("key") };
    return [
      await Access.open(path("access"), options),
      await Certificates.open(cert, options),
    ];
  };
  const opened = await openAll();
  const look = async () => {
    said.length = 0;
    for (const each of opened) await each.look();
    return said.map((text) => text.replaceAll(folder.path, ""));
  };
  assert.deepEqual([said.length, await look()], [0, []]);
  await Deno.chmod(path("access"), 0o620);
  await Deno.chmod(path("key"), 0o644);
  const warnings = [
    "warn --access /access: others may write it, and so give themselves every " +
    "right: chmod go-w /access",
    "warn --tls-key /key: every user may read it, and so answer in the " +
    "server's place: chmod o-r /key",
  ];
  assert.deepEqual(await look(), warnings);
  assert.deepEqual(await look(), []);
  const again = await openAll();
  assert.equal(said.length, 2);
  for (const each of [...opened, ...again]) each[Symbol.dispose]();
});

Deno.test("rights belong to root or to the user of the server", () => {
  const of = (uid: number | null, mode: number | null = 0o644) =>
    whyRightsExposed("/access", { uid, mode }, 1000);
  assert.deepEqual([of(0), of(1000), of(null, null)], Array(3).fill(undefined));
  assert.match(of(1001)!, /belongs to the user 1001, who is neither root nor/);
  assert.match(of(0, 0o602)!, /others may write/);
  const key = { uid: 0, mode: 0o640 };
  assert.equal(whyKeyExposed("/key", key), undefined);
});
