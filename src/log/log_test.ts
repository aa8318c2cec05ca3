import assert from "node:assert/strict";
import { type LogFacts, logLine } from "./log.ts";

const wallMs = Date.UTC(2026, 10, 28, 9, 5);
const TIME = "2026-11-28T09:05:00.000Z";
const key = (text: string) => new TextEncoder().encode(text);

function text(message: string, facts: LogFacts = {}): string {
  return logLine(message, facts, { format: "text", wallMs });
}

Deno.test("a line has time and level, then what is known of the entry", () => {
  assert.equal(text("the disk is full"), `${TIME} warn  the disk is full`);
  const facts = {
    level: "info",
    namespace: "sim.ring",
    key: key("run-17"),
    client: "10.0.0.7:51234",
    ms: 14_249,
  } as const;
  assert.equal(
    text("work was abandoned", facts),
    `${TIME} info  work was abandoned namespace=sim.ring key=run-17 ` +
      "client=10.0.0.7:51234 seconds=14.2",
  );
  const line = logLine("work was abandoned", facts, { format: "json", wallMs });
  assert.deepEqual(JSON.parse(line), {
    time: TIME,
    level: "info",
    message: "work was abandoned",
    namespace: "sim.ring",
    key: "run-17",
    client: "10.0.0.7:51234",
    seconds: 14.2,
  });
});

Deno.test("a line holds no more of a key than its beginning", () => {
  const digest = Uint8Array.from({ length: 32 }, (_, i) => 0xf0 + i % 16);
  assert.match(text("m", { key: digest }), / key=f0f1f2f3…$/);
  assert.match(text("m", { key: Uint8Array.of(0, 255) }), / key=00ff$/);
  assert.match(
    text("m", { key: key("deploy --token=s3cr3t-s3cr3t") }),
    / key="deploy --token=s…"$/,
  );
  assert.match(text("m", { key: key("") }), / key=""$/);
});

Deno.test("an event is one line, whatever is in it, and moves no cursor", () => {
  const hostile = "a\r\n2026 error all is lost\u2028\u0085\u001b[2J\u009bm b";
  for (const format of ["text", "json"] as const) {
    const line = logLine(hostile, { namespace: "n" }, { format, wallMs });
    assert.doesNotMatch(line, /[\p{C}\p{Zl}\p{Zp}]/u);
    assert.match(line, /a 2026 error all is lost \[2J m b/);
  }
});
