// What the library says where TLS gets nowhere: MODULE CASES, a JSON object of
// options by name. Prints one of messages.

import process from "node:process";

const [module, cases] = process.argv.slice(2);
const { Cache } = await import(module);

async function said(options) {
  const outages = [];
  try {
    const cache = await Cache.connect({
      patienceMs: 0,
      onOutage: ({ error }) => outages.push(error.message),
      ...options,
    });
    await cache.get("tls", "k");
    await cache.close();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
  return outages.join("\n");
}

const TOO_LATE =
  /nothing answers|no (answer|connection) within|: self-signed certificate/;
/** A busy machine may not come to a handshake in the 2 s that it has: then again. */
async function saidInTime(options) {
  for (let left = 20;; left--) {
    const message = await said(options);
    if (left === 0 || !TOO_LATE.test(message)) return message;
  }
}

const all = Object.entries(JSON.parse(cases));
const messages = await Promise.all(
  all.map(async ([name, options]) => [name, await saidInTime(options)]),
);
console.log(JSON.stringify(Object.fromEntries(messages)));
