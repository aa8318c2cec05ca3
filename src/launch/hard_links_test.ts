import assert from "node:assert/strict";
import { refuseForeignLinks } from "./hard_links.ts";

Deno.test("other users are served only where they cannot link files of others", async () => {
  const says = (text?: string) => () => Promise.resolve(text);
  await refuseForeignLinks({ shared: true }, says("1"));
  await refuseForeignLinks({ shared: true }, says());
  await refuseForeignLinks({ shared: false }, says("0"));
  await assert.rejects(refuseForeignLinks({ shared: true }, says("0")), {
    name: "StartError",
    message: /sysctl -w fs\.protected_hardlinks=1$/,
  });
});
