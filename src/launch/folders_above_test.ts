import assert from "node:assert/strict";
import { closedAbove } from "./folders_above.ts";

Deno.test("a folder above the root that others cannot pass through is named", () => {
  const modes: Record<string, number | null> = {
    "/": 0o755,
    "/home": 0o755,
    "/home/larder": 0o40700,
    "/srv": null,
    "/srv/cache": 0o711,
  };
  const modeOf = (folder: string) => modes[folder]!;
  assert.match(
    closedAbove("/home/larder/root", modeOf)!,
    /cannot pass through \/home\/larder, .*: chmod o\+x \/home\/larder/,
  );
  // Of the root itself the server takes care.
  for (const root of ["/srv/cache/root", "/srv/cache", "/home/larder", "/"]) {
    assert.equal(closedAbove(root, modeOf), undefined, root);
  }
});
