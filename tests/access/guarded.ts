/** A server with TLS, tokens and rights, and those who call it. */

import type { ClientReadableStream, ServiceError, status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { loadService } from "../../src/client/services.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { BOB, type Pair, SERVER } from "../support/certificates.ts";
import { GrpcClient, methodOf } from "../support/grpc_client.ts";
import { ServerHere } from "../support/server_here.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";

export const REMOTE = loadService("remote.proto", "remote.RemoteCache");
export const LOCAL = loadService("local.proto", "local.LocalCache");
export const V1 = loadService("larder/v1/cache.proto", "larder.v1.Cache");

export const TOKENS = {
  writer: "writer-token",
  other: "other-token",
  reader: "reader-token",
  admin: "admin-token",
  past: "past-token",
};

export const RULES = `
[[token]]
name = "writer"
sha256 = "${sha256Hex(TOKENS.writer)}"
write = ["a", "b.*"]

[[token]]
name = "other"
sha256 = "${sha256Hex(TOKENS.other)}"
write = ["*"]

[[token]]
name = "reader"
sha256 = "${sha256Hex(TOKENS.reader)}"
read = ["a"]

[[token]]
name = "admin"
sha256 = "${sha256Hex(TOKENS.admin)}"
admin = ["*"]

[[token]]
name = "past"
sha256 = "${sha256Hex(TOKENS.past)}"
expires = 2020-01-01T00:00:00Z
admin = ["*"]

[[certificate]]
name = "spiffe://tests/alice"
write = ["a"]

[anyone.remote]
[anyone.local]
`;

export type Reply = Record<string, unknown>;

/** Time for a machine that is busy with many servers. */
const DEADLINE = { deadlineMs: 30_000 };

/** Calls with a token, or without. */
export class Caller extends GrpcClient {
  /** Over TLS with this certificate, or in plain text. */
  constructor(address: string, token?: string, pair: Pair | null = BOB) {
    super(address, { tls: pair ? { pair } : undefined });
    if (token !== undefined) this.says(`Bearer ${token}`);
  }

  /** Adds a header as it is. */
  says(authorization: string): void {
    this.metadata.add("authorization", authorization);
  }

  call(service: typeof V1, name: string, request: object): Promise<Reply> {
    return this.unary(methodOf(service, name), request, DEADLINE);
  }

  /** Begins a call with a stream of replies. */
  begin(name: string, request: object): ClientReadableStream<Reply> {
    return this.replies(methodOf(V1, name), request, DEADLINE);
  }

  /** All messages of a stream; rejects as it ends. */
  stream(
    name: string,
    request: object,
    onReply: (reply: Reply) => void = () => {},
  ): Promise<Reply[]> {
    const stream = this.begin(name, request);
    const replies: Reply[] = [];
    return new Promise((resolve, reject) => {
      stream.on("data", (reply: Reply) => {
        replies.push(reply);
        onReply(reply);
      });
      stream.on("error", reject);
      stream.on("end", () => resolve(replies));
    });
  }

  /** A call with a stream of requests. */
  publish(requests: readonly object[]): Promise<Reply> {
    return this.requests(methodOf(V1, "Publish"), requests, DEADLINE);
  }

  get(namespace: string, key: string, assign = true): Promise<Reply> {
    const request = { namespace, key: Buffer.from(key), assign };
    return this.call(REMOTE, "Get", request);
  }
}

export interface Guarded {
  readonly server: ServerHere;
  readonly rules: string;
  readonly files: string;
  as(token?: string, pair?: Pair): Caller;
}

export async function guarded(
  run: (guarded: Guarded) => Promise<void>,
): Promise<void> {
  await using root = await temporaryFolder();
  await using files = await temporaryFolder();
  const pairs = { server: SERVER, bob: BOB };
  const path = await writeTlsFiles(files.path, pairs);
  await Deno.writeTextFile(path("access.toml"), RULES);
  await using server = await ServerHere.start(root.path, {
    args: [
      ...tlsArgs(path),
      ...["--client-ca", path("ca.pem"), "--access", path("access.toml")],
    ],
  });
  const callers: Caller[] = [];
  try {
    await run({
      server,
      rules: path("access.toml"),
      files: files.path,
      as(token, pair) {
        const caller = new Caller(server.remote, token, pair);
        callers.push(caller);
        return caller;
      },
    });
  } finally {
    for (const caller of callers) caller[Symbol.dispose]();
  }
}

export const refused = (call: Promise<unknown>, code: status, why = /./) =>
  assert.rejects(call, (error: ServiceError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.details, why);
    return true;
  });

export const idOf = (reply: Reply) => (reply["assign"] as { id: string }).id;
