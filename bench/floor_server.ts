/**
 * The floor of the bench: handlers that do nothing, on the edge that the server
 * uses. What a cache costs is its distance from this.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 --allow-read --allow-write=FOLDER --ignore-env bench/floor_server.ts FOLDER
 * ```
 *
 * It announces itself as the server does.
 *
 * @module
 */

import type { GrpcServer } from "../src/grpc/server.ts";
import { Edge } from "../src/rpc/edge.ts";
import {
  assignedFile,
  assignedValue,
  EMPTY_PARTS,
  type Parts,
  readyFile,
  readyValue,
} from "../src/rpc/replies.ts";
import {
  readGetRequest,
  readIdRequest,
  readSetRequest,
} from "../src/rpc/requests.ts";
import { HIT_1_KIB, HIT_1_MIB } from "./entries.ts";

/** Files that local assignments name, in turn: so many are never in use at once. */
const FILES = 1_024;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const ID = "4611686018427387904";
const HEARTBEAT_INTERVAL_MS = 2_000;

/** Adds a method whose reply is known by its request. */
function add<Request>(
  server: GrpcServer,
  path: string,
  { read, reply }: {
    readonly read: (message: Uint8Array) => Request;
    readonly reply: (request: Request) => Parts;
  },
): void {
  server.unary({
    path,
    requestStream: false,
    responseStream: false,
    decode: read,
    encode: (parts: Parts) => parts,
  }, reply);
}

function addRemote(server: GrpcServer): void {
  const path = "/remote.RemoteCache/";
  const assigned = assignedValue(ID, HEARTBEAT_INTERVAL_MS);
  const values: Record<string, Parts> = {
    [HIT_1_KIB.namespace]: readyValue(new Uint8Array(HIT_1_KIB.size)),
    [HIT_1_MIB.namespace]: readyValue(new Uint8Array(HIT_1_MIB.size)),
  };
  add(server, `${path}Get`, {
    read: readGetRequest,
    reply: ({ namespace }) => values[namespace] ?? assigned,
  });
  const empty = () => EMPTY_PARTS;
  add(server, `${path}Heartbeat`, { read: readIdRequest, reply: empty });
  add(server, `${path}Set`, { read: readSetRequest, reply: empty });
}

function addLocal(server: GrpcServer, folder: string): void {
  const path = "/local.LocalCache/";
  const files = Array.from({ length: FILES }, (_, i) => `${folder}/${i}`);
  const heartbeatIntervalMs = HEARTBEAT_INTERVAL_MS;
  let next = 0;
  add(server, `${path}Get`, {
    read: readGetRequest,
    reply({ assign }) {
      const path = files[next++ % FILES]!;
      return assign
        ? assignedFile(ID, { path, heartbeatIntervalMs })
        : readyFile(ID, path);
    },
  });
  for (const name of ["Heartbeat", "Done", "Drop"]) {
    add(server, path + name, { read: readIdRequest, reply: () => EMPTY_PARTS });
  }
}

if (import.meta.main) {
  const folder = Deno.args[0];
  if (folder === undefined) {
    throw new TypeError("Cannot start the floor: name a folder");
  }
  const edge = new Edge({
    warn: (message) => console.error(`floor: ${message}`),
    maxMessageBytes: MAX_MESSAGE_BYTES,
  });
  // One port serves both: a floor has no use for two.
  const { address } = edge.listen("127.0.0.1:0", [
    addRemote,
    (server) => addLocal(server, folder),
  ]);
  console.log(`larder: LocalCache on ${address}`);
  console.log(`larder: RemoteCache on ${address}`);
  console.log("larder: ready");
}
