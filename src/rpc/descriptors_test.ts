import assert from "node:assert/strict";
import descriptor, {
  type IDescriptorProto,
  type IFileDescriptorProto,
} from "protobufjs/ext/descriptor/index.js";
import { Descriptors } from "./descriptors.ts";

const FILES = [
  ...["local.proto", "remote.proto", "larder/v1/cache.proto"],
  ...["grpc/health/v1/health.proto", "grpc/reflection/v1/reflection.proto"],
  "grpc/reflection/v1alpha/reflection.proto",
];

/** A file with those that it imports. */
function read(files: readonly Uint8Array[]): IFileDescriptorProto[] {
  return files.map((bytes) =>
    descriptor.FileDescriptorProto.decode(bytes) as IFileDescriptorProto
  );
}

function* messagesOf(
  messages: readonly IDescriptorProto[],
): Generator<IDescriptorProto> {
  for (const message of messages) {
    yield message;
    yield* messagesOf(message.nestedType ?? []);
  }
}

Deno.test("each file comes with its imports, and names types in full", async () => {
  const descriptors = await Descriptors.load();
  for (const path of FILES) {
    const [file, ...imported] = read(descriptors.file(path)!);
    assert.equal(file!.name, path);
    assert.deepEqual(imported.map(({ name }) => name), [...file!.dependency!]);
    const types = file!.service!.flatMap(({ method }) =>
      method!.flatMap(({ inputType, outputType }) => [inputType!, outputType!])
    );
    for (const message of messagesOf(file!.messageType!)) {
      types.push(...message.field!.flatMap(({ typeName }) => typeName || []));
    }
    for (const type of types) {
      assert.ok(type.startsWith("."), type);
      assert.ok(descriptors.defining(type.slice(1)), type);
    }
  }
});

Deno.test("descriptors are what protoc writes, where protobufjs differs", async () => {
  const descriptors = await Descriptors.load();
  const all = FILES.flatMap((path) => read(descriptors.file(path)!))
    .flatMap(({ messageType }) => [...messagesOf(messageType!)]);
  const ranges = all.flatMap(({ reservedRange }) => reservedRange!);
  assert.ok(ranges.length > 0);
  for (const { start, end } of ranges) assert.ok(end! > start!);
  const entries = all.filter(({ options }) => options?.mapEntry);
  assert.deepEqual(entries.map(({ name }) => name), ["StatusesEntry"]);
});

Deno.test("everything that a file defines leads to it, and nothing else", async () => {
  const descriptors = await Descriptors.load();
  for (
    const name of [
      ...["larder.v1.Cache", "larder.v1.Cache.Fetch", "larder.v1.Ready"],
      ...["larder.v1.Ready.size", "larder.v1.FetchReply.reply"],
    ]
  ) {
    const [file] = read(descriptors.defining(name)!);
    assert.equal(file!.name, "larder/v1/cache.proto", name);
  }
  for (const name of ["larder.v1", "larder.v1.Cache.Nothing", "", "local"]) {
    assert.equal(descriptors.defining(name), undefined, name);
  }
  assert.equal(descriptors.file("cache.proto"), undefined);
});
