import assert from "node:assert/strict";
import { completeConfig } from "../config.ts";
import { ReadyLineReader, readyLines, withPickedPorts } from "./ready_lines.ts";

const ADDRESSES = {
  localAddress: "127.0.0.1:1",
  remoteAddress: "[::1]:2",
  httpAddress: "10.0.0.1:3",
};

Deno.test("readyLines says what is served and where", () => {
  assert.equal(
    readyLines("/r", ADDRESSES),
    "larder: LocalCache on 127.0.0.1:1\nlarder: RemoteCache on [::1]:2\n" +
      "larder: HTTP on 10.0.0.1:3\nlarder: root /r\nlarder: ready\n",
  );
  assert.equal(
    readyLines("/r", { remoteAddress: "[::1]:2" }),
    "larder: RemoteCache on [::1]:2\nlarder: root /r\nlarder: ready\n",
  );
});

Deno.test("ReadyLineReader reads the lines however they are cut", () => {
  const reader = new ReadyLineReader();
  const text = `other\n${readyLines("/r", ADDRESSES)}`;
  const answers = [...text].map((letter) => reader.push(letter));
  assert.deepEqual(answers.pop(), ADDRESSES);
  assert(answers.every((answer) => answer === undefined));
});

Deno.test("the path of a socket may hold what a line can", () => {
  const addresses = { localAddress: "unix:/run/a b/on larder: ü.sock" };
  const reader = new ReadyLineReader();
  assert.deepEqual(reader.push(readyLines("/r", addresses)), addresses);
  const config = completeConfig({ local: { path: "/run/a" } });
  const claimed = { localAddress: "unix:/run/other" };
  assert.deepEqual(withPickedPorts(config, claimed), config);
});

Deno.test("withPickedPorts trusts a server with the choice of an open port only", () => {
  const config = completeConfig({
    local: { host: "127.0.0.1", port: 0 },
    remote: { host: "::1", port: 7 },
  });
  const cases: [string, number][] = [
    ["127.0.0.1:4711", 4_711],
    ["0.0.0.0:4711", 0],
    ["10.0.0.1:80", 0],
    ["127.0.0.1:0", 0],
    ["127.0.0.1:65536", 0],
    ["127.0.0.1:1,10.0.0.1:80", 0],
    ["127.0.0.1:1e3", 0],
    ["127.0.0.1:", 0],
  ];
  for (const [localAddress, port] of cases) {
    const picked = withPickedPorts(config, {
      localAddress,
      remoteAddress: "[::1]:9",
    });
    assert.deepEqual(picked, {
      ...config,
      local: { host: "127.0.0.1", port },
    }, localAddress);
  }
});
