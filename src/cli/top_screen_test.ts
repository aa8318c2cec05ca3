import assert from "node:assert/strict";
import type { Picture } from "./picture.ts";
import { PAPER_COLUMNS, topScreen } from "./top_screen.ts";

const WORK = {
  namespace: "sim.ring",
  key: "run 17",
  holder: "10.0.0.7:51234",
  computingMs: 840_000,
  quietMs: 1_200,
  waiting: 2,
  waiters: ["10.0.0.8:4", "10.0.0.9:5"],
  publishing: false,
};

const PICTURE: Picture = {
  phase: "ready",
  status: {
    version: "0.1.0",
    upMs: 60_000,
    entries: 18_204,
    bytes: 2_000,
    maxEntries: 0,
    maxBytes: 4_000,
    diskFreeBytes: 1,
    diskBytes: 2,
    loading: 30,
    publishing: 0,
    handles: 1,
    waiting: 3,
    hits: 90,
    misses: 10,
    savedMs: 86_400_000,
    evictedEntries: 310,
    evictedBytes: 4_096,
    damaged: 0,
    trouble: "",
    underWay: Array.from({ length: 20 }, () => WORK),
  },
  fills: [
    { limit: "--max-bytes", used: 2_000, most: 4_000, isBytes: true },
    { limit: "handles", used: 95, most: 100, isBytes: false },
  ],
  namespaces: [{ namespace: "sim.ring", entries: 2, bytes: 1_000 }],
  namespaceCount: 4,
  lately: [{
    kind: "refused",
    reason: "no-room",
    detail: "quota of sim.*: full",
    namespace: "sim.ring",
    key: "run 18",
    count: 1,
    bytes: 0,
    sinceMs: 3_000,
    agoMs: 2_000,
  }],
};
const WIDE = { columns: 120, rows: Infinity };

Deno.test("topScreen says who computes, what is full and what was refused", () => {
  const lines = topScreen(PICTURE, undefined, WIDE);
  const text = lines.join("\n");
  assert.match(text, /^server +larder 0\.1\.0, ready, up for 1 min$/m);
  assert.match(text, /^found +90 % of 100 requests, saved 1 d$/m);
  assert.match(
    text,
    /^14 min +1\.2 s +2: 10\.0\.0\.8:4… +10\.0\.0\.7:51234 +sim\.ring run 17$/m,
  );
  assert.match(text, /^and 10 more$/m);
  // The fullest first.
  assert.match(
    text,
    /^handles +95 +100 +95 % +#{10} !\n--max-bytes +2\.0 KiB/m,
  );
  assert.match(
    text,
    /^2 s ago +refused +1 +no-room +sim\.ring run 18 - quota of sim\.\*: full$/m,
  );
  assert.match(text, /^sim\.ring +1000 B +2 +50 %\nand 3 more$/m);
});

Deno.test("topScreen says what happens in a second, but of another process", () => {
  const { status } = PICTURE;
  const before = { ...PICTURE, status: { ...status, upMs: 58_000, hits: 50 } };
  assert.match(topScreen(PICTURE, before, WIDE)[2]!, /, 20 a second, /);
  const newer = { ...PICTURE, status: { ...status, upMs: 1_000, hits: 1 } };
  assert.doesNotMatch(topScreen(newer, PICTURE, WIDE)[2]!, /a second/);
});

Deno.test("topScreen fits into any terminal", () => {
  for (const columns of [1, 2, 20, 40, 79, 200]) {
    for (const rows of [1, 3, 7, 8, 10, 15, 24, 60]) {
      const lines = topScreen(PICTURE, undefined, { columns, rows });
      assert.ok(lines.length <= rows, `${lines.length} of ${rows}`);
      for (const line of lines) assert.ok(line.length <= columns, line);
    }
  }
  const small = topScreen(PICTURE, undefined, { columns: 80, rows: 24 });
  assert.match(small.join("\n"), /sim\.ring run 17[^]*and 2[0-9] more/);
  assert.match(small.join("\n"), /refused/);
});

Deno.test("topScreen says how many there are that it does not show", () => {
  for (const rows of [5, 10, 12, 16, 24, 60]) {
    const lines = topScreen(PICTURE, undefined, { columns: 80, rows });
    const shown = lines.filter((line) => line.startsWith("14 min")).length;
    assert.ok(shown > 0, `${rows} rows`);
    const more = lines.find((line) => /^and \d+ more$/.test(line));
    assert.equal(more, `and ${30 - shown} more`, `${rows} rows`);
  }
});

Deno.test("topScreen shows no heading without what it heads", () => {
  for (const columns of [20, 40, 79]) {
    for (let rows = 1; rows < 40; rows++) {
      const lines = topScreen(PICTURE, undefined, { columns, rows });
      lines.forEach((line, at) => {
        if (!/^(for|limit|lately|namespace) /.test(line)) return;
        const next = lines[at + 1] ?? "";
        assert.ok(!/^(and \d+ more)?$/.test(next), lines.join("\n"));
      });
    }
  }
});

Deno.test("topScreen shows in a small terminal what matters most", () => {
  const tiny = { columns: 20, rows: 5 };
  const { status } = PICTURE;
  const failing = { ...status, trouble: "disk full" };
  assert.deepEqual(
    topScreen({ ...PICTURE, status: failing }, undefined, tiny),
    [
      "under way 30 comput…",
      "trouble disk full",
      "for     what",
      "14 min  sim.ring ru…",
      "and 29 more",
    ],
  );
  const idle = { ...PICTURE, status: { ...status, loading: 0, underWay: [] } };
  assert.deepEqual(topScreen(idle, undefined, tiny).slice(2), [
    "limit",
    "handles      95 %",
    "--max-bytes  50 %",
  ]);
  const narrow = topScreen(idle, undefined, { columns: 40, rows: 10 });
  assert.match(narrow.join("\n"), /^handles +95 +100 +95 %$/m);
});

Deno.test("topScreen says why a value with a long key was refused", () => {
  const key = `hex:${"ab".repeat(32)}`;
  const [refused] = PICTURE.lately;
  const picture = { ...PICTURE, lately: [{ ...refused!, key }] };
  const terminal = topScreen(picture, undefined, { columns: 80, rows: 40 });
  assert.match(terminal.join("\n"), /hex:abababab… - quota of/);
  const room = { columns: PAPER_COLUMNS, rows: Infinity };
  const paper = topScreen(picture, undefined, room).join("\n");
  assert.ok(paper.includes(`${key} - quota of sim.*: full\n`), paper);
});

Deno.test("topScreen keeps lines short enough to be read where there is no terminal", () => {
  const namespace = "n".repeat(255);
  const work = { ...WORK, namespace, key: "k".repeat(300) };
  const status = { ...PICTURE.status, underWay: [work] };
  const namespaces = [{ ...PICTURE.namespaces[0]!, namespace }];
  const limit = `quota of ${namespace}`;
  const fills = [{ ...PICTURE.fills[0]!, limit }];
  const room = { columns: PAPER_COLUMNS, rows: Infinity };
  const picture = { ...PICTURE, status, namespaces, fills };
  const lines = topScreen(picture, undefined, room);
  assert.equal(Math.max(...lines.map(({ length }) => length)), PAPER_COLUMNS);
});

Deno.test("topScreen shows nothing that moves a cursor", () => {
  const work = { ...WORK, key: "a\x1b[2J\nb\u202ec" };
  const status = { ...PICTURE.status, underWay: [work] };
  const lines = topScreen({ ...PICTURE, status }, undefined, WIDE);
  for (const line of lines) assert.doesNotMatch(line, /\p{C}/u);
});
