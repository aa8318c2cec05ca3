/**
 * The .proto files as reflection hands them out: descriptors, and which of them
 * has a name.
 *
 * @module
 */

import * as protoLoader from "@grpc/proto-loader";
import descriptor, {
  type IDescriptorProto,
  type IEnumDescriptorProto,
  type IFileDescriptorProto,
} from "protobufjs/ext/descriptor/index.js";
import { protoPath } from "./protos.ts";

/** The file of each package: proto-loader knows only packages. */
const FILES: Readonly<Record<string, string>> = {
  "local": "local.proto",
  "remote": "remote.proto",
  "larder.v1": "larder/v1/cache.proto",
  "google.protobuf": "google/protobuf/empty.proto",
  "grpc.health.v1": "grpc/health/v1/health.proto",
  "grpc.reflection.v1": "grpc/reflection/v1/reflection.proto",
  "grpc.reflection.v1alpha": "grpc/reflection/v1alpha/reflection.proto",
};
/** It comes with those that import it. */
const IMPORTED = "google.protobuf";

type File = IFileDescriptorProto & { name: string; dependency: string[] };

/** Where a type is named, and in which scope. */
interface Reference {
  readonly scope: string;
  readonly name: string;
  /** Writes it with all its packages. */
  readonly resolve: (name: string) => void;
}

/** Descriptors by file and by what the files define. */
export class Descriptors {
  readonly #files = new Map<string, readonly Uint8Array[]>();
  readonly #symbols = new Map<string, string>();

  private constructor(byName: ReadonlyMap<string, File>) {
    for (const file of byName.values()) {
      for (const symbol of symbolsOf(file)) {
        this.#symbols.set(symbol, file.name);
      }
    }
    for (const file of byName.values()) this.#link(file);
    const bytes = new Map(
      [...byName].map(([name, file]) =>
        [name, descriptor.FileDescriptorProto.encode(file).finish()] as const
      ),
    );
    for (const [name, { dependency }] of byName) {
      // None of what we import imports anything.
      const all = [name, ...dependency].map((each) => bytes.get(each)!);
      this.#files.set(name, all);
    }
  }

  /** Reads the .proto files, one in a turn of the event loop. */
  static async load(): Promise<Descriptors> {
    const byName = new Map<string, File>();
    for (const [name, path] of Object.entries(FILES)) {
      if (name === IMPORTED) continue;
      for (const file of await load(path)) byName.set(file.name, file);
    }
    return new Descriptors(byName);
  }

  /** A file and what it imports, by its path; `undefined`: there is none. */
  file(path: string): readonly Uint8Array[] | undefined {
    return this.#files.get(path);
  }

  /** The file that defines a name, as above. */
  defining(symbol: string): readonly Uint8Array[] | undefined {
    return this.file(this.#symbols.get(symbol) ?? "");
  }

  /** proto-loader tells of no imports, and names types as briefly as it can. */
  #link(file: File): void {
    for (const { scope, name, resolve } of referencesOf(file)) {
      const full = this.#resolved(name, scope);
      resolve(`.${full}`);
      const other = this.#symbols.get(full)!;
      if (other !== file.name && !file.dependency.includes(other)) {
        file.dependency.push(other);
      }
    }
  }

  #resolved(name: string, scope: string): string {
    if (name.startsWith(".")) return name.slice(1);
    for (let outer = scope; outer !== ""; outer = parentOf(outer)) {
      const full = `${outer}.${name}`;
      if (this.#symbols.has(full)) return full;
    }
    return name;
  }
}

async function load(path: string): Promise<File[]> {
  const all = await protoLoader.load(protoPath(path), { keepCase: true });
  // Each message has those of all files.
  const message = Object.values(all).find((each) => "format" in each);
  const { fileDescriptorProtos } = message as protoLoader.MessageTypeDefinition<
    object,
    object
  >;
  return fileDescriptorProtos.map((bytes) => {
    const file = descriptor.FileDescriptorProto
      .decode(bytes) as IFileDescriptorProto;
    const name = FILES[file.package!];
    if (name === undefined) {
      throw new Error(
        `${path} needs the package ${file.package}: name its file`,
      );
    }
    for (const message of file.messageType ?? []) mend(message);
    return Object.assign(file, { name, dependency: [] });
  });
}

/** What protobufjs 7.6.6 writes otherwise than protoc, and Go refuses. */
function mend(message: IDescriptorProto): void {
  // A range ends before its end.
  for (const range of message.reservedRange ?? []) range.end! += 1;
  for (const entry of message.nestedType ?? []) {
    mend(entry);
    if (!entry.options?.mapEntry) continue;
    const name = `${entry.name}Entry`;
    for (const field of message.field ?? []) {
      if (field.typeName === entry.name) field.typeName = name;
    }
    entry.name = name;
  }
}

function parentOf(scope: string): string {
  return scope.slice(0, Math.max(0, scope.lastIndexOf(".")));
}

function* symbolsOf(file: IFileDescriptorProto): Generator<string> {
  const scope = file.package!;
  for (const message of file.messageType ?? []) {
    yield* inMessage(message, scope);
  }
  for (const each of file.enumType ?? []) yield* inEnum(each, scope);
  for (const { name, method = [] } of file.service ?? []) {
    yield `${scope}.${name}`;
    for (const each of method) yield `${scope}.${name}.${each.name}`;
  }
}

function* inMessage(
  message: IDescriptorProto,
  scope: string,
): Generator<string> {
  const name = `${scope}.${message.name}`;
  yield name;
  for (const each of message.field ?? []) yield `${name}.${each.name}`;
  for (const each of message.oneofDecl ?? []) yield `${name}.${each.name}`;
  for (const each of message.nestedType ?? []) yield* inMessage(each, name);
  for (const each of message.enumType ?? []) yield* inEnum(each, name);
}

/** Its values are named beside it, not in it. */
function* inEnum(
  { name, value = [] }: IEnumDescriptorProto,
  scope: string,
): Generator<string> {
  yield `${scope}.${name}`;
  for (const each of value) yield `${scope}.${each.name}`;
}

function* referencesOf(file: IFileDescriptorProto): Generator<Reference> {
  const scope = file.package!;
  for (const message of file.messageType ?? []) {
    yield* typesOfFields(message, scope);
  }
  for (const service of file.service ?? []) {
    for (const method of service.method ?? []) {
      for (const side of ["inputType", "outputType"] as const) {
        yield {
          scope,
          name: method[side]!,
          resolve: (name) => method[side] = name,
        };
      }
    }
  }
}

function* typesOfFields(
  message: IDescriptorProto,
  outer: string,
): Generator<Reference> {
  const scope = `${outer}.${message.name}`;
  for (const field of message.field ?? []) {
    const name = field.typeName;
    if (!name) continue;
    yield { scope, name, resolve: (name) => field.typeName = name };
  }
  for (const each of message.nestedType ?? []) {
    yield* typesOfFields(each, scope);
  }
}
