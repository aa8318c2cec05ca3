import assert from "node:assert/strict";
import { HeaderTable } from "./header_table.ts";

function contents(table: HeaderTable): string[] {
  return Array.from(
    { length: table.length },
    (_, index) => `${table.nameAt(index)}: ${table.valueAt(index)}`,
  );
}

Deno.test("HeaderTable counts entries as the RFC's examples do", () => {
  const table = new HeaderTable(256);
  table.add(":status", "302");
  table.add("cache-control", "private");
  table.add("date", "Mon, 21 Oct 2013 20:13:21 GMT");
  table.add("location", "https://www.example.com");
  assert.equal(table.sizeBytes, 222);
  table.add(":status", "307");
  assert.equal(table.sizeBytes, 222);
  assert.deepEqual(contents(table), [
    ":status: 307",
    "location: https://www.example.com",
    "date: Mon, 21 Oct 2013 20:13:21 GMT",
    "cache-control: private",
  ]);
});

Deno.test("HeaderTable makes room before it adds, and only as much as it takes", () => {
  const table = new HeaderTable(3 * 34);
  for (const name of ["a", "b", "c"]) table.add(name, "1");
  table.add("d", "1");
  assert.deepEqual(contents(table), ["d: 1", "c: 1", "b: 1"]);
  table.add("e", "12");
  assert.deepEqual(contents(table), ["e: 12", "d: 1"]);
});

Deno.test("HeaderTable is emptied by an entry that is larger than it", () => {
  const table = new HeaderTable(40);
  table.add("name", "1234");
  assert.equal(table.sizeBytes, 40);
  table.add("name", "12345");
  assert.equal(table.length, 0);
  assert.equal(table.sizeBytes, 0);
  table.add("name", "1");
  assert.deepEqual(contents(table), ["name: 1"]);
});

Deno.test("HeaderTable goes on through any number of evictions and sizes", () => {
  const table = new HeaderTable(4096);
  const expected: string[] = [];
  for (let turn = 0; turn < 2000; turn++) {
    // Sometimes few, sometimes as many as fit: the ring wraps while it grows.
    if (turn % 500 === 250) {
      table.resize(34 * 5);
      expected.length = Math.min(expected.length, 5);
    }
    if (turn % 500 === 300) table.resize(4096);
    table.add("n", String.fromCharCode(turn & 0xff));
    expected.unshift(`n: ${String.fromCharCode(turn & 0xff)}`);
    expected.length = Math.min(
      expected.length,
      turn % 500 >= 250 && turn % 500 < 300 ? 5 : 120,
    );
    assert.deepEqual(contents(table), expected);
    assert.equal(table.sizeBytes, 34 * expected.length);
  }
});

Deno.test("HeaderTable keeps nothing at a size of 0", () => {
  const table = new HeaderTable(4096);
  table.add("a", "1");
  table.resize(0);
  assert.equal(table.length, 0);
  table.add("", "");
  assert.equal(table.length, 0);
  table.resize(4096);
  table.add("", "");
  assert.equal(table.sizeBytes, 32);
});
