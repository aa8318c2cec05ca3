import assert from "node:assert/strict";
import { parentOf, parseTraceparent } from "./traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("a traceparent names trace and span, and whether they are taken down", () => {
  const ids = { traceId: TRACE, spanId: SPAN };
  const flags: [string, boolean][] = [["01", true], ["00", false]];
  // Other bits are for those to come.
  flags.push(["03", true], ["fe", false]);
  for (const [flag, isSampled] of flags) {
    const text = `00-${TRACE}-${SPAN}-${flag}`;
    assert.deepEqual(parseTraceparent(text), { ...ids, isSampled });
  }
  // A version to come says more.
  assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what`), {
    ...ids,
    isSampled: true,
  });
});

Deno.test("what is no traceparent begins no trace of a client's", () => {
  for (
    const text of [
      "",
      "00",
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}0-${SPAN}-01`,
      ` 00-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01\n`,
    ]
  ) {
    assert.equal(parseTraceparent(text), undefined, text);
  }
});

Deno.test("it is found among the fields of a head, by its name alone", () => {
  const text = `00-${TRACE}-${SPAN}-01`;
  const others = ["te", "trailers", "x", "traceparent"];
  assert.equal(parentOf(["te", "traceparent"]), undefined);
  assert.equal(parentOf(others), undefined);
  assert.equal(parentOf([...others, "traceparent", text])?.traceId, TRACE);
});
