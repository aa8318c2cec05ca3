/**
 * The confined command: exactly what one root and its addresses need.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import {
  type Config,
  formatAddress,
  inheritedOf,
  isInherited,
  renderArguments,
} from "../config.ts";
import { FILE_KEYS } from "../config/settings.ts";
import { socketsOf } from "../config/sockets.ts";
import { StartError } from "../errors.ts";
import { DESCRIPTOR_VARIABLES } from "./descriptors.ts";
import { confinedEnvironment } from "./environment.ts";
import { heapFlag } from "./memory.ts";

/** Where the pieces of this installation are. */
export interface Installation {
  /** The Deno that runs this process. */
  readonly deno: string;
  /** The file that understands `serve --confined`. */
  readonly main: string;
  /** deno.json, beside its lock file. */
  readonly denoConfig: string;
  /** Files and folders that a running server reads beside its root. */
  readonly readable: readonly string[];
}

/**
 * Finds the installation this file belongs to.
 *
 * @param main The file that understands `serve --confined`, as a URL.
 * @returns The paths.
 * @throws {StartError} When it does not run from a folder, or from one whose
 * name the permission flags cannot hold.
 */
export function thisInstallation(main: string | URL): Installation {
  if (!`${main}`.startsWith("file:")) {
    throw new StartError(1, "larder runs from a folder: clone it first");
  }
  const workers = fileURLToPath(new URL("../../workers", import.meta.url));
  const proto = fileURLToPath(new URL("../../proto", import.meta.url));
  if (workers.includes(",")) {
    throw new StartError(
      1,
      `the path ${workers} holds a comma, which Deno's permission flags ` +
        "cannot name: move the clone",
    );
  }
  return {
    deno: Deno.execPath(),
    main: fileURLToPath(main),
    denoConfig: fileURLToPath(new URL("../../deno.json", import.meta.url)),
    // Modules that are imported with a literal name need no permission.
    readable: [workers, proto],
  };
}

/**
 * The arguments of `deno` that start a confined server. Nothing is granted that
 * is not named here: no programs, no FFI, no environment, no system
 * information but the free space, no other host and no code from elsewhere.
 *
 * @param config What to serve; `root` is the real path.
 * @param installation Where this installation is.
 * @param options `supervised`: it ends when its stdin does; `bootId`: of this boot
 * of the machine.
 * @returns The words after `deno`.
 */
export function confinedArguments(
  config: Config,
  installation: Installation,
  options: { readonly supervised?: boolean; readonly bootId?: string } = {},
): string[] {
  const { root, local, remote, http } = config;
  const files = FILE_KEYS.flatMap((key) => config[key] ?? []);
  const sockets = socketsOf(config).map(({ path }) => path);
  const addresses = [local, remote, http].flatMap((address) =>
    address && !isInherited(address) ? [formatAddress(address)] : []
  );
  const hasInherited = inheritedOf(config).length > 0;
  return [
    "run",
    "--quiet",
    "--no-prompt",
    heapFlag(config),
    // The launcher has loaded and locked all modules: nothing is fetched.
    "--cached-only",
    "--no-remote",
    "--frozen",
    `--config=${installation.denoConfig}`,
    `--allow-read=${
      [root, ...installation.readable, ...files, ...sockets].join(",")
    }`,
    `--allow-write=${[root, ...sockets].join(",")}`,
    // With nothing behind the "=" all addresses would be granted.
    ...addresses.length > 0 ? [`--allow-net=${addresses.join(",")}`] : [],
    // How full the disk of the root is (--min-free), and what file system it has.
    "--allow-sys=statfs",
    // What says which sockets there are.
    ...hasInherited ? [`--allow-env=${DESCRIPTOR_VARIABLES.join(",")}`] : [],
    // A library that looks at the environment finds nothing there.
    "--ignore-env",
    installation.main,
    "serve",
    "--confined",
    ...options.supervised ? ["--supervised"] : [],
    ...options.bootId === undefined ? [] : [`--boot-id=${options.bootId}`],
    ...renderArguments(config),
  ];
}

/** The whole command that starts a confined server, environment included. */
export function confinedCommand(
  config: Config,
  installation: Installation,
): string[] {
  const environment = Object.entries(confinedEnvironment(config))
    .map(([name, value]) => `${name}=${value}`);
  const words = confinedArguments(config, installation);
  return ["env", ...environment, installation.deno, ...words];
}
