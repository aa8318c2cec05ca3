import assert from "node:assert/strict";
import { MAX_LABELLED_NAMESPACES } from "../limits.ts";
import { NamespaceTallies } from "./namespace_tallies.ts";

function labelled(tallies: NamespaceTallies, name: string) {
  const family = tallies.families().find((each) => each.name === name)!;
  return Object.fromEntries(
    family.read().map(({ labels, value }) => [labels?.namespace, value]),
  );
}

Deno.test("NamespaceTallies labels quotas, then those who publish first", () => {
  const tallies = new NamespaceTallies(["sim.*", "sim.fast.*", "synth"]);
  for (const name of ["sim.a", "sim.b", "sim.fast.x", "synth", "own"]) {
    tallies.published(name, 10);
    tallies.found(name, 1_000);
  }
  assert.deepEqual(labelled(tallies, "larder_published_bytes_total"), {
    "sim.fast.*": 10,
    "sim.*": 20,
    synth: 10,
    own: 10,
    other: 0,
  });
  assert.equal(labelled(tallies, "larder_saved_seconds_total").own, 1);
});

Deno.test("NamespaceTallies never has more labels, and never changes one", () => {
  const tallies = new NamespaceTallies([]);
  const many = 3_000;
  for (let at = 0; at < many; at++) {
    tallies.missed(`n${at}`, "work");
    tallies.published(`n${at}`, 1);
    tallies.found("n0", 0);
  }
  const published = labelled(tallies, "larder_published_values_total");
  assert.equal(Object.keys(published).length, MAX_LABELLED_NAMESPACES + 1);
  assert.equal(published.other, many - MAX_LABELLED_NAMESPACES);
  assert.equal(labelled(tallies, "larder_hits_total").n0, many);
  // Whatever was counted before its label was there stays where it was.
  assert.equal(labelled(tallies, "larder_misses_total").other, many);
});

Deno.test("a namespace that is called other is one of them", () => {
  const tallies = new NamespaceTallies(["other"]);
  tallies.published("other", 1);
  tallies.published("more", 1);
  const family = tallies.families()[3]!;
  const labels = family.read().map(({ labels }) => labels?.namespace);
  assert.deepEqual(labels, ["more", "other"]);
});
