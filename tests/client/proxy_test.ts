/** What is on this machine is asked without a proxy; a failure names it. */

import assert from "node:assert/strict";
import { sideBySide } from "../support/side_by_side.ts";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { isHere } from "../../src/client/proxy.ts";
import { denoCommand, withServerHere } from "./support.ts";

const waits = sideBySide("failures of proxies");

const PROGRAM = new URL("programs/compute_once.ts", import.meta.url);
const LARDER = new URL("../../src/main.ts", import.meta.url);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** Nobody answers there; the name and the password are nobody's business. */
const PROXY = "http://user:secret@127.0.0.1:1";

async function output(
  [program, ...args]: readonly string[],
  env: Record<string, string>,
): Promise<{ out: string; errors: string }> {
  const command = new Deno.Command(program!, {
    args,
    env: { http_proxy: "", https_proxy: "", no_proxy: "", ...env },
  });
  const { stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { out: text(stdout), errors: text(stderr) };
}

for (const name of ["http_proxy", "https_proxy", "grpc_proxy"]) {
  Deno.test(`a server on this machine is asked without a proxy, whatever ${name} says`, () =>
    withServerHere(async ({ remote }) => {
      const command = denoCommand(PROGRAM, remote);
      const { out } = await output(command, { [name]: PROXY });
      assert.equal(out, "computed\n");
    }));
}

/** Leads whoever asks for a way to any server to this one; and what was asked. */
function proxyTo(server: string): Disposable & {
  readonly address: string;
  readonly asked: string[];
} {
  const [hostname, port] = server.split(":") as [string, string];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const lead = async (client: Deno.Conn) => {
    const head = new Uint8Array(1024);
    // It comes in one piece, since nothing is sent before the answer.
    const length = await client.read(head) ?? 0;
    asked.push(new TextDecoder().decode(head.subarray(0, length)));
    const onward = await Deno.connect({ hostname, port: Number(port) });
    await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    await Promise.allSettled([
      client.readable.pipeTo(onward.writable),
      onward.readable.pipeTo(client.writable),
    ]);
  };
  void (async () => {
    for await (const client of listener) void lead(client);
  })();
  return {
    address: `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    asked,
    [Symbol.dispose]: () => listener.close(),
  };
}

Deno.test("a server elsewhere is asked through the proxy", () =>
  withServerHere(async ({ remote }) => {
    using proxy = proxyTo(remote);
    const http_proxy = `http://${proxy.address}`;
    const away = denoCommand(PROGRAM, "larder.invalid:28056");
    const through = await output(away, { http_proxy });
    assert.equal(through.out, "computed\n");
    assert.match(proxy.asked[0]!, /^CONNECT larder\.invalid:28056 /);
  }));

waits("a failure names the proxy, and no message says undefined", async () => {
  const away = "192.0.2.1:4";
  const through = "(through the proxy 127.0.0.1:1, which https_proxy names)";
  const env = { https_proxy: PROXY };
  const { out, errors: said } = await output(denoCommand(PROGRAM, away), env);
  const why = `remote ${away}: cannot ask for the value: `;
  const refused = "connect ECONNREFUSED 127.0.0.1:1";
  assert.equal(out, `${why}${refused} ${through}\nuncached\n`);
  assert.equal(said, "", "grpc-js prints nothing of its own");
  const usage = denoCommand(LARDER, "usage", "--remote", away);
  const { errors } = await output(usage, env);
  assert(errors.includes(through), errors);
  assert.equal(errors.trim().split("\n").length, 1, errors);
  assert(!/undefined|secret/.test(errors), errors);
});

/** A proxy that lets nobody through. */
async function refusing(
  run: (address: string) => Promise<void>,
): Promise<void> {
  const answer = "HTTP/1.1 407 Who are you?\r\ncontent-length: 0\r\n\r\n";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await run(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

waits(
  "a failure says what the proxy answers, and that a proxy is none, or silent",
  async () => {
    const away = "192.0.2.1:4";
    const asked = `remote ${away}: cannot ask for the value: `;
    const computed = async (https_proxy: string) => {
      const env = { https_proxy };
      const { out, errors } = await output(denoCommand(PROGRAM, away), env);
      assert.equal(errors, "", "grpc-js prints nothing of its own");
      const [why, source, ...rest] = out.trim().split("\n");
      assert.deepEqual([source, ...rest], ["uncached"]);
      return why!;
    };
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const unanswered = computed(`http://127.0.0.1:${silent.addr.port}`);
    await refusing(async (proxy) => {
      const through = `(through the proxy ${proxy}, which https_proxy names)`;
      const why = await computed(`http://${proxy}`);
      assert.equal(why, `${asked}the proxy answers with 407 ${through}`);
    });
    for (const none of ["nonsense", "socks5://user:secret@127.0.0.1:1"]) {
      const why = await computed(none);
      assert.match(
        why,
        /\(without a proxy: https_proxy must be http:\/\/host:port, and is not\)$/,
      );
      assert(why.startsWith(asked) && !why.includes("secret"), why);
    }
    assert.match(
      await unanswered,
      /: no (answer|connection) within 2\d00 ms \(through the proxy /,
    );
  },
);

Deno.test("no proxy is blamed for a server that no_proxy names", async () => {
  const script = `
    import { proxyFor } from "${new URL(
    "../../src/client/proxy.ts",
    import.meta.url,
  )}";
    console.log(Deno.args.map((each) => proxyFor(each) === undefined).join());
  `;
  const command = [
    ...[Deno.execPath(), "eval", "--config", CONFIG, script],
    ...["a.example:1", "b.a.example:1", "b.example:1", "10.1.2.3:1"],
  ];
  for (
    const [no_proxy, expected] of [
      ["", "false,false,false,false"],
      ["a.example,10.1.0.0/16", "true,true,false,true"],
      ["b.example,10.1.2.0/32", "false,false,true,false"],
    ] as const
  ) {
    const { out } = await output(command, { http_proxy: PROXY, no_proxy });
    assert.equal(out, `${expected}\n`, no_proxy);
  }
});

Deno.test("names and addresses of this machine are told from others", () => {
  for (const host of ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1"]) {
    assert(isHere(`${host}:1`), host);
  }
  for (const host of ["127.9.8.7", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"]) {
    assert(isHere(`${host}:1`), host);
  }
  assert(isHere("unix:/run/larder"));
  for (const host of ["10.0.0.1", "127.evil.example", "localhost.example"]) {
    assert(!isHere(`${host}:1`), host);
  }
  assert(!isHere("[2001:db8::1]:1"));
});
