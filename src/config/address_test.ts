import assert from "node:assert/strict";
import {
  formatAddress,
  isLoopback,
  parseAddress,
  parseListener,
  whereIs,
} from "./address.ts";

Deno.test("parseAddress reads addresses, and localhost as IPv4", () => {
  const cases: [string, string][] = [
    ["127.0.0.1:28055", "127.0.0.1:28055"],
    ["0.0.0.0:0", "0.0.0.0:0"],
    ["[::1]:0", "[::1]:0"],
    ["[::]:65535", "[::]:65535"],
    // One spelling only, so that the permission names what is bound.
    ["[0:0::0001]:1", "[::1]:1"],
    ["[2001:DB8::1]:1", "[2001:db8::1]:1"],
    ["localhost:1", "127.0.0.1:1"],
  ];
  for (const [text, again] of cases) {
    assert.equal(formatAddress(parseAddress(text)), again, text);
  }
});

Deno.test("parseAddress says how to write what it refuses", () => {
  const cases: [string, RegExp][] = [
    ["", /not an address: write ip:port/],
    ["127.0.0.1", /not an address: write ip:port/],
    ["28055", /not an address/],
    [":28055", /address before the port is missing/],
    ["::1", /goes in brackets/],
    ["::1:28055", /not an address/],
    ["127.0.0.1:65536", /above 65535/],
    ["127.0.0.1:-1", /not an address/],
    ["127.0.0.1:http", /not an address/],
    ["127.0.0.256:1", /is a name, and only addresses/],
    ["127.1:1", /is a name, and only addresses/],
    ["cache.example:1", /cache\.example is a name, and only addresses/],
    ["[127.0.0.1]:1", /is not an IPv6 address/],
    ["[fe80::1%eth0]:1", /is not an IPv6 address/],
    [
      "http://127.0.0.1:1",
      /ip:port, without http:\/\/: write ip:port, such as/,
    ],
    ["grpc://[::1]:1/", /ip:port, without grpc:\/\/: write/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseAddress(text),
      { name: "RangeError", message },
      text,
    );
  }
});

Deno.test("a socket that is handed on is named, and reached by all until it says where it is", () => {
  for (const name of ["remote", "larder.socket", "3", "a/b"]) {
    const address = parseListener(`fd:${name}`);
    assert.deepEqual(address, { descriptor: name });
    assert.equal(formatAddress(address), `fd:${name}`);
    assert.equal(whereIs(address), `fd:${name}`);
    assert.ok(!isLoopback(address));
    assert.ok(isLoopback({ descriptor: name, at: "unix" }));
    const here = { descriptor: name, at: parseAddress("127.0.0.1:1") };
    assert.ok(isLoopback(here));
    assert.equal(whereIs(here), "127.0.0.1:1");
    assert.equal(formatAddress(here), `fd:${name}`);
    assert.ok(!isLoopback({ ...here, at: parseAddress("0.0.0.0:1") }));
  }
  for (const name of ["", "a b", "a:b", "ü", "\n", "x".repeat(256)]) {
    assert.throws(() => parseListener(`fd:${name}`), /write fd:NAME/, name);
  }
});
