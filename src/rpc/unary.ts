/**
 * What every handler does: submit a request to the engine, hand its reply over,
 * and withdraw it when the client has gone.
 *
 * @module
 */

import type { Grant } from "../engine/admission.ts";
import type { Engine, Submission } from "../engine/engine.ts";
import type { Call } from "../grpc/call.ts";
import { Status, StatusError } from "../grpc/status.ts";
import type { Reply } from "../table/types.ts";
import { idBy } from "./rights.ts";
import { toStatusError } from "./status.ts";

/** Nobody hears of it: one for all, as its stack would cost more than the rest. */
const GONE = new StatusError(Status.CANCELLED, "the client has gone");

/**
 * Submits a request for a call.
 *
 * @returns The reply; at once, without a promise, where the engine has it.
 * @throws {StatusError} For a reply that is an error.
 */
export function submit(
  engine: Engine,
  submission: Submission,
  call: Call,
): Reply | Promise<Reply> {
  let replied: Reply | undefined;
  let waiting = undefined as PromiseWithResolvers<Reply> | undefined;
  const ticket = engine.submit(submission, (reply, grant) => {
    replied = reply;
    takeBack(engine, { reply, grant }, call);
    if (!waiting) return;
    if (reply.kind === "error") waiting.reject(toStatusError(reply.error));
    else waiting.resolve(reply);
  }, call.connection);
  if (replied) return unlessError(replied);
  waiting = Promise.withResolvers();
  const { promise, reject } = waiting;
  call.whenEnded(() => {
    if (replied) return;
    engine.cancel(ticket);
    reject(GONE);
  });
  return promise;
}

function unlessError(reply: Reply): Reply {
  if (reply.kind === "error") throw toStatusError(reply.error);
  return reply;
}

/** What a reply has given away comes back when the call ends, or is undelivered. */
function takeBack(
  engine: Engine,
  { reply, grant }: {
    readonly reply: Reply;
    readonly grant: Grant | undefined;
  },
  call: Call,
): void {
  if (grant) call.whenEnded(() => grant.release());
  if (reply.kind === "assigned") {
    // Whoever waits need not sit out the lease of one who never heard of it.
    const { id } = reply.assignment;
    call.whenEnded((delivered) => {
      if (delivered) return;
      engine.submit(idBy(call, { kind: "abandon", id }), () => {});
    });
  } else if (reply.kind === "handle") {
    const { id } = reply;
    call.whenEnded((delivered) => {
      if (delivered) return;
      engine.submit(idBy(call, { kind: "drop", id }), () => {});
    });
  }
}
