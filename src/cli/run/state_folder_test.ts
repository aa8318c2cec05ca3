import assert from "node:assert/strict";
import { homedir } from "node:os";
import process from "node:process";
import { baseFolder } from "./state_folder.ts";

/** Nobody else's. */
const VARIABLE = "LARDER_TEST_BASE_FOLDER";

Deno.test("a user's folder is where the variable says, if that is absolute", () => {
  const inHome = `${homedir()}/.local/state`;
  try {
    for (
      const [given, folder] of [
        [undefined, inHome],
        ["", inHome],
        ["state", inHome],
        ["./state", inHome],
        ["/some/state", "/some/state"],
      ] as const
    ) {
      if (given === undefined) delete process.env[VARIABLE];
      else process.env[VARIABLE] = given;
      assert.equal(baseFolder(VARIABLE, ".local/state"), folder);
    }
  } finally {
    delete process.env[VARIABLE];
  }
});
