/** Servers and files, from which each cause that keeps TLS from working is made. */

import { withRoot } from "../support/root.ts";
import {
  ALICE,
  EXPIRED,
  FOREIGN,
  LATE,
  MALLORY,
  SERVER,
} from "../support/certificates.ts";
import { ServerHere } from "../support/server_here.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";

/** What a client was told, and what it has to say then. */
export interface Cause {
  readonly remote: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tlsOn?: "local";
  /** With `ca PATH` and the like for what the library calls so. */
  readonly says: string;
}

const PAIRS = { server: SERVER, expired: EXPIRED, ALICE, LATE, MALLORY };
const NAMES = "localhost, 127.0.0.1 and ";

/** Runs with servers of every kind, and what each mistake about them says. */
export function withCauses(
  run: (causes: Readonly<Record<string, Cause>>) => Promise<void>,
): Promise<void> {
  return withRoot(async (folder) => {
    const path = await writeTlsFiles(folder, PAIRS);
    await Deno.writeTextFile(path("foreign.pem"), FOREIGN);
    await Deno.writeTextFile(path("readme"), "no certificate");
    await using servers = new AsyncDisposableStack();
    const serve = async (name: string, ...args: string[]) => {
      const root = path(`root-${name}`);
      const where = ["-l", "off", "-r", "0.0.0.0:0"];
      const server = servers.use(
        await ServerHere.start(root, { args: [...where, ...args] }),
      );
      return server.remote.split(":").at(-1)!;
    };
    const tls = (name: string) => tlsArgs(path, name);
    const clientCa = ["--client-ca", path("ca.pem")];
    const mutual = await serve("mutual", ...tls("server"), ...clientCa);
    const late = await serve("late", ...tls("expired"));
    const plain = await serve("plain", "--insecure");
    const at = (port: string, host = "127.0.0.1") => `${host}:${port}`;
    const ca = path("ca.pem");
    const shows = (name: string) => ({
      remote: at(mutual),
      ca,
      cert: path(`${name}.pem`),
      key: path(`${name}.key`),
    });
    const foreign = path("foreign.pem");
    await run({
      "a wrong authority": {
        remote: at(mutual),
        ca: foreign,
        says: `ca ${foreign} does not vouch for the certificate of the ` +
          "server (Larder tests does): it has to be of the authority",
      },
      "the system's authorities": {
        remote: at(mutual),
        ca: "system",
        says: "no authority of the system vouches for the certificate of the " +
          "server (Larder tests does): give ca the file of the one that does",
      },
      "an authority that is none": {
        remote: at(mutual),
        ca: path("readme"),
        says: `ca ${path("readme")}: holds no certificate as PEM`,
      },
      "a key for an authority": {
        remote: at(mutual),
        ca: path("server.key"),
        says: `ca ${path("server.key")}: holds a private key, and no ` +
          "certificate",
      },
      "a folder for an authority": {
        remote: at(mutual),
        ca: folder,
        says: `ca ${folder}: is a folder, and no file`,
      },
      "another name": {
        remote: at(mutual, "127.0.0.2"),
        ca,
        says: "the certificate of the server is none for 127.0.0.2, but for " +
          NAMES,
      },
      "a server whose certificate has expired": {
        remote: at(late),
        ca,
        says: "the certificate of the server expired on 2020-01-02T00:00:00Z",
      },
      "no certificate": {
        remote: at(mutual),
        ca,
        says: "certificate of the client",
      },
      "a certificate that has expired": {
        ...shows("LATE"),
        says: `cert ${path("LATE.pem")} expired on `,
      },
      "a certificate of others": {
        ...shows("MALLORY"),
        says: `the server does not take cert ${path("MALLORY.pem")}: its ` +
          "--client-ca does not vouch for it (somebody else does)",
      },
      "a certificate and its key the wrong way round": {
        ...shows("ALICE"),
        cert: path("ALICE.key"),
        key: path("ALICE.pem"),
        says: `cert ${path("ALICE.key")}: holds a private key, and no ` +
          "certificate",
      },
      "another's key": {
        ...shows("ALICE"),
        key: path("LATE.key"),
        says: `key ${path("LATE.key")}: is the key of another certificate ` +
          `than cert ${path("ALICE.pem")}`,
      },
      "TLS to plain text": {
        remote: at(plain),
        ca,
        says: "the server speaks plain text, and was spoken to over TLS: " +
          "leave ca out",
      },
      "plain text to TLS": {
        remote: at(mutual),
        says: "the server speaks TLS, and was spoken to in plain text: say " +
          "who vouches for it, with ca",
      },
      "plain text to TLS, by choice": {
        remote: at(mutual),
        ca,
        tlsOn: "local",
        says: "the server speaks TLS there, and was spoken to in plain text, " +
          "as tlsOn says: leave that out",
      },
    });
  });
}
