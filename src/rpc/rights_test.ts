import assert from "node:assert/strict";
import { Access } from "../access/access.ts";
import { FakeClock } from "../clock.ts";
import { StatusError } from "../grpc/status.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { authenticateBy } from "./rights.ts";

Deno.test("of two authorization headers neither counts", async () => {
  using access = await Access.open("/access", {
    clock: new FakeClock(),
    log: () => {},
    read: () =>
      Promise.resolve(
        `[[token]]\nname = "ci"\nsha256 = "${sha256Hex("t")}"\nread = ["*"]`,
      ),
  });
  const door = { kind: "remote", isHere: true, isTls: false } as const;
  const says = (...headers: string[]) => {
    const fields = headers.flatMap((header) => ["authorization", header]);
    const head = { method: "POST", path: "/larder.v1.Cache/Stat", fields };
    const connection = { peer: "", transport: {} };
    const who = authenticateBy(access, door)(
      head as never,
      connection as never,
    );
    return who instanceof StatusError ? who.message : "known";
  };
  assert.equal(says("Bearer t"), "known");
  for (const headers of [["x", "Bearer t"], ["Bearer t", "Bearer t"]]) {
    assert.match(says(...headers), /has two authorization headers/);
  }
});
