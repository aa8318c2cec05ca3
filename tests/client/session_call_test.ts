/**
 * A call on an open session ends as one of grpc-js does, whatever a server, or
 * what stands in its place, makes of it.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import type { ServiceDefinition } from "@grpc/grpc-js";
import {
  type Call,
  type CallEvents,
  GrpcCall,
} from "../../src/client/grpc_call.ts";
import { Line } from "../../src/client/line.ts";
import { framed } from "../../src/client/message_frames.ts";
import { Security } from "../../src/client/security.ts";
import { SessionCall } from "../../src/client/session_call.ts";
import type { CallStatus } from "../../src/client/stream_status.ts";

const HEADERS = { ":status": 200, "content-type": "application/grpc" };
const PIECES = ["one", "", "a third one"].map((text) => Buffer.from(text));
const bytes = Buffer.concat(PIECES.map(framed));

/** What a server does with a call, and what that comes to. */
interface Answer {
  readonly answer: (stream: ServerHttp2Stream) => void;
  readonly code: number;
  readonly details?: string;
  readonly messages?: number;
}

function reset(rstCode: number, code: number, details: string): Answer {
  return { answer: (stream) => stream.close(rstCode), code, details };
}

/** With its status in a header of its own, after these bytes, in parts of a size. */
function answered(status: string, body: Buffer, partBytes: number) {
  return (stream: ServerHttp2Stream) => {
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.on("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": status, "grpc-message": "a%20b" });
    });
    let at = 0;
    const send = () => {
      if (at >= body.length) return void stream.end();
      stream.write(body.subarray(at, at += partBytes));
      setImmediate(send);
    };
    send();
  };
}

const ANSWERS: Record<string, Answer> = {
  "a page of HTML": {
    answer(stream) {
      stream.respond({ ":status": 404, "content-type": "text/html" });
      stream.end("<html>There is no such page here.</html>");
    },
    code: 12,
    details: "Received HTTP status code 404",
  },
  "a proxy whose server is away": {
    answer(stream) {
      stream.respond({ ":status": 503 }, { endStream: true });
    },
    code: 14,
    details: "Received HTTP status code 503",
  },
  "an end without a status": {
    answer(stream) {
      stream.respond(HEADERS);
      stream.end();
    },
    code: 13,
    details: "Received RST_STREAM with code 0 (Call ended without gRPC status)",
  },
  "a status and nothing else": {
    answer(stream) {
      const status = { "grpc-status": "5", "grpc-message": "no%20such" };
      stream.respond({ ...HEADERS, ...status }, { endStream: true });
    },
    code: 5,
    details: "no such",
  },
  "messages at once": {
    answer: answered("0", bytes, 1_000),
    code: 0,
    messages: PIECES.length,
  },
  "messages byte by byte": {
    answer: answered("0", bytes, 1),
    code: 0,
    messages: PIECES.length,
  },
  "an error after nothing": {
    answer: answered("8", Buffer.alloc(0), 1),
    code: 8,
    details: "a b",
  },
  "a refusal": reset(7, 14, "Stream refused by server"),
  "a reset as of one who cancels": reset(8, 1, "Call cancelled"),
  "a reset of one who is overwhelmed": reset(
    11,
    8,
    "Bandwidth exhausted or memory limit exceeded",
  ),
  "a reset for a protocol error": reset(
    1,
    13,
    "Received RST_STREAM with code 1",
  ),
  "a connection that ends": {
    answer: (stream) => stream.session!.destroy(),
    code: 14,
  },
};

const METHODS = Object.keys(ANSWERS).map((name, at) =>
  [
    name,
    {
      path: `/test.Test/${at}`,
      responseDeserialize: (message: Buffer) => message,
    } as unknown as ServiceDefinition[string],
  ] as const
);

/** What came of a call. */
interface Outcome {
  readonly messages: readonly string[];
  readonly status: CallStatus;
}

/** Makes a call, and reads it to its end. */
function outcome(
  begin: (events: CallEvents<Buffer>) => Call,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const messages: string[] = [];
    const call = begin({
      onMessage(message) {
        messages.push(message.toString());
        // Not within what brings it, as whoever reads takes a while.
        setImmediate(() => call.read());
      },
      onStatus: (status) => resolve({ messages, status }),
    });
    call.read();
    call.end(Buffer.from("a request"));
  });
}

/** Runs a test with a connection that is open. */
async function withLine(run: (line: Line) => Promise<void>): Promise<void> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const at = Number(`${headers[":path"]}`.split("/").at(-1));
    Object.values(ANSWERS)[at]!.answer(stream as ServerHttp2Stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const line = new Line(address, new Security(address));
  try {
    await run(line);
  } finally {
    line.close();
    await new Promise((resolve) => server.close(resolve));
  }
}

for (const [name, method] of METHODS) {
  Deno.test(`a call on a session ends as one of grpc-js: ${name}`, () =>
    withLine(async (line) => {
      const { client, headers } = line;
      const { metadata } = new Security("127.0.0.1:1");
      await new Promise<void>((resolve) => line.connect(resolve));
      const ours = await outcome((events) =>
        new SessionCall(line.session!, method, headers, events)
      );
      const theirs = await outcome((events) =>
        new GrpcCall(client, method, metadata, events)
      );
      const { code, details, messages = 0 } = ANSWERS[name]!;
      assert.equal(ours.status.code, code);
      assert.deepEqual(ours.messages, theirs.messages);
      assert.equal(ours.messages.length, messages);
      if (details === undefined) return;
      assert.equal(ours.status.details, details);
      assert.equal(theirs.status.code, code);
      assert.equal(theirs.status.details, details);
    }));
}
