/**
 * `grpc.health.v1.Health`: what orchestrators and load balancers ask.
 *
 * @module
 */

import type { Call, Sender } from "../grpc/call.ts";
import { Status, StatusError } from "../grpc/status.ts";
import { loadMethods } from "./protos.ts";
import type { Readiness } from "./readiness.ts";
import type { Service } from "./service.ts";

/** Which service is asked about; empty: the server. */
interface CheckRequest {
  readonly service: string;
}
interface CheckReply {
  readonly status: number;
}

const SERVING: CheckReply = { status: 1 };
const NOT_SERVING: CheckReply = { status: 2 };
/** Only of Watch. */
const SERVICE_UNKNOWN: CheckReply = { status: 3 };

/** The service; it tells of those that its listener serves. */
export function healthService(readiness: Readiness): Service {
  const methods = loadMethods(
    "grpc/health/v1/health.proto",
    "grpc.health.v1.Health",
  );
  const now = () => readiness.isReady ? SERVING : NOT_SERVING;
  return (server) => {
    const knows = (service: string) =>
      service === "" || server.services.has(service);

    server.unary(
      methods<CheckRequest, CheckReply>("Check"),
      ({ service }) => {
        if (knows(service)) return now();
        throw new StatusError(
          Status.NOT_FOUND,
          `${JSON.stringify(service)} is not served at this address`,
        );
      },
    );

    server.unary(methods<object, object>("List"), () => ({
      statuses: Object.fromEntries(
        ["", ...server.services].map((service) => [service, now()]),
      ),
    }));

    server.serverStreaming(
      methods<CheckRequest, CheckReply>("Watch"),
      async ({ service }, call, sender) => {
        const status = knows(service) ? now : () => SERVICE_UNKNOWN;
        await tellChanges({ status, readiness }, call, sender);
      },
    );
  };
}

/** Sends the status, and again whenever it is another, until the server stops. */
async function tellChanges(
  { status, readiness }: {
    readonly status: () => CheckReply;
    readonly readiness: Readiness;
  },
  call: Call,
  sender: Sender<CheckReply>,
): Promise<void> {
  const nextWake = readiness.wakes(call);
  let told: CheckReply | undefined;
  while (!call.hasEnded) {
    const current = status();
    if (current !== told) {
      told = current;
      await sender.send(current);
    } else if (readiness.phase === "stopped") {
      throw new StatusError(
        Status.UNAVAILABLE,
        "the server has stopped: ask the next one",
      );
    } else {
      await nextWake().promise;
    }
  }
}
