import assert from "node:assert/strict";
import { svgOf } from "./plot.ts";

Deno.test("svgOf draws every curve within the picture", () => {
  const svg = svgOf({
    title: "less < more & more",
    times: [0, 1, 2, 3],
    warmUpSeconds: 1,
    panels: [
      { title: "one", curves: [{ name: "a", values: [0, 1, 700, 3] }] },
      { title: "two", curves: [{ name: "b", values: [0, 0, 0, 0] }] },
    ],
  });
  const polylines = [...svg.matchAll(/points="([^"]+)"/g)];
  assert.equal(polylines.length, 2);
  for (const [, points] of polylines) {
    for (const point of points!.split(" ")) {
      const [x, y] = point.split(",").map(Number);
      assert.ok(x! >= 0 && x! <= 960 && y! >= 0 && y! <= 180, point);
    }
  }
  assert.match(svg, /less &lt; more &amp; more/);
  assert.doesNotMatch(svg, /NaN/);
});
