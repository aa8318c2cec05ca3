import assert from "node:assert/strict";

/** The modules of ours that Deno reads for a program. */
async function modulesOf(program: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(program, import.meta.url).href],
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const here = new URL("..", import.meta.url).href;
  return modules.map(({ specifier }: { specifier: string }) => specifier)
    .filter((specifier: string) => specifier.startsWith(here))
    .map((specifier: string) => specifier.slice(here.length));
}

Deno.test("the launcher names no module of the server and of clients, nor the server any of clients", async () => {
  const [launcher, confined] = await Promise.all(
    ["launcher.ts", "confined.ts"].map(modulesOf),
  );
  const isServers = /^(serve\.ts|engine|rpc|grpc|manifest|blobs)/;
  const isClients = /^(cli|client|npm)\//;
  assert.deepEqual(launcher!.filter((each) => isServers.test(each)), []);
  assert.deepEqual(launcher!.filter((each) => isClients.test(each)), []);
  assert(confined!.includes("serve.ts"));
  assert.deepEqual(confined!.filter((each) => isClients.test(each)), []);
});
