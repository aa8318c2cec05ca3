import assert from "node:assert/strict";
import { currentBootId, parseBootId } from "./boot_id.ts";

Deno.test("currentBootId is the same each time it is asked", async () => {
  const bootId = await currentBootId();
  if (Deno.build.os === "linux") assert.match(bootId ?? "", /^[0-9a-f]{32}$/);
  assert.equal(await currentBootId(), bootId);
});

Deno.test("parseBootId understands what the kernel writes, and systemd", () => {
  const bootId = "0123456789abcdef0123456789abcdef";
  const dashed = "01234567-89AB-cdef-0123-456789abcdef\n";
  assert.equal(parseBootId(dashed), bootId);
  assert.equal(parseBootId(bootId), bootId);
  for (const text of ["", "%b", "/etc", `${bootId}0`, bootId.slice(1)]) {
    assert.equal(parseBootId(text), undefined, text);
  }
});
