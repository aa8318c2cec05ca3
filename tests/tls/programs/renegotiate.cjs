// Asks for a new handshake within a connection of TLS 1.2, as only Node's client
// can: PORT FOLDER. Says what it gets.

const { readFileSync } = require("node:fs");
const { connect } = require("node:tls");

const [port, folder] = process.argv.slice(2);
const file = (name) => readFileSync(`${folder}/${name}`);
const socket = connect({
  ...{ host: "127.0.0.1", port, servername: "localhost" },
  ...{ ca: file("ca.pem"), cert: file("alice.pem"), key: file("alice.key") },
  ALPNProtocols: ["h2"],
  maxVersion: "TLSv1.2",
});
const end = (what) => {
  console.log(what);
  process.exit();
};
socket.on("secureConnect", () => {
  socket.renegotiate({}, (error) => end(error ? "refused" : "renegotiated"));
});
socket.on("error", () => end("refused"));
socket.on("close", () => end("refused"));
