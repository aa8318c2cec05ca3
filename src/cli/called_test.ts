import assert from "node:assert/strict";
import { serveCommand } from "./called.ts";

Deno.test("serveCommand names what the user can type", () => {
  const cases: [string, boolean, boolean, string][] = [
    ["/usr/bin/node", false, false, "larder serve"],
    ["/usr/bin/node", false, true, "npx --no-install larder serve"],
    ["/home/you/.deno/bin/deno", true, false, "deno task serve"],
    [
      "/home/you/.npm/_npx/7a40/node_modules/@deno/linux-x64-glibc/deno",
      true,
      true,
      "npx -y deno@1.2.3 task serve",
    ],
  ];
  for (const [execPath, isDeno, isNpx, command] of cases) {
    assert.equal(serveCommand("1.2.3", { execPath, isDeno, isNpx }), command);
  }
});
