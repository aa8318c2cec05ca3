/**
 * The tools that operators use on any server of gRPC, against ours.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { said } from "./said.ts";
import type { Outcome, Suite } from "./suite.ts";

/** Both are built with one set of modules, which is that of the interop client. */
const pinnedIn = fileURLToPath(new URL("./go/", import.meta.url));

/** What is called, and what it has to say. */
interface Case {
  readonly args: readonly string[];
  readonly says: RegExp;
  /** It has to fail. */
  readonly fails?: true;
  /** The local listener, which is a Unix domain socket; else the remote one. */
  readonly on?: "socket";
}

const PROBES: readonly Case[] = [
  { args: [], says: /SERVING/ },
  { args: ["-service", "remote.RemoteCache"], says: /SERVING/ },
  { args: ["-service", "local.LocalCache"], says: /NotFound/, fails: true },
  { args: ["-service", "local.LocalCache"], says: /SERVING/, on: "socket" },
];

/** What Kubernetes and others run as a probe. */
export const HEALTH_PROBE: Suite = {
  name: "grpc-health-probe",
  tool: {
    name: "grpc-health-probe",
    package: "github.com/grpc-ecosystem/grpc-health-probe",
    version: "v0.4.63",
    pinnedIn,
  },
  cases: PROBES.length,
  server: "larder",
  run: (program, port, socket) =>
    judge(program, PROBES, ({ args, on }) => [
      "-addr",
      on === "socket" ? `unix:${socket}` : `127.0.0.1:${port}`,
      ...args,
    ]),
};

const MESSAGE = "larder.v1.FetchReply";
const CALL = `{"namespace":"a.b","key":"aGk=","assign":true}`;

const CURLS: readonly Case[] = [
  { args: ["ADDRESS", "list"], says: /^larder\.v1\.Cache\nremote\.Remote/m },
  { args: ["ADDRESS", "list", "larder.v1.Cache"], says: /^.*\.Fetch$/m },
  // Every service that there is, and then all that their messages need.
  { args: ["ADDRESS", "describe"], says: /rpc Fetch .* stream .*FetchReply/ },
  { args: ["ADDRESS", "describe", MESSAGE], says: /bytes chunk = 5/ },
  { args: ["ADDRESS", "describe", "a.B"], says: /not found/, fails: true },
  {
    args: ["-d", CALL, "ADDRESS", "remote.RemoteCache/Get"],
    says: /"heartbeatIntervalMs|"heartbeat_interval_ms/,
  },
  { args: ["ADDRESS", "larder.v1.Cache/Status"], says: /"loading": "1"/ },
  { args: ["ADDRESS", "grpc.health.v1.Health/List"], says: /"SERVING"/ },
  { args: ["ADDRESS", "list"], says: /^local\.LocalCache$/m, on: "socket" },
  {
    args: ["-d", CALL, "ADDRESS", "local.LocalCache/Get"],
    says: /"loading": \{/,
    on: "socket",
  },
];

/** Lists, describes and calls whatever a server has. */
export const GRPCURL: Suite = {
  name: "grpcurl",
  tool: {
    name: "grpcurl",
    package: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
    version: "v1.9.4",
    pinnedIn,
  },
  cases: CURLS.length,
  server: "larder",
  run: (program, port, socket) =>
    judge(program, CURLS, ({ args, on }) => {
      const address = on === "socket" ? `unix:${socket}` : `127.0.0.1:${port}`;
      const words = args.map((arg) => arg === "ADDRESS" ? address : arg);
      return ["-plaintext", ...words];
    }),
};

async function judge(
  program: string,
  cases: readonly Case[],
  argsOf: (each: Case) => string[],
): Promise<Outcome> {
  let passed = 0;
  let all = "";
  for (const each of cases) {
    const { args, says, fails = false } = each;
    const { success, output } = await said(program, argsOf(each));
    if (success !== fails && says.test(output)) passed++;
    else all += `FAIL ${args.join(" ")}\n${output}`;
  }
  return { passed, failed: cases.length - passed, output: all };
}
