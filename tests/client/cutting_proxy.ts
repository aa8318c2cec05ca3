/**
 * A TCP proxy in front of a server that breaks its connections.
 *
 * @module
 */

/** What a proxy does to connections that have passed on what they may. */
export interface ProxyOptions {
  /** Keeps them open, and silent. Otherwise they are closed. */
  readonly mutes?: boolean;
}

/** Passes bytes on until it was told to cut; counts what the server sends. */
export class CuttingProxy implements AsyncDisposable {
  /** Where it listens. */
  readonly address: string;
  /** How many connections were made. */
  connections = 0;
  /** Bytes that have come from the server and were passed on. */
  received = 0;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #served: Promise<void>;
  readonly #mutes: boolean;

  /**
   * @param target `host:port` of the server.
   * @param limits How many bytes each connection passes on, one after the
   * other; there are no more connections than these.
   * @param options What becomes of them then.
   */
  constructor(
    target: string,
    limits: readonly number[],
    { mutes = false }: ProxyOptions = {},
  ) {
    this.#mutes = mutes;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.address = `127.0.0.1:${this.#listener.addr.port}`;
    this.#served = this.#serve(target, limits);
  }

  async #serve(target: string, limits: readonly number[]): Promise<void> {
    const [hostname, port] = target.split(":") as [string, string];
    const relays: Promise<void>[] = [];
    for await (const client of this.#listener) {
      const limit = limits[this.connections++];
      if (limit === undefined) {
        client.close();
        continue;
      }
      const server = await Deno.connect({ hostname, port: Number(port) });
      relays.push(this.#relay(client, server, limit));
    }
    await Promise.all(relays);
  }

  async #relay(
    client: Deno.TcpConn,
    server: Deno.TcpConn,
    limit: number,
  ): Promise<void> {
    const both = [client, server];
    for (const each of both) this.#open.add(each);
    const asked = client.readable.pipeTo(server.writable).catch(() => {});
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let passed = 0; passed < limit;) {
        const count = await server.read(buffer);
        if (count === null) break;
        for (let at = 0; at < count;) {
          at += await client.write(buffer.subarray(at, count));
        }
        passed += count;
        this.received += count;
      }
      if (this.#mutes) await asked;
    } catch {
      // The client has gone, or the test is over.
    }
    for (const each of both) this.#close(each);
    await asked;
  }

  #close(connection: Deno.TcpConn): void {
    if (!this.#open.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // Its stream has closed it already.
    }
  }

  /** Cuts what is open. */
  cut(): void {
    for (const each of this.#open) this.#close(each);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#served;
  }
}
