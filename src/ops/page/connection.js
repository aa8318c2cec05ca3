/**
 * The stream of lines that the page is drawn from. It ends while nobody looks,
 * and begins again when it breaks.
 *
 * @module
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * Reads lines for as long as the page is there.
 *
 * @param onLine Takes each, as it was meant.
 * @param onLost Is told why there are no lines.
 * @param askToken Is told why a token is needed, or the one given does not do,
 * and gives one.
 */
export async function follow(onLine, onLost, askToken) {
  let waitMs = FIRST_WAIT_MS;
  // Nowhere else: whoever closes or loads the page anew types it again.
  let token = "";
  for (;;) {
    await whenVisible();
    const hidden = new AbortController();
    const onChange = () => document.hidden && hidden.abort();
    document.addEventListener("visibilitychange", onChange);
    try {
      for await (const line of linesOf(hidden.signal, token)) {
        waitMs = FIRST_WAIT_MS;
        onLine(JSON.parse(line));
      }
      throw new Error("the server has ended the stream");
    } catch (error) {
      if (hidden.signal.aborted) continue;
      if (error instanceof Refused) {
        token = await askToken(error.message, token !== "");
        continue;
      }
      onLost(error.message);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    } finally {
      document.removeEventListener("visibilitychange", onChange);
    }
  }
}

/** Only with a token, or with another one. */
class Refused extends Error {}

async function* linesOf(signal, token) {
  const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch("/live", {
    ...{ signal, headers, cache: "no-store", credentials: "omit" },
  });
  if (!response.ok) {
    const why = (await response.text()).trim();
    const { status } = response;
    throw status === 401 || status === 403 ? new Refused(why) : new Error(why);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines;
  }
}

function whenVisible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) =>
    document.addEventListener("visibilitychange", () => resolve(), {
      once: true,
    })
  );
}
