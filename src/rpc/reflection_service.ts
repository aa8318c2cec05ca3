/**
 * `grpc.reflection.v1.ServerReflection`, and `v1alpha`, which many tools still
 * speak: what is served here, and the .proto files of it.
 *
 * @module
 */

import type { Budget } from "../engine/admission.ts";
import type { DuplexHandler } from "../grpc/call.ts";
import type { GrpcServer } from "../grpc/server.ts";
import { Status, StatusError } from "../grpc/status.ts";
import { MAX_REFLECTION_NAME, REFLECTION_REPLY_BYTES } from "../limits.ts";
import { Descriptors } from "./descriptors.ts";
import { loadMethods } from "./protos.ts";
import type { Service } from "./service.ts";

/** What is asked, and in the field of that name, about what. */
interface Question {
  readonly host: string;
  readonly messageRequest?:
    | "fileByFilename"
    | "fileContainingSymbol"
    | "fileContainingExtension"
    | "allExtensionNumbersOfType"
    | "listServices";
  readonly fileByFilename?: string;
  readonly fileContainingSymbol?: string;
  readonly fileContainingExtension?: { readonly containingType: string };
  readonly allExtensionNumbersOfType?: string;
  readonly listServices?: string;
}

/** The field of a reply with its message. */
type Answer = Readonly<Record<string, unknown>>;

/** Both are the same, but for the name. */
const VERSIONS: readonly string[] = ["v1", "v1alpha"];

/** Both versions; `budget`: memory for the replies. */
export function reflectionService(budget: Budget): Service {
  const methods = VERSIONS.map((version) =>
    loadMethods(
      `grpc/reflection/${version}/reflection.proto`,
      `grpc.reflection.${version}.ServerReflection`,
    )<Question, Answer>("ServerReflectionInfo")
  );
  let loading: Promise<Descriptors> | undefined;
  async function load(): Promise<Descriptors> {
    // A start need not wait for what nearly nobody asks.
    loading ??= Descriptors.load();
    try {
      return await loading;
    } catch (error) {
      loading = undefined;
      throw error;
    }
  }
  return (server) => {
    const handler = answerAll(server, { load, budget });
    for (const method of methods) server.duplex(method, handler);
  };
}

function answerAll(
  server: GrpcServer,
  { load, budget }: {
    readonly load: () => Promise<Descriptors>;
    readonly budget: Budget;
  },
): DuplexHandler<Question, Answer> {
  return async (questions, call, sender) => {
    const { services } = server;
    const descriptors = await load();
    for await (const question of questions) {
      if (lengthOf(question) > MAX_REFLECTION_NAME) {
        throw new StatusError(
          Status.INVALID_ARGUMENT,
          `a question has at most ${MAX_REFLECTION_NAME} characters`,
        );
      }
      const grant = await budget.take(
        call.connection,
        REFLECTION_REPLY_BYTES,
        call.signal,
      );
      try {
        const sent = await sender.send({
          validHost: question.host,
          originalRequest: question,
          ...answerOf(question, { descriptors, services }),
        });
        if (!sent) return;
      } finally {
        grant.release();
      }
    }
  };
}

/** All that is sent back of it. */
function lengthOf(question: Question): number {
  return question.host.length + nameIn(question).length;
}

/** What the question is about. */
function nameIn(question: Question): string {
  const { messageRequest: kind } = question;
  if (kind === undefined) return "";
  const about = question[kind] ?? "";
  return typeof about === "string" ? about : about.containingType;
}

function answerOf(question: Question, { descriptors, services }: {
  readonly descriptors: Descriptors;
  readonly services: ReadonlySet<string>;
}): Answer {
  const name = nameIn(question);
  switch (question.messageRequest) {
    case "listServices": {
      const service = [...services].sort().map((name) => ({ name }));
      return { listServicesResponse: { service } };
    }
    case "fileByFilename":
      return files(descriptors.file(name), `file ${name}`);
    case "fileContainingSymbol":
      return files(descriptors.defining(name), `symbol ${name}`);
    case "fileContainingExtension":
      return failed(Status.NOT_FOUND, `there is no extension of ${name}`);
    case "allExtensionNumbersOfType":
      // proto3 has none.
      return descriptors.defining(name)
        ? { allExtensionNumbersResponse: { baseTypeName: name } }
        : failed(Status.NOT_FOUND, `there is no type ${name}`);
    default:
      return failed(Status.INVALID_ARGUMENT, "the message asks nothing");
  }
}

function files(
  fileDescriptorProto: readonly Uint8Array[] | undefined,
  what: string,
): Answer {
  return fileDescriptorProto
    ? { fileDescriptorResponse: { fileDescriptorProto } }
    : failed(Status.NOT_FOUND, `there is no ${what}`);
}

/** The call goes on: the next question may have an answer. */
function failed(errorCode: number, errorMessage: string): Answer {
  return { errorResponse: { errorCode, errorMessage } };
}
