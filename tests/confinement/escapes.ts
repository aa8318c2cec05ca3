/**
 * What an attacker would try whose code runs in the server's process, or
 * in one of its workers. It imports nothing of ours: tests copy it into a root.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns";
import * as fs from "node:fs";
import * as inspector from "node:inspector";
import { createRequire } from "node:module";
import * as net from "node:net";
import * as os from "node:os";
import * as process from "node:process";
import * as sqlite from "node:sqlite";
import * as v8 from "node:v8";

/** Where to try. */
export interface Target {
  /** The folder that is granted; `root/leak` is a link to `outside`. */
  readonly root: string;
  /** A folder that is not, with `secret`, `module.ts`, `data.json` in it. */
  readonly outside: string;
  /** A port of this machine where somebody else listens. */
  readonly foreignPort: number;
}

/** The name of each attempt, and `refused`, or what became of it. */
export type Outcomes = Record<string, string>;

type Attempts = Record<string, () => unknown>;

/** An attempt that neither succeeds nor fails by then did not succeed. */
const PATIENCE_MS = 5_000;

const REFUSALS = [
  /Requires (\w+ )?access/,
  /requires unscoped --allow-read and --allow-write/,
  /^Can't escalate parent thread permissions/,
  /--no-remote is specified/,
  /npm package not found in cache/,
  /not found in cache, --cached-only is specified/i,
  // SQLite: the number of databases that may be attached is set to none.
  /^too many attached databases - max 0/,
  /EPERM/,
  // All that node:child_process says; the file would be found outside.
  /^Command failed: touch/,
];

function files({ root, outside }: Target): Attempts {
  const secret = `${outside}/secret`;
  return {
    "read": () => Deno.readTextFileSync(secret),
    "read by way of ..": () =>
      Deno.readTextFileSync(`${root}/../../${secret.slice(1)}`),
    "read with node:fs": () => fs.readFileSync(secret),
    "write": () => Deno.writeTextFileSync(secret, "changed"),
    "create": () => Deno.writeTextFileSync(`${outside}/new`, ""),
    "create beside the root": () => Deno.writeTextFileSync(`${root}.new`, ""),
    "remove": () => Deno.removeSync(secret),
    "truncate": () => Deno.truncateSync(secret),
    "take by rename": () => Deno.renameSync(secret, `${root}/taken`),
    "give by rename": () => {
      Deno.writeTextFileSync(`${root}/mine`, "");
      Deno.renameSync(`${root}/mine`, `${outside}/given`);
    },
    "take by copy": () => Deno.copyFileSync(secret, `${root}/taken`),
    "take by hard link": () => Deno.linkSync(secret, `${root}/taken`),
    "lead out by a symlink": () => Deno.symlinkSync(outside, `${root}/out`),
    "lead out with node:fs": () => fs.symlinkSync(outside, `${root}/out`),
    "list": () => [...Deno.readDirSync(outside)].length,
    "watch": () => Deno.watchFs(outside),
    "change folder": () => Deno.chdir(outside),
    "temporary file": () => Deno.makeTempFileSync(),
    "heap dump": () => v8.writeHeapSnapshot(`${outside}/heap`),
    "/etc/passwd": () => Deno.readTextFileSync("/etc/passwd"),
    "/proc/self/environ": () => Deno.readTextFileSync("/proc/self/environ"),
    "/proc/self/root": () =>
      Deno.readTextFileSync("/proc/self/root/etc/passwd"),
    "/dev/zero": () => Deno.openSync("/dev/zero"),
  };
}

function databases({ root, outside }: Target): Attempts {
  const open = () => new sqlite.DatabaseSync(`${root}/probe.sqlite`);
  return {
    "database": () => new sqlite.DatabaseSync(`${outside}/new.sqlite`),
    "database by URI": () =>
      new sqlite.DatabaseSync(`file:${outside}/new.sqlite?mode=rwc`),
    "ATTACH": () => open().exec(`ATTACH '${outside}/new.sqlite' AS x`),
    "ATTACH by URI": () =>
      open().exec(`ATTACH 'file:${outside}/new.sqlite' AS x`),
    "ATTACH by a link": () =>
      open().exec(`ATTACH '${root}/leak/new.sqlite' AS x`),
    "VACUUM INTO": () => open().exec(`VACUUM INTO '${outside}/new.sqlite'`),
    "backup": () => sqlite.backup(open(), `${outside}/new.sqlite`),
    "loadExtension": () =>
      new sqlite.DatabaseSync(":memory:", { allowExtension: true })
        .loadExtension(`${outside}/secret`),
  };
}

function programs({ root, outside }: Target): Attempts {
  const worker = (script: string, permissions: Deno.PermissionOptions) =>
    new Promise((resolve, reject) => {
      const options = { type: "module", deno: { permissions } } as const;
      const made = new Worker(script, options);
      made.onmessage = resolve;
      made.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message.replace(/^Uncaught \w*:? ?/, "")));
      };
    });
  const anything = "data:text/javascript,postMessage(1)";
  // Computed, so that nobody loads them ahead and grants them by that.
  const load = (...parts: string[]) => import(parts.join(""));
  return {
    "run": () => new Deno.Command("true").outputSync(),
    "run with node": () => execFileSync("touch", [`${outside}/new`]),
    "kill": () => Deno.kill(1, "SIGCONT"),
    "dlopen": () => Deno.dlopen("libc.so.6", {}),
    "dlopen with node": () =>
      (process as unknown as { dlopen(module: object, path: string): void })
        .dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6"),
    "setuid": () => process.setuid?.(1),
    "inspector": () => inspector.open(0),
    "inspector session": () => new inspector.Session().connect(),
    "worker that may run": () => worker(anything, { run: true }),
    "worker that may read": () => worker(anything, { read: true }),
    "worker with env": () => worker(anything, { env: true }),
    "worker from a file": () =>
      worker(`file://${outside}/module.ts`, "inherit"),
    "import from the web": () => load("https:", "//deno.land/x/mod.ts"),
    "import from JSR": () => load("jsr:", "@std/path@1.0.0"),
    "import from npm": () => load("npm:", "left-pad@0.0.1"),
    "import a file": () => load(`file://${outside}`, "/module.ts"),
    "require a file": () => createRequire(`${root}/x`)(`${outside}/data.json`),
    "require by a link": () => createRequire(`${root}/x`)("./leak/data.json"),
  };
}

function network({ root, foreignPort }: Target): Attempts {
  const local = { hostname: "127.0.0.1", port: foreignPort };
  return {
    "connect": () => Deno.connect(local),
    "connect elsewhere": () =>
      Deno.connect({ hostname: "192.0.2.1", port: 80 }),
    "connect with node:net": () =>
      new Promise((resolve, reject) =>
        net.connect(foreignPort, "127.0.0.1", () => resolve("connected"))
          .on("error", reject)
      ),
    "fetch": () => fetch(`http://127.0.0.1:${foreignPort}/`),
    "WebSocket": () => new WebSocket(`ws://127.0.0.1:${foreignPort}/`),
    "unix socket": () =>
      Deno.connect({ transport: "unix", path: `${root}/socket` } as never),
    "look up a name": () =>
      new Promise((resolve, reject) =>
        lookup("localhost", (error) => error ? reject(error) : resolve("found"))
      ),
    "datagram": () =>
      new Promise((resolve, reject) => {
        const socket = createSocket("udp4").on("error", reject);
        socket.send("x", foreignPort, "127.0.0.1", resolve);
      }),
    "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 1_025 }),
    "listen for everybody": () => Deno.listen({ port: 0 }),
    "listen with node:net": () =>
      new Promise((resolve, reject) =>
        net.createServer().on("error", reject)
          .listen(1_025, "127.0.0.1", () => resolve("listens"))
      ),
  };
}

function knowledge({ outside }: Target): Attempts {
  const request = async (descriptor: Deno.PermissionDescriptor) => {
    const { state } = await Deno.permissions.request(descriptor);
    if (state === "denied") throw new Deno.errors.NotCapable(state);
    return state;
  };
  return {
    "ask to run": () => request({ name: "run" }),
    "ask to read": () => request({ name: "read", path: outside }),
    "ask for the network": () => request({ name: "net" }),
    "host name": () => Deno.hostname(),
    "user": () => os.userInfo(),
    "home": () => os.homedir(),
    "network cards": () => Deno.networkInterfaces(),
    "memory": () => Deno.systemMemoryInfo(),
    "kernel": () => Deno.osRelease(),
  };
}

/** Tries everything, one after the other. */
export async function tryEscapes(target: Target): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  const groups = [files, databases, programs, network, knowledge];
  for (const group of groups) {
    for (const [name, attempt] of Object.entries(group(target))) {
      outcomes[name] = await outcomeOf(attempt);
    }
  }
  return outcomes;
}

async function outcomeOf(attempt: () => unknown): Promise<string> {
  const ended = Promise.withResolvers<unknown>();
  // Some of Deno's node APIs throw what they should emit.
  const catchError = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    ended.reject(event instanceof ErrorEvent ? event.error : event.reason);
  };
  addEventListener("error", catchError);
  addEventListener("unhandledrejection", catchError);
  const timer = setTimeout(() => ended.resolve("no answer"), PATIENCE_MS);
  try {
    const result = (async () => await attempt())();
    return `allowed: ${await Promise.race([result, ended.promise])}`;
  } catch (error) {
    const { name, message } = error as Error;
    const isRefusal = error instanceof Deno.errors.NotCapable ||
      REFUSALS.some((refusal) => refusal.test(message));
    return isRefusal ? "refused" : `failed: ${name}: ${message}`;
  } finally {
    clearTimeout(timer);
    removeEventListener("error", catchError);
    removeEventListener("unhandledrejection", catchError);
  }
}
