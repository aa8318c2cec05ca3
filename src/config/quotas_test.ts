import assert from "node:assert/strict";
import {
  formatMinFree,
  formatQuotas,
  parseMinFree,
  parseQuotas,
} from "./quotas.ts";

Deno.test("quotas are read as they are written", () => {
  const text = "sim.*=20GiB,synth.place=5MiB,*=1GiB";
  const quotas = parseQuotas(text);
  assert.deepEqual(quotas[0], { pattern: "sim.*", maxBytes: 20 * 1024 ** 3 });
  assert.equal(formatQuotas(quotas), text);
  assert.deepEqual(
    parseQuotas(" sim.* = 20GiB , synth.place=5MiB,*=1GiB,"),
    quotas,
  );
  assert.deepEqual(parseQuotas(""), []);
});

Deno.test("quotas that say nothing clear are refused", () => {
  const bad = [
    "sim",
    "sim=",
    "=1GiB",
    "sim*=1GiB",
    "a.*.b=1GiB",
    "a=1GiB=2",
    "a=x",
    "a=0",
    "a=0GiB",
  ];
  for (const text of bad) {
    assert.throws(() => parseQuotas(text), RangeError, text);
  }
  assert.throws(() => parseQuotas("a=1KiB,a=2KiB"), /a is there twice/);
});

Deno.test("what has to stay free is a size or a share", () => {
  for (const text of ["0", "10GiB", "5%", "0.5%"]) {
    assert.equal(formatMinFree(parseMinFree(text)), text);
  }
  for (const text of ["100%", "-1%", "5 %", "a lot", ""]) {
    assert.throws(() => parseMinFree(text), RangeError, text);
  }
});

Deno.test("a number without a unit is asked back for what it means", () => {
  assert.throws(() => parseMinFree("5"), /^RangeError: 5% or 5GiB\? Write/);
  assert.throws(() => parseMinFree("10"), /10% or 10GiB\?/);
  assert.throws(() => parseMinFree("500"), /500MiB or 500GiB\?/);
  assert.deepEqual(parseMinFree("512KiB"), { bytes: 512 * 1024 });
  assert.deepEqual(parseMinFree("1048576"), { bytes: 1048576 });
});
