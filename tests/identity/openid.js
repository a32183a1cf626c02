// The OpenID Connect side: `oidc-provider` signs in, `openid-client` is the application "desk" that verifies the answer.
// Owns how both are set up, and desk's pages.

import { request as send } from "node:http";

import Provider from "oidc-provider";
import * as client from "openid-client";

import { openSessions } from "./sessions.js";

const CLIENT = "0oa1desk2";
const SECRET = "desk-opens-nothing-but-this-test";

/** The provider, under the paths that Okta's organization authorization server has. */
export function openOpenidProvider(settings) {
  const provider = new Provider(`https://${settings.organization}`, {
    clients: [
      {
        client_id: CLIENT,
        client_secret: SECRET,
        grant_types: ["authorization_code"],
        response_types: ["code"],
        redirect_uris: [`https://${settings.desk}/callback`],
      },
    ],
    routes: { authorization: "/oauth2/v1/authorize", token: "/oauth2/v1/token", jwks: "/oauth2/v1/keys", userinfo: "/oauth2/v1/userinfo" },
    pkce: { required: () => true },
    cookies: { keys: ["this-test-only"] },
    claims: { openid: ["sub"], email: ["email"] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/oauth2/v1/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
    // An administrator has assigned the application; nobody is asked for consent.
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId });
      grant.addOIDCScope("openid email");
      await grant.save();
      return grant;
    },
  });
  provider.proxy = true;
  const callback = provider.callback();
  return {
    isOurs: (path) => path.startsWith("/oauth2/v1/") || path === "/.well-known/openid-configuration",
    needsUser: (path) => path === "/oauth2/v1/authorize",
    /** `user` is who has a session with the organization. */
    async answer({ request, response, url }, user) {
      if (!url.pathname.startsWith("/oauth2/v1/interaction/")) return callback(request, response);
      if (!user) return response.writeHead(401).end();
      await provider.interactionFinished(request, response, { login: { accountId: user } });
    },
  };
}

/** Desk: its pages, and the code flow with PKCE, state and nonce as the client library verifies them. */
export function openDesk(settings, port, refuse) {
  const sessions = openSessions("desk_session");
  const begun = openSessions("desk_begun");
  // From desk to the provider it is one process: straight to the socket, under the organization's name.
  const straight = (address, { method = "GET", headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const { pathname, search, host } = new URL(address);
      const text = body === undefined || body === null ? undefined : String(body);
      const plain = { ...Object.fromEntries(new Headers(headers)), host };
      if (text !== undefined) plain["content-length"] = Buffer.byteLength(text);
      const asked = send({ port, host: "127.0.0.1", method, path: pathname + search, headers: plain }, async (answer) => {
        const chunks = [];
        for await (const chunk of answer) chunks.push(chunk);
        resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode, headers: Object.entries(answer.headers).map(([name, value]) => [name, String(value)]) }));
      });
      asked.on("error", reject);
      asked.end(text);
    });
  let discovered;
  const configuration = () =>
    (discovered ??= client.discovery(new URL(`https://${settings.organization}`), CLIENT, SECRET, undefined, { [client.customFetch]: straight }));

  return async ({ request, response, url, body, cookies }) => {
    if (url.pathname === "/login") {
      const verifier = client.randomPKCECodeVerifier();
      const started = { verifier, state: client.randomState(), nonce: client.randomNonce() };
      const target = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: `https://${settings.desk}/callback`,
        scope: "openid email",
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state: started.state,
        nonce: started.nonce,
        ...(settings.by_form ? { response_mode: "form_post" } : {}),
      });
      return response.writeHead(302, { location: target.href, "set-cookie": begun.open(started) }).end();
    }
    if (url.pathname === "/callback") {
      const started = begun.close(cookies);
      if (!started) return refuse(response, "desk", new Error("no sign-in was begun here"));
      let claims;
      try {
        const checks = { pkceCodeVerifier: started.verifier, expectedState: started.state, expectedNonce: started.nonce, idTokenExpected: true };
        const posted = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body };
        const answer = request.method === "POST" ? new Request(url, posted) : new URL(url.href);
        const tokens = await client.authorizationCodeGrant(await configuration(), answer, checks);
        claims = tokens.claims();
      } catch (error) {
        return refuse(response, "openid-client", error);
      }
      return response.writeHead(303, { location: "/home", "set-cookie": sessions.open({ user: claims.sub }) }).end();
    }
    return sessions.pages({ request, response, url, cookies });
  };
}
