/** Why TLS gets nowhere: each cause has a sentence of its own, that is true. */

import assert from "node:assert/strict";
import { runAllOnEach, testLarderOnEach } from "../client/runtimes.ts";
import { Cache } from "../../src/client/mod.ts";
import { hostedShells } from "../cli/hosted_larder.ts";
import { FOREIGN, SERVER } from "../support/certificates.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";
import { until } from "../support/waiting.ts";
import { run } from "../confinement/support.ts";
import { type Cause, withCauses } from "./causes.ts";

const withShell = await hostedShells();
const waits = sideBySide("causes that take long to find");
const PROGRAM = new URL("./programs/refusals.mjs", import.meta.url);

/** What is said where nothing was heard of a server in time, or not enough. */
const TOO_LATE =
  /nothing answers|no (answer|connection) within|: self-signed certificate/;
/** So often a busy machine may not come to a handshake in the 2 s that it has. */
const TRIES = 20;

/** All that a command says. */
async function said(
  [program, ...args]: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout, stderr } = await inTime(() => run(program!, args, { env }));
  return stdout + stderr;
}

/** Runs a command again that heard nothing in time. */
async function inTime<Ended extends { readonly stderr: string }>(
  command: () => Promise<Ended>,
): Promise<Ended> {
  for (let left = TRIES;; left--) {
    const ended = await command();
    if (left === 0 || !TOO_LATE.test(ended.stderr)) return ended;
  }
}

waits(
  "the library tells each cause for which TLS gets nowhere from the others",
  (test) =>
    withCauses((causes) =>
      runAllOnEach(test, PROGRAM, [""], async (_, { command, allReady }) => {
        const options = Object.fromEntries(
          Object.entries(causes).map(([name, { says: _, ...given }]) => [
            name,
            given,
          ]),
        );
        await allReady();
        const printed = await said(command(JSON.stringify(options)));
        const messages = JSON.parse(printed) as Record<string, string>;
        for (const [name, { says }] of Object.entries(causes)) {
          assert.ok(
            messages[name]!.includes(says),
            `${name}: ${messages[name]}, and not ${says}`,
          );
        }
      })
    ),
);

waits(
  "finding the cause is no client in plain text for the server",
  () =>
    withRoot(async (folder) => {
      const path = await writeTlsFiles(folder, { server: SERVER });
      await Deno.writeTextFile(path("foreign.pem"), FOREIGN);
      await using server = await ServerHere.start(path("root"), {
        args: ["-l", "off", ...tlsArgs(path)],
      });
      const heard: string[] = [];
      await using cache = await Cache.connect({
        ...{ remote: server.remote, ca: path("foreign.pem"), patienceMs: 500 },
        onOutage: ({ error }) => void heard.push(error.message),
      });
      assert.equal(await cache.generate("ns", "k", () => 1), 1);
      assert.match(
        heard[0]!,
        /does not vouch for the certificate of the server/,
      );
      await until(() => Promise.resolve(/TLS|handshake/.test(server.stderr)));
      assert.doesNotMatch(server.stderr, /plain text/);
    }),
);

/** The flags that say what the library is told; `says` with their names. */
function flagged(
  { remote, ca, cert, key, tlsOn, says }: Cause,
): { flags: string[]; says: string } {
  const given = { ca, cert, "cert-key": key, "tls-on": tlsOn, remote };
  return {
    flags: Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value]
    ),
    says: says.replace(/\bca \//, "--ca /").replace(/\bca out/, "--ca out")
      .replace(/give ca /, "give --ca ")
      .replace(/\bkey \//, "--cert-key /").replace(/\bcert \//, "--cert /")
      .replace("with ca", "with --ca").replace("tlsOn", "--tls-on"),
  };
}

waits(
  "the command line says the same with the names of its flags, and never to start what is up",
  () =>
    withCauses((causes) =>
      withShell(async (shell) => {
        for (const [name, cause] of Object.entries(causes)) {
          const { flags, says } = flagged(cause);
          const { code, stderr } = await inTime(() =>
            shell.run(["ls", ...flags])
          );
          assert.ok(code === 2 || code === 3, `${name}: ${code} ${stderr}`);
          assert.ok(stderr.includes(says), `${name}: ${stderr} not ${says}`);
          assert.doesNotMatch(stderr, /start it|LARDER_CA\b.*,/, name);
        }
      })
    ),
);

testLarderOnEach(
  "all commands say it, and name the variables that said how",
  (larder) =>
    withCauses(async (causes) => {
      const { remote, ca } = causes["another name"]!;
      const env = {
        LARDER_LOCAL: "",
        LARDER_REMOTE: remote,
        LARDER_CA: ca!,
        XDG_STATE_HOME: "/dev/null",
      };
      const commands = [
        ["get", "--ns", "a", "k"],
        ["doctor"],
        ["run", "--ns", "a", "--key", "k", "--", "true"],
      ];
      await Promise.all(commands.map(async (args) => {
        const text = await said([...larder, ...args], env);
        assert.match(text, /is none for 127\.0\.0\.2, but for localhost/);
        assert.doesNotMatch(text, /start it|no Larder/);
      }));
      const wrong = { ...env, LARDER_CA: "system" };
      const text = await said([...larder, "ls"], wrong);
      assert.match(text, /give LARDER_CA the file of the one that does/);
    }),
);
