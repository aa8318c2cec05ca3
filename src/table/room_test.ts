import assert from "node:assert/strict";
import { DEFAULT_ESTIMATE_BYTES } from "../limits.ts";
import { covers, Room } from "./room.ts";

const MIB = 1024 * 1024;

/** A disk of which a byte is a block. */
const TOY = { keptBytes: 100, blockBytes: 1 };

/** What has to go, and of whom. */
function goes(room: Room) {
  return room.excess().map(({ pattern, bytes, entries }) => {
    return { pattern, bytes, entries };
  });
}

/** A value of `a` is taken away. */
function taken(room: Room, bytes: number): void {
  room.leave("name", { namespace: "a", bytes });
  room.left("name");
}

function usage(namespace: string, entries: number, bytes: number) {
  return { namespace, entries, bytes };
}

Deno.test("a pattern covers what it says and nothing else", () => {
  for (const namespace of ["a", "a.b", "a.b.c"]) {
    assert.ok(covers("*", namespace));
  }
  assert.ok(covers("a.*", "a.b.c"));
  assert.ok(!covers("a.*", "a"));
  assert.ok(!covers("a.*", "ab.c"));
  assert.ok(covers("a.b", "a.b"));
  assert.ok(!covers("a.b", "a.b.c"));
});

Deno.test("room is kept for what is computed, by the size of what came before", () => {
  const room = new Room([{ pattern: "*", maxBytes: 1_000 }]);
  room.add("a", 100);
  for (let i = 0; i < 9; i++) {
    assert.ok(room.hasRoom("a"), `assignment ${i}`);
    room.reserve(`${i}`, "a");
  }
  assert.ok(!room.hasRoom("a"), "nine times 100 bytes are spoken for");
  room.release("3");
  assert.ok(room.hasRoom("a"));
});

Deno.test("an empty cache has room for one value, however large it may be", () => {
  const room = new Room([{ pattern: "*", maxBytes: 10 }]);
  assert.ok(DEFAULT_ESTIMATE_BYTES > 10);
  assert.ok(room.hasRoom("a"));
  room.reserve("1", "a");
  assert.ok(!room.hasRoom("a"));
});

Deno.test("a value is accepted as long as it fits, and never beyond", () => {
  const room = new Room([{ pattern: "*", maxBytes: 100 }]);
  room.add("a", 50);
  room.reserve("1", "a");
  room.reserve("2", "a");
  assert.ok(room.commit("1", { namespace: "a", bytes: 30 }));
  assert.ok(
    !room.commit("2", { namespace: "a", bytes: 21 }),
    "20 are left beside what is being written",
  );
  assert.ok(
    room.commit("2", { namespace: "a", bytes: 21, force: true }),
    "it had been accepted already",
  );
  room.release("1");
  room.add("a", 30);
  assert.deepEqual(room.used, { bytes: 80, entries: 2 });
});

Deno.test("each quota that covers a namespace holds", () => {
  const room = new Room([
    { pattern: "*", maxEntries: 10 },
    { pattern: "sim.*", maxBytes: 100 },
    { pattern: "sim.small", maxBytes: 10 },
  ]);
  room.update([usage("sim.small", 1, 8), usage("sim.large", 1, 80)]);
  room.reserve("1", "sim.small");
  assert.ok(!room.commit("1", { namespace: "sim.small", bytes: 3 }));
  room.reserve("2", "sim.large");
  assert.ok(!room.commit("2", { namespace: "sim.large", bytes: 13 }));
  assert.ok(room.commit("2", { namespace: "sim.large", bytes: 12 }));
  room.reserve("3", "other");
  assert.ok(room.commit("3", { namespace: "other", bytes: MIB }));
});

Deno.test("what has to go is what lies above the low watermark, by quota", () => {
  const room = new Room([
    { pattern: "a.*", maxBytes: 1_000 },
    { pattern: "b", maxEntries: 100 },
  ]);
  room.update([usage("a.x", 10, 950), usage("b", 95, 7)]);
  assert.deepEqual(goes(room), [], "95 % is not too much");
  room.update([usage("a.x", 10, 960), usage("b", 97, 7)]);
  assert.deepEqual(goes(room), [
    { pattern: "a.*", bytes: 60, entries: 0 },
    { pattern: "b", bytes: 0, entries: 7 },
  ]);
});

Deno.test("who is refused has room made for", () => {
  const room = new Room([{ pattern: "*", maxBytes: 1_000 }]);
  room.add("large", 300);
  for (let i = 0; i < 6; i++) room.add("small", 100);
  assert.deepEqual(goes(room), [], "900 of 1,000");
  assert.ok(!room.hasRoom("large"));
  assert.deepEqual(goes(room), [
    { pattern: "*", bytes: 300, entries: 0 },
  ]);
  room.update([usage("small", 6, 600)]);
  assert.ok(room.hasRoom("large"));
  assert.deepEqual(goes(room), [], "and it is asked for once only");
});

Deno.test("a single entry stays until another one is to come", () => {
  const room = new Room([{ pattern: "*", maxEntries: 1 }]);
  room.add("a", 100);
  assert.deepEqual(goes(room), []);
  assert.ok(!room.hasRoom("a"));
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 0, entries: 1 }]);
});

Deno.test("nothing goes for a value that would not fit into an empty cache", () => {
  const room = new Room([{ pattern: "*", maxBytes: 1_000 }]);
  for (let i = 0; i < 5; i++) room.add("a", 100);
  room.reserve("1", "a");
  assert.ok(!room.commit("1", { namespace: "a", bytes: 1_001 }));
  assert.deepEqual(goes(room), []);
  assert.ok(!room.commit("1", { namespace: "a", bytes: 1_000 }));
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 700, entries: 0 }]);
});

Deno.test("work in progress makes a quarter of the limit go at most", () => {
  const room = new Room([{ pattern: "*", maxBytes: 1_000 }]);
  room.add("a", 100);
  room.update([usage("a", 8, 800)]);
  for (let i = 0; i < 100; i++) room.reserve(`${i}`, "a");
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 150, entries: 0 }]);
});

Deno.test("a disk that fills up counts what was written since it was looked at", () => {
  const room = new Room([]);
  room.update([usage("a", 10, 1_000)], {
    roomBytes: 250,
    sizeBytes: 5_000,
    slackBytes: 20,
    ...TOY,
  });
  room.add("a", 100);
  assert.ok(room.hasRoom("a"));
  room.reserve("1", "a");
  assert.ok(!room.hasRoom("a"), "150 are left, of which 100 are spoken for");
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 70, entries: 0 }]);
  room.update([usage("a", 9, 900)], {
    roomBytes: -5,
    sizeBytes: 5_000,
    slackBytes: 20,
    ...TOY,
  });
  assert.deepEqual(
    goes(room),
    [{ pattern: "*", bytes: 225, entries: 0 }],
    "for who was refused as well",
  );
  room.update([usage("a", 9, 900)], {
    roomBytes: -5,
    sizeBytes: 5_000,
    slackBytes: 20,
    ...TOY,
  });
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 125, entries: 0 }]);
});

Deno.test("an empty cache has nothing that could go", () => {
  const room = new Room([]);
  room.update([], {
    roomBytes: -1_000,
    sizeBytes: 5_000,
    slackBytes: 100,
    ...TOY,
  });
  assert.ok(!room.hasRoom("a"));
  assert.deepEqual(goes(room), []);
});

Deno.test("a value that no eviction could make room for takes nothing from anybody", () => {
  const disk = { roomBytes: 250, sizeBytes: 1_300, slackBytes: 20, ...TOY };
  const room = new Room([]);
  room.update([usage("a", 10, 1_000)], disk);
  const whole = (total: number) => room.incoming("a", announced(total));
  assert.deepEqual(whole(1_301), {
    never: true,
    text: "--min-free leaves 1300 bytes of the whole disk to be written, and " +
      "the value has 1301",
  });
  assert.deepEqual(whole(1_251), {
    never: false,
    text: "--min-free leaves 250 bytes of the disk to be written, 1000 more " +
      "are kept, and the value has 1251",
  });
  // Nor does one that comes without a word, when it has become so large.
  assert.match(
    room.incoming("a", piece(1_301, 1))?.text ?? "",
    /and the value has more$/,
  );
  room.reserve("1", "a");
  assert.ok(!room.commit("1", { namespace: "a", bytes: 1_301 }));
  room.release("1");
  assert.deepEqual(goes(room), []);
});

Deno.test("room is made for an announced value while it comes, and given back when it is given up", () => {
  const disk = { roomBytes: 250, sizeBytes: 1_300, slackBytes: 20, ...TOY };
  const room = new Room([]);
  room.update([usage("a", 10, 1_000)], disk);
  assert.equal(room.incoming("a", announced(600)), undefined);
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 370, entries: 0 }]);
  room.concluded([]);
  assert.equal(room.incoming("a", piece(250, 250, 600)), undefined);
  assert.ok(!room.hasRoom("a"));
  room.giveBack("1", "file");
  assert.ok(room.hasRoom("a"));
});

Deno.test("a value that has its size said has room made for all of it at each piece", () => {
  const disk = { roomBytes: 50, sizeBytes: 1_300, slackBytes: 20, ...TOY };
  const room = new Room([]);
  room.update([usage("a", 10, 1_000)], disk);
  assert.equal(room.incoming("a", piece(50, 50, 200)), undefined);
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 170, entries: 0 }]);
  room.concluded([]);
  // Others took what was made.
  assert.equal(room.incoming("a", piece(100, 50, 200))?.never, false);
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 170, entries: 0 }]);
  taken(room, 170);
  room.concluded([]);
  assert.equal(room.incoming("a", piece(100, 50, 200)), undefined);
  assert.equal(room.incoming("a", piece(200, 100, 200)), undefined);
  // What comes after that is of a value whose size nobody knows.
  assert.match(
    room.incoming("a", piece(230, 30, 200))?.text ?? "",
    /after 230 of this value, and nothing is removed for one whose size is not/,
  );
  assert.deepEqual(goes(room), []);
});

for (const quotas of [[], [{ pattern: "small", maxBytes: 300 }]]) {
  const limits = quotas.length > 0 ? "with a quota" : "without a quota";
  Deno.test(`a value of unknown size takes nothing from anybody while it comes, ${limits}`, () => {
    const room = new Room(quotas);
    const disk = { roomBytes: 100, sizeBytes: 1_100, slackBytes: 20, ...TOY };
    room.update([usage("other", 100, 1_000)], disk);
    room.reserve("1", "small");
    room.reserve("2", "other");
    let total = 0;
    for (;;) {
      const refused = room.incoming("small", piece(total + 10, 10));
      assert.deepEqual(goes(room), []);
      if (refused) {
        assert.equal(refused.never, false);
        assert.match(refused.text, /says its size beforehand$/);
        break;
      }
      total += 10;
    }
    // 10 are kept for the work of somebody else.
    assert.equal(total, 90);
    assert.ok(!room.hasRoom("other"));
    assert.deepEqual(
      goes(room),
      [{ pattern: "*", bytes: 10, entries: 0 }],
      "for the next one, and nothing ahead of the need meanwhile",
    );
    room.concluded([]);
    room.giveBack("1", "file");
    assert.ok(room.hasRoom("other"));
    assert.deepEqual(goes(room), []);
  });
}

Deno.test("what of a value lies on the disk has no room made for it again at its end", () => {
  const room = new Room([]);
  const disk = { roomBytes: 400, sizeBytes: 1_400, slackBytes: 20, ...TOY };
  room.update([usage("a", 100, 1_000)], disk);
  room.reserve("1", "a");
  assert.equal(room.incoming("a", piece(300, 300)), undefined);
  assert.ok(
    room.commit("1", { namespace: "a", bytes: 300, upload: "file" }),
  );
  assert.deepEqual(goes(room), []);
  room.giveBack("1", "file");
  room.release("1");
  room.add("a", 300);
  assert.deepEqual(goes(room), []);
  assert.ok(room.hasRoom("b"), "100 are left");
  assert.ok(!room.hasRoom("a"));
});

Deno.test("nobody is told of --min-free who has asked for nothing to stay free", () => {
  const room = new Room([]);
  const disk = {
    roomBytes: 5,
    sizeBytes: 1_300,
    slackBytes: 20,
    blockBytes: 1,
  };
  room.update([usage("a", 10, 1_000)], { ...disk, keptBytes: 0 });
  const toldOf = (text: string | undefined) => {
    assert.match(text ?? "", /disk/);
    assert.doesNotMatch(text ?? "", /min-free/);
    return text;
  };
  assert.equal(
    toldOf(room.incoming("a", announced(1_301))?.text),
    "the whole disk has 1300 bytes, and the value has 1301",
  );
  assert.equal(
    toldOf(room.incoming("a", announced(1_251))?.text),
    "the disk has 5 bytes free, 1000 more are kept, and the value has 1251",
  );
  toldOf(room.incoming("a", piece(60, 10))?.text);
  const large = { namespace: "a", bytes: 300, coming: true };
  toldOf(room.shortage("a", room.asked("1", large))?.text);
  room.concluded(["--min-free"]);
  toldOf(room.full);
  room.update([], { ...disk, roomBytes: -5, keptBytes: 0 });
  toldOf(room.full);
});

Deno.test("a value that is still to be written has room on the disk made for all of it", () => {
  const room = new Room([]);
  const disk = { roomBytes: 150, sizeBytes: 1_150, slackBytes: 20, ...TOY };
  room.update([usage("a", 10, 1_000)], disk);
  for (const id of ["1", "2", "3"]) room.reserve(id, "a");
  const large = { namespace: "a", bytes: 300, coming: true };
  const asked = room.asked("1", large);
  assert.ok(!room.commit("1", large), "150 are left");
  assert.ok(room.canMake("a", asked));
  assert.match(
    room.shortage("a", asked)?.text ?? "",
    /^--min-free leaves 150 bytes of the disk to be written: .* and 300 more/,
  );
  assert.ok(goes(room)[0]!.bytes >= 150);
  taken(room, 300);
  room.concluded([]);
  assert.ok(room.commit("1", large), "450 are left");
  assert.ok(
    !room.commit("2", { namespace: "a", bytes: 200, coming: true }),
    "300 of them are being written",
  );
  assert.ok(
    room.commit("3", { namespace: "a", bytes: 200 }),
    "a client's own file lies on the disk already",
  );
  room.release("1");
  assert.ok(
    room.commit("2", { namespace: "a", bytes: 200, coming: true }),
    "the other one came to nothing",
  );
  const larger = { namespace: "b", bytes: 1_140, coming: true };
  assert.ok(!room.commit("4", larger), "more than there is if all go");
  assert.ok(!room.canMake("b", room.asked("4", larger)));
});

Deno.test("until the files have gone that make room, a part of what stays free stands for them", () => {
  const room = new Room([]);
  const disk = { roomBytes: 0, sizeBytes: 1_000, slackBytes: 0, ...TOY };
  room.update([usage("a", 10, 1_000)], disk);
  for (let i = 0; i < 6; i++) {
    room.leave(`${i}`, { namespace: "a", bytes: 100 });
  }
  const large = { namespace: "a", bytes: 100, coming: true };
  assert.ok(!room.commit("1", large), "half of 100 are lent");
  assert.ok(room.canMake("a", room.asked("1", large)));
  assert.ok(room.isLeaving);
  assert.equal(room.incoming("a", announced(50)), undefined);
  assert.equal(room.incoming("a", piece(100, 100, 300))?.never, false);
  assert.deepEqual(goes(room), [], "enough has been taken away");
  room.left("0");
  assert.ok(room.commit("1", large));
  room.left("1");
  const larger = { ...large, bytes: 200 };
  assert.ok(!room.commit("2", larger), "100 are being written");
  room.update([usage("a", 8, 800)], { ...disk, roomBytes: 300 });
  room.left("2");
  assert.ok(room.commit("2", larger), "the disk was looked at");
  assert.ok(!room.isLeaving);
});

Deno.test("while a quota can make no room nothing of others goes for it", () => {
  const room = new Room([
    { pattern: "*", maxBytes: 1_000 },
    { pattern: "small", maxBytes: 100 },
  ]);
  room.update([usage("small", 10, 100), usage("other", 90, 850)]);
  room.concluded(["small"]);
  assert.ok(!room.hasRoom("small"));
  room.reserve("1", "small");
  assert.ok(!room.commit("1", { namespace: "small", bytes: 100 }));
  room.release("1");
  assert.deepEqual(
    goes(room).filter(({ pattern }) => pattern === "*"),
    [],
  );
});

Deno.test("work reserves no more than a limit of its namespace lets it keep", () => {
  const room = new Room([
    { pattern: "*", maxBytes: 1_000 },
    { pattern: "small", maxBytes: 10 },
  ]);
  room.update([usage("other", 8, 800)]);
  for (let i = 0; i < 9; i++) room.reserve(`${i}`, "small");
  assert.deepEqual(goes(room), []);
});

/** The next piece of a value; `expected`: what its client said of its size. */
function piece(total: number, more: number, expected = 0) {
  return { id: "1", upload: "file", total, more, expected };
}

/** Nothing has come of it yet. */
function announced(expected: number) {
  return piece(0, 0, expected);
}

/** A disk with bytes enough, of which so many files can still be made. */
function filesLeft(roomFiles: number) {
  return {
    ...{ roomBytes: MIB, sizeBytes: MIB, slackBytes: 0, ...TOY },
    files: { roomFiles, keptFiles: 8, slackFiles: 4 },
  };
}

Deno.test("each value is a file, and of these the disk holds only so many", () => {
  const room = new Room([]);
  room.update([usage("a", 10, 1_000)], filesLeft(3));
  room.add("a", 100);
  room.reserve("1", "a");
  assert.ok(room.hasRoom("a"), "one for what is computed, one for the next");
  room.reserve("2", "a");
  assert.ok(!room.hasRoom("a"));
  assert.equal(
    room.shortage("a")?.text,
    "only 2 files can still be made on the disk (inodes) beside 8 that Larder " +
      "leaves free: 2 values are being computed, and 1 more was asked for",
  );
  assert.deepEqual(
    goes(room),
    [{ pattern: "*", bytes: 0, entries: 5 }],
    "for all three, and four more",
  );
  for (let i = 0; i < 5; i++) taken(room, 100);
  assert.ok(room.hasRoom("a"));
});

Deno.test("a disk whose last files are in use says so", () => {
  const room = new Room([]);
  room.update([usage("a", 10, 1_000)], filesLeft(0));
  assert.equal(room.full, undefined, "they may go");
  assert.ok(!room.hasRoom("a"));
  assert.ok(room.canMake("a"));
  room.concluded(["--min-free"]);
  assert.equal(
    room.full,
    "only 0 files can still be made on the disk (inodes) beside 8 that Larder " +
      "leaves free: 10 values are kept, and all of them are in use",
  );
  assert.ok(!room.canMake("a"));
});

Deno.test("where others have all files of a disk none goes in vain, and as many as help else", () => {
  for (
    const [roomFiles, entries] of [[-10, 0], [-9, 10], [-7, 8], [
      -4,
      9,
    ]] as const
  ) {
    const room = new Room([]);
    room.update([usage("a", 10, 1_000)], filesLeft(roomFiles));
    assert.ok(!room.hasRoom("a"));
    const wanted = entries === 0 ? [] : [{ pattern: "*", bytes: 0, entries }];
    assert.deepEqual(goes(room), wanted, `${roomFiles} files`);
    assert.equal(room.full !== undefined, entries === 0);
  }
});

Deno.test("none goes for its bytes where the files are others', nor the other way round", () => {
  const room = new Room([]);
  const short = { ...filesLeft(-10), roomBytes: -100 };
  room.update([usage("a", 10, 1_000)], short);
  assert.deepEqual(goes(room), []);
  room.update([usage("a", 10, 1_000)], { ...filesLeft(-2), roomBytes: -1_001 });
  assert.deepEqual(goes(room), []);
  room.update([usage("a", 10, 1_000)], { ...filesLeft(-2), roomBytes: -100 });
  assert.deepEqual(goes(room), [{ pattern: "*", bytes: 100, entries: 6 }]);
});
