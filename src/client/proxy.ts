/**
 * Proxies, which the environment names for the whole machine: none for what is
 * on this machine, and a failure says which one was between.
 *
 * @module
 */

import type { ClientOptions } from "@grpc/grpc-js";
import { BlockList, isIPv4 } from "node:net";
import process from "node:process";
import { hostOf } from "./address.ts";
import { CacheError, plainReason } from "./cache_error.ts";

/** In grpc-js's order, which looks at these only. */
const PROXIES = ["grpc_proxy", "https_proxy", "http_proxy"];
const EXCEPTIONS = ["no_grpc_proxy", "no_proxy"];
/** Of a proxy without a port. */
const HTTP_PORT = "80";

/** Names and addresses of this machine. */
const HERE = /^(unix:.*|(.*\.)?localhost|127(\.\d+){3}|0\.0\.0\.0)$/i;
const HERE_6 = /^(::1?|::ffff:127(\.\d+){3})$/i;

/** Whom a channel connects to, and how. */
export interface Way {
  /** `host:port` of the server, or of the proxy between. */
  readonly target: string;
  readonly options: ClientOptions;
}

/**
 * The way to an address. grpc-js finds out nothing about proxies by itself: it
 * would print whatever is wrong with one, a line at each attempt.
 */
export function wayTo(address: string): Way {
  const options = { "grpc.enable_http_proxy": 0 };
  const proxy = proxyBetween(address);
  if (!proxy?.url) return { target: address, options };
  const { hostname, port, username, password } = proxy.url;
  const who = [username, ...password === "" ? [] : [password]];
  return {
    target: `${hostname}:${port || HTTP_PORT}`,
    options: {
      ...options,
      "grpc.default_authority": address,
      "grpc.http_connect_target": `dns:${address}`,
      ...username !== "" && {
        "grpc.http_connect_creds": who.map(decodeURIComponent).join(":"),
      },
    },
  };
}

/** Whether an address, `host:port`, is on this machine. */
export function isHere(address: string): boolean {
  const host = hostOf(address);
  return HERE.test(host) || HERE_6.test(host);
}

/** An error of a connection, which names the proxy that was between. */
export function namingProxy(error: unknown, address: string): unknown {
  const proxy = proxyFor(address);
  if (proxy === undefined) return error;
  if (error instanceof CacheError) {
    const message = `${error.message} ${proxy}`;
    return new CacheError(error.code, message, { cause: error });
  }
  const { details } = error as { details?: string };
  const reason = plainReason(details ?? "");
  return Object.assign(error as Error, { details: `${reason} ${proxy}` });
}

/**
 * Which proxy is between, in brackets, or that the one is none which the
 * environment names; `undefined`: none is named.
 */
export function proxyFor(address: string): string | undefined {
  const proxy = proxyBetween(address);
  if (!proxy) return undefined;
  const { name, url } = proxy;
  return url
    ? `(through the proxy ${url.host}, which ${name} names)`
    : `(without a proxy: ${name} must be http://host:port, and is not)`;
}

/** Whether no proxy is between. */
export function isDirect(address: string): boolean {
  return proxyBetween(address)?.url === undefined;
}

/** `url` without a value: what is named is no proxy that can be asked. */
function proxyBetween(
  address: string,
): { readonly name: string; readonly url: URL | undefined } | undefined {
  if (isHere(address)) return undefined;
  const name = PROXIES.find((name) => variable(name));
  if (name === undefined || isExcepted(hostOf(address))) return undefined;
  const value = variable(name)!;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isProxy = url?.protocol === "http:" && url.hostname !== "" &&
    isDecodable(url);
  return { name, url: isProxy ? url : undefined };
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

function isExcepted(host: string): boolean {
  const name = EXCEPTIONS.find((name) => variable(name));
  if (name === undefined) return false;
  return variable(name)!.split(",").some((each) =>
    host.endsWith(each) || isWithin(host, each)
  );
}

function isWithin(host: string, network: string): boolean {
  const [, ip = "", bits] = /^([\d.]+)\/(\d+)$/.exec(network) ?? [];
  if (!isIPv4(host) || !isIPv4(ip) || Number(bits) > 32) return false;
  const list = new BlockList();
  list.addSubnet(ip, Number(bits));
  return list.check(host);
}

/** Deno may not allow it; then grpc-js cannot read it either. */
function variable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
