import assert from "node:assert/strict";
import { completeConfig, type GivenConfig } from "../config.ts";
import { isLoopback, parseAddress, type TcpAddress } from "./address.ts";
import { listenerWarnings, speaksTls } from "./listeners.ts";
import { refusal } from "./testing/refusal.ts";

const FILES = { tlsCert: "/c", tlsKey: "/k" };
const OUTSIDE = parseAddress("10.0.0.5:28056");

Deno.test("plain text beyond this machine is refused unless it is asked for", () => {
  for (const host of ["10.0.0.5", "0.0.0.0", "::", "fe80::1"]) {
    for (const kind of ["local", "remote"] as const) {
      const given = { [kind]: { host, port: 1 } };
      assert.match(
        refusal(given),
        /in plain text: give --tls-cert .*--insecure/,
      );
      assert.equal(refusal({ ...given, insecure: true }), "");
      assert.equal(refusal({ ...given, ...FILES }), "");
    }
  }
  const local = { ...OUTSIDE, port: 1 };
  const half = { remote: OUTSIDE, local, ...FILES };
  assert.match(
    refusal({ ...half, tlsOn: "local" }),
    /^--remote 10\.0\.0\.5.* in plain text: leave --tls-on local out/,
  );
  assert.match(refusal({ ...half, tlsOn: "remote" }), /^--local 10\.0\.0\.5/);
});

Deno.test("what only this machine reaches is plain text as ever", () => {
  const here = [
    "127.0.0.1:1",
    "127.9.9.9:1",
    "[::1]:1",
    "[::ffff:127.0.0.1]:1",
  ];
  for (const text of here) {
    const remote = parseAddress(text);
    assert.ok(isLoopback(remote), text);
    assert.equal(refusal({ remote }), "");
  }
  for (const text of ["128.0.0.1:1", "[::ffff:10.0.0.1]:1", "[::2]:1"]) {
    assert.ok(!isLoopback(parseAddress(text)), text);
  }
});

Deno.test("settings of TLS that do not fit each other are refused", () => {
  assert.match(refusal({ tlsCert: "/c" }), /^--tls-cert needs --tls-key/);
  assert.match(refusal({ tlsKey: "/k" }), /^--tls-key needs --tls-cert/);
  assert.match(refusal({ clientCa: "/a" }), /^--client-ca needs --tls-cert/);
  assert.match(refusal({ tlsOn: "local" }), /^--tls-on needs --tls-cert/);
  const remote = parseAddress("127.0.0.1:1");
  const off = { ...FILES, remote, local: undefined };
  assert.match(refusal({ ...off, tlsOn: "local" }), /--local is off/);
});

Deno.test("TLS is spoken by both listeners, or by the one that is named", () => {
  const on = (given: GivenConfig) => {
    const config = completeConfig(given);
    return [speaksTls(config, "local"), speaksTls(config, "remote")];
  };
  assert.deepEqual(on({}), [false, false]);
  assert.deepEqual(on(FILES), [true, true]);
  assert.deepEqual(on({ ...FILES, tlsOn: "local" }), [true, false]);
  assert.deepEqual(on({ ...FILES, tlsOn: "remote" }), [false, true]);
});

Deno.test("metrics speak TLS where others reach them and there is a certificate", () => {
  const speaks = (given: GivenConfig) =>
    speaksTls(completeConfig(given), "http");
  const http = OUTSIDE;
  assert.ok(speaks({ ...FILES, http }));
  assert.ok(speaks({ ...FILES, http, tlsOn: "remote" }));
  assert.ok(!speaks({ ...FILES, http: parseAddress("127.0.0.1:1") }));
  assert.ok(!speaks({ http }));
  assert.ok(!speaks(FILES));
});

Deno.test("flags of the page without the page are refused", () => {
  const http = parseAddress("127.0.0.1:1");
  for (
    const [given, flag] of [
      [{ httpHosts: ["a"] }, "--http-host"],
      [{ httpPage: false }, "--http-page"],
    ] as const
  ) {
    assert.match(refusal(given), new RegExp(`^${flag} needs --http`));
    assert.equal(refusal({ ...given, http }), "");
  }
});

Deno.test("an operator is warned where others see more than they should, or tokens are of no use", () => {
  const warned = (given: GivenConfig) =>
    listenerWarnings(completeConfig(given)).join("\n");
  const http = OUTSIDE;
  const access = "/access";
  const remote = { ...OUTSIDE, port: 1 };
  assert.match(warned({ http }), /^--http 10\.0\.0\.5:28056 .* asks nobody/);
  assert.equal(warned({ http, httpPage: false }), "");
  assert.equal(warned({ ...FILES, http, remote, access }), "");
  assert.match(warned({ http, access }), /^--http .* no token is taken/);
  assert.match(
    warned({ remote, access, insecure: true }),
    /^--remote 10\.0\.0\.5:1 .* \[anyone\.remote\] of \/access/,
  );
  assert.equal(warned({ access }), "");
});

Deno.test("a socket that was handed on is held against its address, once it is known", () => {
  const socket = (at?: "unix" | TcpAddress) => ({
    descriptor: "a",
    ...at !== undefined && { at },
  });
  // The launcher and --print-command cannot know.
  assert.equal(refusal({ remote: socket() }), "");
  assert.equal(refusal({ remote: socket("unix") }), "");
  assert.equal(refusal({ remote: socket(parseAddress("127.0.0.1:1")) }), "");
  const remote = socket(OUTSIDE);
  assert.match(
    refusal({ remote }),
    /^--remote fd:a \(10\.0\.0\.5:28056\) can be reached .* in plain text/,
  );
  assert.equal(refusal({ remote, insecure: true }), "");
  const speaks = (given: GivenConfig) =>
    speaksTls(completeConfig({ ...FILES, ...given }), "remote");
  assert.ok(speaks({ remote }));
  const local = socket("unix");
  assert.ok(!speaks({ remote: local, local: OUTSIDE }));
  assert.match(
    refusal({ ...FILES, local }),
    /^--local fd:a is a Unix domain socket, which speaks no TLS/,
  );
  assert.match(
    listenerWarnings(completeConfig({ http: remote })).join("\n"),
    /^--http fd:a \(10\.0\.0\.5:28056\) .* asks nobody/,
  );
});

Deno.test("a socket that was handed on is for one listener", () => {
  const remote = { descriptor: "a" };
  assert.equal(refusal({ remote, local: { descriptor: "b" } }), "");
  for (const other of ["local", "http"]) {
    assert.match(
      refusal({ remote, [other]: { descriptor: "a" } }),
      /^fd:a is given twice: .* give each its own/,
    );
  }
});
