import assert from "node:assert/strict";
import { StartError } from "../errors.ts";
import { completeModules } from "./server_modules.ts";
import { StopRequests } from "./stop_requests.ts";
import { temporaryFolder } from "./testing/program.ts";

/** An installation whose program has one line. */
async function installation(folder: string, line: string) {
  const [main, denoConfig] = [`${folder}/main.ts`, `${folder}/deno.json`];
  await Deno.writeTextFile(main, line);
  await Deno.writeTextFile(denoConfig, "{}");
  return { deno: Deno.execPath(), main, denoConfig, readable: [] };
}

Deno.test("completeModules says in Deno's words what is missing", async () => {
  await using folder = await temporaryFolder();
  const broken = await installation(folder.path, `import "./absent.ts";`);
  await assert.rejects(
    completeModules(broken, new StopRequests()),
    (error) =>
      error instanceof StartError && error.exitCode === 1 &&
      /not complete: .*absent\.ts/.test(error.message),
  );
});

Deno.test("completeModules ends where a stop is asked for", async () => {
  await using folder = await temporaryFolder();
  const endless = await installation(folder.path, "export {};");
  const stop = new StopRequests();
  stop.request();
  // It would wait for ever.
  endless.deno = `${folder.path}/deno`;
  await Deno.writeTextFile(endless.deno, "#!/bin/sh\nexec sleep 60\n");
  await Deno.chmod(endless.deno, 0o700);
  await completeModules(endless, stop);
});
