/**
 * Parts of grpc-js that it keeps to itself, in the one version that we name:
 * what makes its connections, and what keeps a process alive for its calls.
 *
 * @module
 */

import type { ChannelOptions, Client } from "@grpc/grpc-js";
import type { NetConnectOpts, Socket } from "node:net";

/** Makes the connections to one address, one after the other. */
export interface Connector {
  /** Makes one, until HTTP/2 is spoken on it. */
  connect(...args: readonly unknown[]): Promise<unknown>;
  /** Its first part: until bytes go to the server and come from there. */
  tcpConnect(address: NetConnectOpts, options: ChannelOptions): Promise<Socket>;
}

interface Pool {
  getOrCreateSubchannel(
    ...args: readonly unknown[]
  ): { readonly connector: Connector };
}

interface Channel {
  /** Whom calls say that they are for. */
  readonly defaultAuthority: string;
  /** A call waits for a connection. */
  callRefTimerRef(): void;
  readonly subchannelPool: Pool;
}

/**
 * Lets a client keep no process alive while its calls wait for a connection, and
 * hands each of its connectors over before that is used.
 */
export function takeOver(
  client: Client,
  onConnector: (connector: Connector) => void,
): void {
  const channel = channelOf(client);
  channel.callRefTimerRef = () => {};
  const pool = channel.subchannelPool;
  const getOrCreate = pool.getOrCreateSubchannel.bind(pool);
  const known = new WeakSet<Connector>();
  pool.getOrCreateSubchannel = (...args) => {
    const subchannel = getOrCreate(...args);
    const { connector } = subchannel;
    if (!known.has(connector)) onConnector(connector);
    known.add(connector);
    return subchannel;
  };
}

/** Whom calls of a client say that they are for. */
export function authorityOf(client: Client): string {
  return channelOf(client).defaultAuthority;
}

function channelOf(client: Client): Channel {
  return (client.getChannel() as unknown as {
    readonly internalChannel: Channel;
  }).internalChannel;
}
