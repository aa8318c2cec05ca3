/**
 * Proxies, which the environment names for the whole machine: none for what is
 * on this machine, and a failure says which one was between.
 *
 * @module
 */

import type { ClientOptions } from "@grpc/grpc-js";
import { BlockList, isIPv4 } from "node:net";
import process from "node:process";
import { CacheError, plainReason } from "./cache_error.ts";

/** In grpc-js's order, which looks at these only. */
const PROXIES = ["grpc_proxy", "https_proxy", "http_proxy"];
const EXCEPTIONS = ["no_grpc_proxy", "no_proxy"];

/** Names and addresses of this machine. */
const HERE = /^(unix:.*|(.*\.)?localhost|127(\.\d+){3}|0\.0\.0\.0)$/i;
const HERE_6 = /^(::1?|::ffff:127(\.\d+){3})$/i;

/** Options of a channel to an address: grpc-js asks no proxy of this machine. */
export function proxyOptions(address: string): ClientOptions {
  return isHere(address) ? { "grpc.enable_http_proxy": 0 } : {};
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
  return Object.assign(error as Error, {
    details: `${plainReason(details ?? "")} ${proxy}`,
  });
}

/** Which proxy is between, in brackets; `undefined`: none. */
export function proxyFor(address: string): string | undefined {
  if (isHere(address)) return undefined;
  const name = PROXIES.find((name) => variable(name));
  if (name === undefined || isExcepted(hostOf(address))) return undefined;
  const value = variable(name)!;
  // What is before the host may be a password.
  const proxy = URL.canParse(value) ? new URL(value).host : "?";
  return `(through the proxy ${proxy}, which ${name} names)`;
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

function hostOf(address: string): string {
  return address.startsWith("unix:")
    ? address
    : address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
