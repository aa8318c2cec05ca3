/**
 * The import rules of the code base, as data. `lint_plugin.ts` applies them.
 *
 * A *room* is a folder of `src/`, or a file directly in it (`config.ts` is the
 * room `config`), or `workers`. Imports run one way, from the top of
 * {@linkcode ROOMS} to its bottom.
 *
 * @module
 */

/** What the files of one room may import. */
export interface RoomRule {
  /** Rooms, or single files of them. The room itself is always allowed. */
  readonly may: readonly string[];
  /** Rooms, or single files of them, of which only types may be imported. */
  readonly types?: readonly string[];
  /** Why it is so: the end of the line that a violation prints. */
  readonly why: string;
}

/** The rooms that every other one may stand on; the drawing leaves them out. */
export const FLOOR: readonly string[] = [
  ...["errors", "limits", "clock", "slips", "key_text", "log"],
  ...["sizes", "unix_address", "number_map", "latin1"],
  "disk_trouble",
];

/** Rooms and what they may import; a room that is missing here is a violation. */
export const ROOMS: Readonly<Record<string, RoomRule>> = {
  main: {
    may: ["serve", "root", "launch", "cli", "config", ...FLOOR],
    why: "the command line parses, launches and serves; serve.ts composes",
  },
  root: {
    may: ["toml", "workers", ...FLOOR],
    why: "it works on a root that nobody serves, with no server around",
  },
  mod: {
    may: [
      ...["serve", "config", "rpc", "ops", "client", "engine", "table"],
      ...["manifest", "blobs", ...FLOOR],
    ],
    why: "the public API only re-exports",
  },
  serve: {
    may: [
      ...["access", "config", "rpc", "tls", "ops", "engine", "table"],
      ...["systemd", "manifest", "blobs", "root", "workers/letter_case.ts"],
      ...["workers/root_names.ts", "workers/shared_modes.ts", ...FLOOR],
    ],
    types: ["launch"],
    why: "the composition root wires the rooms below main together",
  },
  launch: {
    may: [
      ...["config", "flags", "toml", "root/root_folder.ts"],
      ...["root/made_folders.ts", ...FLOOR],
    ],
    why: "the launcher starts the server process and loads none of it",
  },
  flags: {
    may: ["config/duration.ts", "slips", ...FLOOR],
    why: "how words are read has nothing to do with what they ask for",
  },
  rpc: {
    may: [
      ...["access", "grpc", "http2", "tls", "unix", "systemd", "engine"],
      "table",
      ...FLOOR,
    ],
    why: "the gRPC edge submits commands to the engine and sees no storage",
  },
  access: {
    may: [
      ...["config/byte_size.ts", "credential_files", "toml"],
      "workers/digest.ts",
      ...FLOOR,
    ],
    why: "who may do what is decided apart from what they do",
  },
  tls: {
    may: ["credential_files", "http2", ...FLOOR],
    why: "TLS is one more stream of bytes below HTTP/2",
  },
  unix: {
    may: ["http2", ...FLOOR],
    why: "a Unix domain socket is one more stream of bytes below HTTP/2",
  },
  systemd: {
    may: ["config", "http2", "tls/socket_stream.ts", ...FLOOR],
    why: "a socket that was handed on is one more stream of bytes below HTTP/2",
  },
  grpc: {
    may: ["http2"],
    why: "gRPC stands on HTTP/2 and knows nothing of what is served",
  },
  http2: {
    may: ["number_map"],
    why: "HTTP/2 is bytes in, calls and bytes out: it knows nothing of ours",
  },
  ops: {
    may: [
      ...["engine", "table", "manifest", "blobs", "grpc/status.ts", ...FLOOR],
    ],
    why: "operations observe the rooms below, through their interfaces",
  },
  client: {
    may: [
      ...["errors", "limits", "slips", "key_text", "unix_address"],
      "workers/digest.ts",
    ],
    types: ["rpc/wire.ts"],
    why: "a client knows the errors and the wire, nothing of the server",
  },
  cli: {
    may: [
      ...["client", "flags", "launch/shell_line.ts"],
      ...["toml", "workers/digest.ts", "errors", "limits", "key_text"],
      ...["sizes", "unix_address", "number_map"],
      // A token's entry is read as its server would.
      "access/rules.ts",
      // The doctor looks at roots.
      ...["workers/letter_case.ts", "workers/root_contents.ts"],
      ...["workers/foreign_manifest.ts"],
      "workers/root_names.ts",
      "workers/shared_modes.ts",
    ],
    why: "a client that people talk to; it runs on Node, where no server does",
  },
  npm: {
    may: ["cli"],
    why: "on Node, larder runs the commands of clients, and Deno the server",
  },
  engine: {
    may: [
      ...["table", "manifest", "blobs", "workers/digest.ts"],
      ...["workers/root_names.ts", ...FLOOR],
    ],
    why: "the engine drives the table and the stores' interfaces",
  },
  manifest: {
    may: ["workers", ...FLOOR],
    types: ["table"],
    why: "a store knows its worker, and of the table only the types",
  },
  blobs: {
    may: ["workers", ...FLOOR],
    types: ["table"],
    why: "a store knows its worker, and of the table only the types",
  },
  table: {
    may: ["errors", "limits", "key_text", "number_map"],
    types: ["log"],
    why: "the table is pure: time and ids come in as arguments",
  },
  config: {
    may: [
      ...["duration", "toml", "http2/limits.ts", "errors", "limits"],
      "unix_address",
    ],
    types: ["log"],
    why: "configuration is read before anything else exists",
  },
  duration: {
    may: ["errors", "limits"],
    why: "units of time are plain values",
  },
  credential_files: {
    may: FLOOR,
    why: "how files are looked at is apart from what they say",
  },
  toml: { may: ["errors"], why: "the TOML library stands behind one file" },
  clock: { may: [], why: "the floor stands on nothing" },
  errors: { may: [], why: "the floor stands on nothing" },
  limits: { may: [], why: "the floor stands on nothing" },
  slips: { may: [], why: "the floor stands on nothing" },
  key_text: { may: [], why: "the floor stands on nothing" },
  sizes: { may: [], why: "the floor stands on nothing" },
  number_map: { may: [], why: "the floor stands on nothing" },
  latin1: { may: [], why: "the floor stands on nothing" },
  unix_address: { may: ["limits"], why: "an address is plain text" },
  disk_trouble: { may: ["clock"], why: "both stores watch their disk by it" },
  log: { may: ["key_text", "clock"], why: "a line of the log is plain text" },
  workers: {
    may: [],
    why: "a worker's whole import graph is granted to the server as readable",
  },
};

/** Rooms that are loaded to serve. */
export const SERVER: readonly string[] = [
  ...[
    "serve",
    "rpc",
    "grpc",
    "tls",
    "access",
    "systemd",
    "http2",
    "engine",
    "table",
    "manifest",
    "blobs",
  ],
  ...[
    "workers",
    "config",
    "credential_files",
    "toml",
    "launch",
    "root",
    ...FLOOR,
  ],
];

/** Implementations of the stores: file names within these rooms. */
export const CONCRETE_STORES: readonly RegExp[] = [
  /^src\/manifest\/\w+_manifest\.ts$/,
  /^src\/blobs\/\w+_blob_store\.ts$/,
];
/** The only rooms, beside the store's own, that may name a concrete store. */
export const COMPOSERS: readonly string[] = ["main", "mod", "serve"];

/** A module that some rooms, or all files but one, must not import. */
export interface ModuleRule {
  /** Matches the import's specifier. */
  readonly module: RegExp;
  /** Only an import of one of these names counts; absent: every import. */
  readonly names?: readonly string[];
  /** Only these rooms are bound; absent: all of them. */
  readonly rooms?: readonly string[];
  /** The one file that may. */
  readonly except?: string;
  /** Why it is so. */
  readonly why: string;
}

/** What may be imported from outside of the repository, and where. */
export const MODULES: readonly ModuleRule[] = [
  {
    module: /^(npm:\/?)?@grpc\/(?!proto-loader)/,
    rooms: SERVER,
    why: "the server has an edge of its own; the library is for clients",
  },
  {
    module: /^(npm:\/?)?@grpc\/proto-loader/,
    rooms: SERVER.filter((room) => room !== "rpc"),
    why: "domain code is independent of the transport",
  },
  {
    module: /^(node:)?http2$/,
    rooms: SERVER,
    why: "the server has an edge of its own",
  },
  {
    module: /^/,
    rooms: ["http2", "grpc"],
    why: "the protocols run wherever JavaScript does",
  },
  {
    module: /^/,
    rooms: ["table"],
    why: "the table is pure: nothing from outside can surprise it",
  },
  {
    module: /^node:sqlite$/,
    except: "workers/sqlite.ts",
    why: "SQLite stands behind one file, so that it can be replaced",
  },
  {
    module: /^(npm:\/?)?smol-toml(@|\/|$)|^jsr:@std\/toml/,
    except: "src/toml.ts",
    why: "TOML stands behind one file, so that it can be replaced",
  },
  {
    module: /^(node:)?crypto$/,
    names: ["*", "default", "createHash", "createHmac", "hash", "webcrypto"],
    except: "workers/digest.ts",
    why: "hashing stands behind one file, so that it can be replaced",
  },
];

/** Code that some rooms, or all files but one, must not contain. */
export interface CodeRule {
  /** Selects nodes of the syntax tree, as `deno lint` does for its plugins. */
  readonly code: string;
  /** Only these rooms are bound; absent: all of them. */
  readonly rooms?: readonly string[];
  /** Files that may. */
  readonly except?: readonly string[];
  /** Tests are bound as well. */
  readonly inTests?: true;
  /** Why it is so. */
  readonly why: string;
}

const PURE = {
  rooms: ["table"],
  why: "the table is pure: time, ids and effects are data",
};

/** What code must not say, and where. */
export const CODE: readonly CodeRule[] = [
  {
    ...PURE,
    code:
      "Identifier[name=/^(Deno|crypto|performance|queueMicrotask|set(Timeout|Interval|Immediate))$/]",
  },
  { ...PURE, code: "MemberExpression[object.name=Math][property.name=random]" },
  { ...PURE, code: "MemberExpression[object.name=Date][property.name=now]" },
  { ...PURE, code: "NewExpression[callee.name=Date]" },
  { ...PURE, code: "AwaitExpression" },
  { ...PURE, code: "FunctionDeclaration[async=true]" },
  { ...PURE, code: "FunctionExpression[async=true]" },
  { ...PURE, code: "ArrowFunctionExpression[async=true]" },
  {
    code: "Identifier[name=Deno]",
    rooms: ["http2", "grpc"],
    except: ["src/http2/listener.ts"],
    why: "the protocols do no input or output, and run on Node, too",
  },
  {
    code:
      "MemberExpression[object.name=Deno][property.name=/^(args|addSignalListener)$/]",
    except: ["src/main.ts", "src/main/launcher.ts", "src/main/confined.ts"],
    why: "programs alone read arguments and signals",
  },
  {
    code: "MemberExpression[object.name=crypto][property.name=subtle]",
    except: ["workers/digest.ts"],
    why: "hashing stands behind one file, so that it can be replaced",
  },
  ...["ExportDefaultDeclaration", "ExportSpecifier[exported.name=default]"]
    .map((code): CodeRule => ({
      code,
      inTests: true,
      why: "a name that is exported is the name that is searched for",
    })),
];

/** What no code says, tests and tools included. */
export const PATHNAME: CodeRule = {
  code:
    "MemberExpression[property.name=pathname], ObjectPattern > Property[key.name=pathname]",
  except: ["src/ops/http_server.ts"],
  why: "of a file it has %20 for a blank: use fileURLToPath",
};

/** What the files of the server do not say, not even in a comment. */
export const WORDS = {
  text: /grpc-js|node:http2|nghttp2/g,
  rooms: SERVER,
  why: "nothing below serve stands on another library's edge",
};
