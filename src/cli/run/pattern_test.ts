import { deepEqual, equal, throws } from "node:assert/strict";
import { Pattern } from "./pattern.ts";

Deno.test("a name without wildcards is that of a file", () => {
  for (const name of ["a", "a.v", "d/a\\b", "a]b", "!a", "#a", "+(a)", "a}"]) {
    equal(Pattern.of(name), undefined, name);
  }
});

Deno.test("a pattern means files below its folder", () => {
  const cases: [string, string, string[], string[]][] = [
    ["*.v", ".", ["a.v"], [".a.v", "d/a.v", "a.vh"]],
    ["rtl/**/*.v", "rtl", ["a.v", "d/e/a.v"], [".git/a.v", "a.sv", "d/.a.v"]],
    ["/top/x*", "/top", ["x", "xy"], ["y"]],
    ["/*.v", "/", ["a.v"], ["d/a.v"]],
    ["../../d/?.h", "../../d", ["a.h"], ["ab.h", "/.h"]],
    ["gen/{a,b/c}.h", "gen", ["a.h", "b/c.h"], ["c.h"]],
    ["d\\[1]/[ab].v", ".", ["d[1]/a.v"], ["d1/a.v"]],
    ["a\\[1].v", ".", ["a[1].v"], ["a1.v"]],
    ["!*.v", ".", ["!a.v"], ["a.h"]],
    ["#*", ".", ["#a"], ["a"]],
    ["+(a)*", ".", ["+(a)b"], ["ab", "aa"]],
    ["ä/*.v", "ä", ["ö.v"], []],
  ];
  for (const [name, base, yes, no] of cases) {
    const pattern = Pattern.of(name)!;
    equal(pattern.base, base, name);
    deepEqual(yes.filter((each) => !pattern.matches(each)), [], name);
    deepEqual(no.filter((each) => pattern.matches(each)), [], name);
  }
});

Deno.test("folders in which nothing can be meant are left out", () => {
  const pattern = Pattern.of("rtl/*/src/*.v")!;
  equal(pattern.leadsInto("a"), true);
  equal(pattern.leadsInto("a/src"), true);
  equal(pattern.leadsInto("a/doc"), false);
  equal(Pattern.of("**/*.v")!.leadsInto("a/b/c"), true);
  equal(Pattern.of("**/*.v")!.leadsInto(".git"), false);
});

Deno.test("a pattern that goes up after a wildcard is refused", () => {
  throws(() => Pattern.of("*/../x"), /write \. and \.\. before/);
});
