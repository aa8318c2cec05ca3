import assert from "node:assert/strict";
import { OpenCalls } from "./open_calls.ts";

Deno.test("below the bound one connection may have all calls", () => {
  const calls = new OpenCalls(100);
  const connection = {};
  for (let call = 0; call < 100; call++) assert.ok(calls.admit(connection));
  assert.equal(calls.admit(connection), undefined);
  assert.equal(calls.size, 100);
});

Deno.test("above the bound connections share half of it, and each gets four", () => {
  const calls = new OpenCalls(100);
  const [a, b] = [{}, {}];
  for (let call = 0; call < 60; call++) calls.admit(a);
  for (let call = 0; call < 40; call++) calls.admit(b);
  assert.equal(calls.admit(a), undefined);
  assert.equal(calls.admit(b), undefined);
  for (let connection = 0; connection < 20; connection++) {
    const newcomer = {};
    for (let call = 0; call < 4; call++) assert.ok(calls.admit(newcomer));
  }
});

Deno.test("who leaves makes room, and is forgotten", () => {
  const calls = new OpenCalls(1);
  const connection = {};
  const clients = Array.from({ length: 4 }, () => calls.admit(connection)!);
  assert.equal(calls.admit(connection), undefined);
  calls.leave(clients.pop()!);
  const again = calls.admit(connection);
  assert.ok(again);
  for (const client of [...clients, again]) calls.leave(client);
  assert.equal(calls.size, 0);
  assert.equal(again.openCalls, 0);
});
