// Connects once over TLS as Node does, which Deno does not: PORT FOLDER. Resumes
// the session of the last time; says whether it did, and whether it is let in.

const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { connect } = require("node:tls");

const [port, folder] = process.argv.slice(2);
const file = (name) => readFileSync(`${folder}/${name}`);
const kept = `${folder}/session`;
const socket = connect({
  ...{ host: "127.0.0.1", port, servername: "localhost" },
  ...{ ca: file("ca.pem"), cert: file("alice.pem"), key: file("alice.key") },
  ...existsSync(kept) && { session: readFileSync(kept) },
  ALPNProtocols: ["h2"],
});
let isLetIn = false;
let isResumed = false;
socket.on("session", (session) => writeFileSync(kept, session));
socket.on("secureConnect", () => {
  isResumed = socket.isSessionReused();
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0");
});
// The server greets whom it lets in.
socket.on("data", () => {
  isLetIn = true;
  socket.destroy();
});
socket.on("error", () => {});
socket.on("close", () => {
  const how = isResumed ? "resumed" : "new";
  console.log(`${how} ${isLetIn ? "in" : "out"}`);
});
