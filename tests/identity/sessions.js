// The sessions of an application behind single sign-on, and the two answers that only a session gets.

import { randomBytes } from "node:crypto";

const json = (response, status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

/** Sessions under a cookie of this name. */
export function openSessions(name) {
  const held = new Map();
  return {
    /** Holds what is given and names it: a `Set-Cookie` value. */
    open(what) {
      const id = randomBytes(24).toString("base64url");
      held.set(id, what);
      return `${name}=${id}; Path=/; Secure; HttpOnly; SameSite=None`;
    },
    /** What the cookie stands for, which it stands for no longer. */
    close(cookies) {
      const what = held.get(cookies[name]);
      held.delete(cookies[name]);
      return what;
    },
    pages({ response, url, cookies }) {
      const session = held.get(cookies[name]);
      if (url.pathname === "/home") return response.writeHead(session ? 200 : 401, { "content-type": "text/html" }).end("<!doctype html><title>Home</title>");
      if (!session) return json(response, 401, { error: "signed out" });
      if (url.pathname === "/api/me") return json(response, 200, { data: { id: "u1", email: session.user } });
      if (url.pathname === "/api/members") return json(response, 200, { data: [{ id: "u1", email: session.user }, { id: "u2", email: "b.moor@haldenmoor.example" }] });
      return json(response, 404, { error: "nothing here" });
    },
  };
}
