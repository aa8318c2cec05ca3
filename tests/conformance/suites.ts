/**
 * The suites: how each is run, and what it says.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { GRPCURL, HEALTH_PROBE } from "./operators.ts";
import { said } from "./said.ts";
import { SERVICES_ARGS } from "./servers.ts";
import type { Suite } from "./suite.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

const INTEROP_CASES: readonly string[] = [
  ...["empty_unary", "large_unary", "client_streaming", "server_streaming"],
  ...["ping_pong", "empty_stream", "timeout_on_sleeping_server"],
  ...["cancel_after_begin", "cancel_after_first_response"],
  ...["status_code_and_message", "special_status_message", "custom_metadata"],
  ...["unimplemented_method", "unimplemented_service"],
];

/** HTTP/2, by raw frames. */
const H2SPEC: Suite = {
  name: "h2spec",
  tool: {
    name: "h2spec",
    package: "github.com/summerwind/h2spec/cmd/h2spec",
    version: "v2.2.1+incompatible",
  },
  cases: 146,
  server: "larder",
  async run(program, port) {
    const { output } = await said(program, [
      ...["--strict", "--host", "127.0.0.1", "--port", `${port}`],
    ]);
    const [, passed, skipped, failed] =
      /^\d+ tests, (\d+) passed, (\d+) skipped, (\d+) failed/m.exec(output) ??
        [];
    return {
      passed: Number(passed ?? 0),
      // A case is skipped where the server keeps it from being tried.
      failed: passed === undefined ? 1 : Number(skipped) + Number(failed),
      output: output.replace(/^[\s\S]*^Failures:/m, "Failures:"),
    };
  },
};

/** gRPC, by a client that looks at every detail. */
const CONNECT: Suite = {
  name: "connectconformance",
  tool: {
    name: "connectconformance",
    package: "connectrpc.com/conformance/cmd/connectconformance",
    version: "v1.0.7",
  },
  // 198 of them without TLS.
  cases: 304,
  async run(program) {
    const { output, success } = await said(program, [
      ...["--mode", "server", "--conf", `${here}features.yaml`, "--"],
      ...[Deno.execPath(), ...SERVICES_ARGS, `${here}conformance_server.ts`],
    ]);
    const [, passed, failed] = /^(\d+) passed, (\d+) failed/m.exec(output) ??
      [];
    return {
      passed: Number(passed ?? 0),
      failed: success ? 0 : Math.max(1, Number(failed ?? 0)),
      output,
    };
  },
};

/** gRPC, by the client of grpc-go. */
const INTEROP: Suite = {
  name: "grpc-go interop",
  tool: {
    name: "client",
    package: "google.golang.org/grpc/interop/client",
    version: "v1.85.0",
  },
  cases: INTEROP_CASES.length,
  server: "services",
  async run(program, port) {
    let passed = 0;
    let all = "";
    for (const name of INTEROP_CASES) {
      const { success, output } = await said(program, [
        ...["--server_host=127.0.0.1", `--server_port=${port}`],
        `--test_case=${name}`,
      ]);
      if (success) passed++;
      else all += `FAIL ${name}\n${output}`;
    }
    return { passed, failed: INTEROP_CASES.length - passed, output: all };
  },
};

/** In the order in which they run. */
export const SUITES: readonly Suite[] = [
  ...[H2SPEC, CONNECT, INTEROP, HEALTH_PROBE, GRPCURL],
];
