// One process for a test: an Okta-shaped organization in front of two identity providers, and two applications. Owns the
// socket, the settings and the log.
//
// Standard input is one JSON object, the settings (README.md); it ends the process when it closes. Standard output is one
// JSON object a line: {"listening": port} first, then a line for each request, and one for each refusal of a library.
//
// The socket speaks plain HTTP on loopback. The test ends TLS in front of it and passes the bytes on, so that the header
// `Host` says who is asked.

import { createServer } from "node:http";
import { createInterface } from "node:readline";

import { openDesk, openOpenidProvider } from "./openid.js";
import { openOrganization } from "./organization.js";
import { openFiles, openSamlProvider } from "./saml.js";

// Libraries print there too; what is not ours goes to standard error.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
const tell = (line) => write(`${JSON.stringify(line)}\n`);

const lines = createInterface({ input: process.stdin });
const settings = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);
process.stdin.on("close", () => process.exit(0)).on("end", () => process.exit(0));
process.stdin.resume();

const hosts = new Map();
const server = createServer(async (request, response) => {
  const host = request.headers.host;
  // What reaches this socket came over TLS; libraries that ask are told so.
  request.headers["x-forwarded-proto"] = "https";
  const url = new URL(request.url, `https://${host}`);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8");
  const cookies = Object.fromEntries(
    (request.headers.cookie ?? "").split("; ").filter(Boolean).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
  response.on("finish", () =>
    tell({ host, method: request.method, path: url.pathname, query: url.search, cookies: Object.keys(cookies), body, status: response.statusCode }),
  );
  const answer = hosts.get(host);
  if (!answer) return response.writeHead(421).end();
  // oidc-provider takes a body that was read already from here.
  request.body = body;
  try {
    await answer({ request, response, url, body, cookies });
  } catch (error) {
    tell({ broken: `${host}${url.pathname}`, error: String(error.stack ?? error) });
    if (!response.headersSent) response.writeHead(500).end();
  }
});

await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const { port } = server.address();

const refuse = (response, by, error) => {
  tell({ refused: by, because: String(error.cause?.message ?? error.message ?? error), code: String(error.code ?? "") });
  response.writeHead(403, { "content-type": "text/html" }).end("<!doctype html><title>Refused</title><p>This sign-in was refused.");
};

const openid = openOpenidProvider(settings);
const saml = openSamlProvider(settings, refuse);
hosts.set(settings.organization, openOrganization(settings, { openid, saml }));
hosts.set(settings.desk, openDesk(settings, port, refuse));
hosts.set(settings.files, openFiles(settings, refuse));
tell({ listening: port });
