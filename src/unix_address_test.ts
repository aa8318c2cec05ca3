import assert from "node:assert/strict";
import { MAX_SOCKET_PATH_BYTES } from "./limits.ts";
import { isUnixAddress, socketPath, socketPathFault } from "./unix_address.ts";

Deno.test("the path of a socket is taken as all clients of gRPC write it", () => {
  const cases = [
    ["unix:larder.sock", "larder.sock"],
    ["unix:./a/b", "./a/b"],
    ["unix:../b", "../b"],
    ["unix:/run/larder.sock", "/run/larder.sock"],
    ["unix:///run/larder.sock", "/run/larder.sock"],
    ["unix:/a b/Ümlaut:1[x]@=+", "/a b/Ümlaut:1[x]@=+"],
  ] as const;
  for (const [address, path] of cases) {
    assert.ok(isUnixAddress(address));
    assert.equal(socketPath(address), path, address);
  }
  for (const other of ["127.0.0.1:1", "/run/x", "unixes:1", "Unix:/x", ""]) {
    assert.ok(!isUnixAddress(other), other);
  }
});

Deno.test("what is no path of a socket is refused with how to write one", () => {
  const cases: [string, RegExp][] = [
    ["unix:", /path is missing: write unix:PATH/],
    ["unix://", /path is missing/],
    ["unix:/run/", /path is missing/],
    ["unix://host/x", /after unix:\/\/ .* absolute; write unix:host\/x$/],
    ["unix-abstract:x", /without a path is not taken: write unix:PATH/],
    ["unix:/a,b", /holds no comma/],
    ["unix:/a%20b", /holds no comma, no % \? or #/],
    ["unix:/a?b", /holds no/],
    ["unix:/a#b", /holds no/],
    ["unix:/a\nb", /no control character/],
  ];
  for (const [address, message] of cases) {
    assert.ok(isUnixAddress(address));
    assert.throws(
      () => socketPath(address),
      { name: "RangeError", message },
      address,
    );
  }
});

Deno.test("the path of a socket has as many bytes as the system keeps", () => {
  const longest = `/${"ü".repeat((MAX_SOCKET_PATH_BYTES - 1) / 2)}`;
  assert.equal(new TextEncoder().encode(longest).length, MAX_SOCKET_PATH_BYTES);
  assert.equal(socketPathFault(longest), undefined);
  assert.match(
    socketPathFault(`${longest}x`)!,
    /has 108 bytes, and a socket's has at most 107: choose a shorter one/,
  );
});
