/** Tools that know none of our .proto files learn them from the server. */

import assert from "node:assert/strict";
import type { ServiceDefinition } from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import descriptor, {
  type IFileDescriptorProto,
} from "protobufjs/ext/descriptor/index.js";
import { type Site, withSite } from "../v1/support.ts";
import { reflectionDefinitions, ServiceClient } from "./client.ts";

interface Answer {
  readonly messageResponse: string;
  readonly listServicesResponse?: {
    readonly service: readonly { readonly name: string }[];
  };
  readonly fileDescriptorResponse?: {
    readonly fileDescriptorProto: readonly number[][];
  };
  readonly errorResponse?: { readonly errorCode: number };
  readonly allExtensionNumbersResponse?: { readonly baseTypeName: string };
}

interface Usage {
  readonly namespaces: readonly { readonly namespace: string }[];
}

const METHOD = "ServerReflectionInfo";
const NOT_FOUND = 5;

function filesOf({ fileDescriptorResponse }: Answer): IFileDescriptorProto[] {
  return fileDescriptorResponse!.fileDescriptorProto.map((bytes) =>
    descriptor.FileDescriptorProto.decode(
      Uint8Array.from(bytes),
    ) as IFileDescriptorProto
  );
}

Deno.test("both versions of reflection tell what is served", async () => {
  const definitions = reflectionDefinitions();
  assert.equal(definitions.length, 2);
  await withSite(async (site) => {
    await bothTellTheSame(site, definitions);
    await aServiceCanBeCalled(site, definitions[0]!);
    await aLongQuestionIsRefused(site, definitions[0]!);
  });
});

async function bothTellTheSame(
  { server }: Site,
  definitions: readonly ServiceDefinition[],
): Promise<void> {
  const told: Answer[][] = [];
  for (const definition of definitions) {
    using client = new ServiceClient(server.remote, definition);
    const answers = await client.talked<Answer>(METHOD, [
      { listServices: "*" },
      { fileContainingSymbol: "larder.v1.Cache.Fetch" },
      { fileByFilename: "remote.proto" },
      { fileContainingSymbol: "larder.v1.Nothing" },
      { fileByFilename: "nothing.proto" },
      { allExtensionNumbersOfType: "larder.v1.FetchReply" },
      { fileContainingExtension: { containingType: "larder.v1.Cache" } },
      { host: "nothing else" },
    ]);
    told.push(answers);
  }
  const [answers, older] = told;
  const [list, cache, remote, ...others] = answers!;
  assert.deepEqual(older!.map(({ messageResponse }) => messageResponse), [
    "listServicesResponse",
    "fileDescriptorResponse",
    "fileDescriptorResponse",
    "errorResponse",
    "errorResponse",
    "allExtensionNumbersResponse",
    "errorResponse",
    "errorResponse",
  ]);
  assert.deepEqual(list!.listServicesResponse!.service, [
    { name: "grpc.health.v1.Health" },
    { name: "grpc.reflection.v1.ServerReflection" },
    { name: "grpc.reflection.v1alpha.ServerReflection" },
    { name: "larder.v1.Cache" },
    { name: "remote.RemoteCache" },
  ]);
  assert.deepEqual(filesOf(cache!).map(({ name }) => name), [
    "larder/v1/cache.proto",
    "google/protobuf/empty.proto",
  ]);
  const [{ dependency }] = filesOf(remote!) as [IFileDescriptorProto];
  assert.deepEqual(dependency, ["google/protobuf/empty.proto"]);
  assert.equal(others[0]!.errorResponse!.errorCode, NOT_FOUND);
}

/** By a client that has only what reflection tells. */
async function aServiceCanBeCalled(
  { server, remote }: Site,
  v1: ServiceDefinition,
): Promise<void> {
  await remote.put("ns", "key", "value");
  using client = new ServiceClient(server.local, v1);
  const [answer] = await client.talked<Answer>(METHOD, [
    { fileContainingSymbol: "larder.v1.UsageReply" },
  ]);
  const learned = protoLoader.loadFileDescriptorSetFromObject({
    file: filesOf(answer!),
  });
  using cache = new ServiceClient(
    server.local,
    learned["larder.v1.Cache"] as ServiceDefinition,
  );
  const usage = await cache.call<Usage>("Usage", {});
  assert.equal(usage.namespaces[0]!.namespace, "ns");
}

async function aLongQuestionIsRefused(
  { server }: Site,
  v1: ServiceDefinition,
): Promise<void> {
  using client = new ServiceClient(server.local, v1);
  await assert.rejects(
    client.talked(METHOD, [{ listServices: "*".repeat(1_000) }]),
    /INVALID_ARGUMENT/,
  );
}
