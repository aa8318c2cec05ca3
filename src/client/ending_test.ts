import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Ending } from "./ending.ts";
import { LinkedSignal } from "./linked_signal.ts";

Deno.test("an end comes once, to those who still listen", () => {
  const ending = new Ending();
  const heard: string[] = [];
  const gone = () => heard.push("gone");
  ending.addEventListener("abort", gone);
  ending.addEventListener("abort", () => heard.push("here"));
  ending.removeEventListener("abort", gone);
  ending.abort("first");
  ending.abort("second");
  assert.deepEqual(heard, ["here"]);
  assert.equal(ending.reason, "first");
  assert.throws(() => ending.throwIfAborted(), (thrown) => thrown === "first");
});

Deno.test("a signal that is linked once has one listener for all", () => {
  const controller = new AbortController();
  const closed = new LinkedSignal(controller.signal);
  const linked = Array.from({ length: 20 }, () => new LinkedSignal(closed));
  assert.equal(getEventListeners(controller.signal, "abort").length, 1);
  linked[0]![Symbol.dispose]();
  controller.abort("closed");
  assert.equal(linked[0]!.aborted, false);
  assert.equal(linked[1]!.reason, "closed");
});
