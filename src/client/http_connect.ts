/**
 * The way through a proxy, which is asked for with HTTP's CONNECT.
 *
 * @module
 */

import type { ChannelOptions } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** Of bytes; the answer of a proxy has a status, and some headers perhaps. */
const MAX_HEAD = 16 * 1024;
const END = "\r\n\r\n";
const STATUS = /^HTTP\/1\.[01] (\d{3})/;

/** Asks for the way to the server, where these options of a channel name one. */
export async function throughProxy(
  socket: Socket,
  options: ChannelOptions,
): Promise<void> {
  const target = options["grpc.http_connect_target"]?.replace(/^dns:/, "");
  if (target === undefined) return;
  const who = options["grpc.http_connect_creds"];
  const credentials = who === undefined
    ? ""
    : `Proxy-Authorization: Basic ${Buffer.from(who).toString("base64")}\r\n`;
  socket.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`,
  );
  const head = await headOf(socket);
  const [, status] = STATUS.exec(head) ?? [];
  if (status === undefined) throw new Error("what answers there is no proxy");
  if (status.startsWith("2")) return;
  throw new Error(`the proxy answers with ${status}`);
}

/** What comes before an empty line; what comes after it stays to be read. */
function headOf(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let come = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      come = Buffer.concat([come, bytes]);
      const at = come.indexOf(END);
      if (at >= 0) {
        stop();
        socket.pause();
        const rest = come.subarray(at + END.length);
        if (rest.length > 0) socket.unshift(rest);
        resolve(come.toString("latin1", 0, at));
      } else if (come.length > MAX_HEAD) {
        fail(new Error("what answers there is no proxy"));
      }
    };
    const fail = (error: Error) => {
      stop();
      reject(error);
    };
    const onClose = () =>
      fail(new Error("the proxy has closed the connection"));
    const stop = () => {
      socket.off("data", onData).off("error", fail).off("close", onClose);
    };
    socket.on("data", onData).on("error", fail).on("close", onClose);
  });
}
