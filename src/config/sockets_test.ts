import assert from "node:assert/strict";
import { completeConfig, type GivenConfig } from "../config.ts";
import { parseAddress, parseListener } from "./address.ts";
import { speaksTls } from "./listeners.ts";
import {
  checkSocketPaths,
  formatMode,
  parseGroup,
  parseSocketMode,
} from "./sockets.ts";
import { refusal } from "./testing/refusal.ts";

const FILES = { tlsCert: "/c", tlsKey: "/k" };
const socket = parseListener("unix:/run/larder.sock");
const outside = parseAddress("10.0.0.5:28056");
const here = parseAddress("127.0.0.1:28056");

Deno.test("a socket is open to its owner alone, and to a group that is named", () => {
  const mode = (given: GivenConfig) => completeConfig(given).socketMode;
  assert.equal(mode({ local: socket }), 0o600);
  assert.equal(mode({ local: socket, socketGroup: "ci" }), 0o660);
  assert.equal(
    mode({ local: socket, socketGroup: "ci", socketMode: 0o600 }),
    0o600,
  );
});

Deno.test("permission bits are read as chmod takes them, and never shut the owner out", () => {
  for (const [text, mode] of [["0600", 0o600], ["660", 0o660]] as const) {
    assert.equal(parseSocketMode(text), mode);
    assert.equal(parseSocketMode(formatMode(mode)), mode);
  }
  const wrong = ["", "0", "600x", "0o600", "06600", "0400", "0200", "0066"];
  // TOML's 0o600 and 0o660 are numbers, and would be read as other digits.
  for (const text of [...wrong, "384", "432", "438", "u=rw"]) {
    assert.throws(() => parseSocketMode(text), /such as 0600, 0660/, text);
  }
  assert.equal(parseGroup("ci-users"), "ci-users");
  for (const text of ["", "a b", "a:b", "a,b"]) {
    assert.throws(() => parseGroup(text), /name of a group/, text);
  }
});

Deno.test("settings of sockets are refused where no socket is served", () => {
  const none = /^--socket-\w+ is of Unix domain sockets, and none is served/;
  assert.match(refusal({ socketMode: 0o666 }), none);
  assert.match(refusal({ socketGroup: "ci", remote: here }), none);
  assert.equal(refusal({ socketMode: 0o666, remote: socket }), "");
});

Deno.test("a socket speaks no TLS, and needs no --insecure", () => {
  assert.equal(refusal({ local: socket }), "");
  const both = { local: socket, remote: outside, ...FILES };
  assert.equal(refusal(both), "");
  const config = completeConfig(both);
  assert.deepEqual(
    [speaksTls(config, "local"), speaksTls(config, "remote")],
    [false, true],
  );
  const none = /^--local unix:\/run\/larder\.sock is .*, which speaks no TLS/;
  assert.match(refusal({ ...both, tlsOn: "local", remote: here }), none);
  assert.match(refusal({ local: socket, ...FILES }), none);
  const other = parseListener("unix:/run/other.sock");
  assert.match(refusal({ local: socket, remote: other, ...FILES }), none);
  // In plain text as before, since the other one is a socket.
  assert.match(refusal({ local: socket, remote: outside }), /in plain text/);
});

Deno.test("paths of sockets fit, differ, and are not among the values", () => {
  const root = "/srv/cache";
  const check = (local: string, remote?: string) => () =>
    checkSocketPaths({
      root,
      local: { path: local },
      remote: remote === undefined ? undefined : { path: remote },
    });
  check("/srv/cache.sock")();
  check("/a", "/b")();
  assert.throws(check("/srv/cache/sock"), /lies in the root \/srv\/cache/);
  assert.throws(check("/srv/cache"), /lies in the root/);
  assert.throws(check("/a", "/a"), /are the same socket/);
  assert.throws(check(`/${"x".repeat(107)}`), /has 108 bytes/);
});

Deno.test("a path without unix: is told how to be written", () => {
  for (const text of ["/run/x", "./x", "../x"]) {
    assert.throws(
      () => parseListener(text),
      new RegExp(`a socket at a path is unix:${text}`),
    );
  }
});
