// The Okta-shaped front: our own, thin, from the vendor's documented protocol (https://developer.okta.com/docs/reference/api/authn/
// and the sources named in README.md). Owns the session with the organization, password and one-time code, in the Classic Engine
// (`v1`) and in the Identity Engine (`idx`). Whether a code is right, `otplib` decides.

import { randomBytes } from "node:crypto";

import { verify } from "otplib";

const FACTOR = "uft1halden2";
const ENROLMENT = "aut1halden2";
const ION = "application/ion+json; okta-version=1.0.0";

const json = (response, status, body, kind = "application/json") => response.writeHead(status, { "content-type": kind }).end(JSON.stringify(body));
const html = (response, status, body) => response.writeHead(status, { "content-type": "text/html;charset=utf-8" }).end(body);

/** Answers for the organization's host. `providers` are asked about who has a session. */
export function openOrganization(settings, providers) {
  const base = `https://${settings.organization}`;
  const sessions = new Map();
  const transactions = new Map();
  const tokens = new Map();
  const held = new Map();
  let lastStep = 0;
  const name = settings.pipeline === "idx" ? "idx" : "sid";
  const kept = (cookie, value) => `${cookie}=${value}; Path=/; Secure; HttpOnly; SameSite=None`;
  const begin = (what) => {
    // Two dashes, so that a page has something to escape.
    const token = `${settings.pipeline === "idx" ? "02" : "00"}-${randomBytes(18).toString("base64url")}-x`;
    transactions.set(token, { user: null, known: false, ...what });
    return token;
  };
  /** `code`: whether the user has given a code, or the password only. */
  const session = (user, code) => {
    const id = randomBytes(18).toString("base64url");
    sessions.set(id, { user, code });
    return kept(name, id);
  };
  const token = (user) => {
    const sessionToken = randomBytes(18).toString("base64url");
    tokens.set(sessionToken, user);
    return sessionToken;
  };
  const wrong = (response, status, errorCode, errorSummary, cause) =>
    json(response, status, { errorCode, errorSummary, errorLink: errorCode, errorId: "oae1halden2moor", errorCauses: cause ? [{ errorSummary: cause }] : [] });
  /** "right", "wrong" or "used". */
  const judge = async (token) => {
    // Okta lets clocks differ by more: https://help.okta.com/en-us/content/topics/security/mfa/google-authenticator.htm
    const asked = { secret: settings.mfa_key, token, epochTolerance: 30 };
    const judged = await verify(asked).catch(() => ({ valid: false }));
    if (!judged.valid) return "wrong";
    const fresh = await verify({ ...asked, afterTimeStep: lastStep });
    if (!fresh.valid) return "used";
    lastStep = fresh.timeStep;
    return "right";
  };

  // ---- Classic Engine ----

  const classic = async ({ response, url, body }) => {
    if (settings.pipeline === "idx" && !settings.code_for_applications) return wrong(response, 401, "E0000015", "You do not have permission to access the feature you are requesting");
    const asked = JSON.parse(body || "{}");
    const embedded = { user: { id: "00u1halden2", profile: { login: settings.user, locale: "en" } } };
    const cancel = { href: `${base}/api/v1/authn/cancel`, hints: { allow: ["POST"] } };
    const expiresAt = new Date(Date.now() + 300_000).toISOString();
    if (url.pathname === "/api/v1/authn") {
      if (asked.username !== settings.user || asked.password !== settings.password) return wrong(response, 401, "E0000004", "Authentication failed");
      if (settings.code_for_applications) return json(response, 200, { expiresAt, status: "SUCCESS", sessionToken: token(asked.username), _embedded: embedded });
      const stateToken = begin({ user: asked.username, known: true });
      const factor = (id, factorType, provider) => ({
        id, factorType, provider, vendorName: provider, profile: {},
        _links: { verify: { href: `${base}/api/v1/authn/factors/${id}/verify`, hints: { allow: ["POST"] } } },
      });
      const factors = [factor("opf1halden2", "push", "OKTA"), factor("sms1halden2", "sms", "OKTA"), factor(FACTOR, "token:software:totp", "GOOGLE")];
      return json(response, 200, { stateToken, expiresAt, status: "MFA_REQUIRED", _embedded: { ...embedded, factors, policy: { allowRememberDevice: false } }, _links: { cancel } });
    }
    const transaction = transactions.get(asked.stateToken);
    if (!transaction) return wrong(response, 401, "E0000011", "Invalid token provided");
    if (url.pathname === "/api/v1/authn/cancel") {
      transactions.delete(asked.stateToken);
      return json(response, 200, {});
    }
    if (url.pathname === `/api/v1/authn/factors/${FACTOR}/verify`) {
      const judged = await judge(asked.passCode);
      if (judged === "wrong") return wrong(response, 403, "E0000068", "Invalid Passcode/Answer", "Your token doesn't match our records. Please try again.");
      if (judged === "used") return wrong(response, 403, "E0000082", "Each code can only be used once. Please wait for a new code and try again.");
      transactions.delete(asked.stateToken);
      return json(response, 200, { expiresAt, status: "SUCCESS", sessionToken: token(transaction.user), _embedded: embedded });
    }
    return wrong(response, 404, "E0000007", "Not found");
  };

  // ---- Identity Engine ----

  const field = (stateHandle) => ({ name: "stateHandle", required: true, value: stateHandle, visible: false, mutable: false });
  const remedy = (stateHandle, formName, path, more, rest = {}) => ({
    rel: ["create-form"], name: formName, href: `${base}${path}`, method: "POST", produces: "application/ion+json; okta-version=1.0.0",
    accepts: "application/json; okta-version=1.0.0", value: [...more, field(stateHandle)], ...rest,
  });
  const passcode = { name: "credentials", type: "object", required: true, form: { value: [{ name: "passcode", label: "Code", secret: true }] } };
  const enrolments = [
    { type: "email", key: "okta_email", id: "aut0halden2", displayName: "Email", methods: [{ type: "email" }] },
    { type: "app", key: "google_otp", id: ENROLMENT, displayName: "Google Authenticator", methods: [{ type: "otp" }] },
  ];
  const option = (index) => ({
    label: enrolments[index].displayName, relatesTo: `$.authenticatorEnrollments.value[${index}]`,
    value: { form: { value: [
      { name: "id", required: true, value: enrolments[index].id, mutable: false },
      { name: "methodType", required: false, value: enrolments[index].methods[0].type, mutable: false },
    ] } },
  });
  const state = (response, handle, status = 200, problem = undefined) => {
    const transaction = transactions.get(handle);
    const common = {
      version: "1.0.0", stateHandle: handle, expiresAt: new Date(Date.now() + 300_000).toISOString(), intent: "LOGIN",
      cancel: remedy(handle, "cancel", "/idp/idx/cancel", []),
      ...(problem ? { messages: { type: "array", value: [{ message: problem[1], i18n: { key: problem[0] }, class: "ERROR" }] } } : {}),
    };
    const answer = (rest) => json(response, status, { ...common, ...rest }, ION);
    const forms = (...value) => ({ remediation: { type: "array", value } });
    switch (transaction.at) {
      case "identify":
        return answer(forms(remedy(handle, "identify", "/idp/idx/identify", [{ name: "identifier", label: "Username", required: true }, { name: "rememberMe", type: "boolean" }])));
      case "password":
        return answer({
          ...forms(remedy(handle, "challenge-authenticator", "/idp/idx/challenge/answer", [passcode], { relatesTo: ["$.currentAuthenticator"] })),
          currentAuthenticator: { type: "object", value: { type: "password", key: "okta_password", id: "aut9halden2", displayName: "Password", methods: [{ type: "password" }] } },
        });
      case "select":
        return answer({
          ...forms(remedy(handle, "select-authenticator-authenticate", "/idp/idx/challenge", [{ name: "authenticator", type: "object", options: [option(0), option(1)] }])),
          authenticatorEnrollments: { type: "array", value: enrolments },
        });
      case "code":
        return answer({
          ...forms(remedy(handle, "challenge-authenticator", "/idp/idx/challenge/answer", [passcode], { relatesTo: ["$.currentAuthenticatorEnrollment"] })),
          currentAuthenticatorEnrollment: { type: "object", value: enrolments[1] }, authenticatorEnrollments: { type: "array", value: enrolments },
        });
      default:
        return answer({ success: { rel: ["create-form"], name: "success-redirect", href: `${base}/login/token/redirect?stateToken=${handle}` } });
    }
  };
  const engine = async ({ request, response, url, body }) => {
    const asked = JSON.parse(body || "{}");
    const handle = asked.stateHandle ?? asked.stateToken;
    const transaction = transactions.get(handle);
    if (!transaction || settings.pipeline !== "idx") {
      return json(response, 401, { version: "1.0.0", messages: { type: "array", value: [{ message: "The session has expired.", i18n: { key: "idx.session.expired" }, class: "ERROR" }] } }, ION);
    }
    const is = (path, at) => url.pathname === `/idp/idx/${path}` && transaction.at === at;
    if (url.pathname === "/idp/idx/introspect") {
      if (request.headers.accept !== ION || request.headers["content-type"] !== ION) return wrong(response, 406, "E0000021", "The media type is not supported.");
      transaction.at ??= "identify";
      return state(response, handle);
    }
    if (url.pathname === "/idp/idx/cancel") {
      transactions.delete(handle);
      return json(response, 200, {}, ION);
    }
    if (is("identify", "identify")) {
      transaction.user = asked.identifier;
      transaction.at = "password";
      return state(response, handle);
    }
    if (is("challenge/answer", "password")) {
      if (transaction.user !== settings.user || asked.credentials?.passcode !== settings.password) return state(response, handle, 401, ["errors.E0000004", "Authentication failed"]);
      transaction.at = "select";
      return state(response, handle);
    }
    if (is("challenge", "select") && asked.authenticator?.id === ENROLMENT) {
      transaction.at = "code";
      return state(response, handle);
    }
    if (is("challenge/answer", "code")) {
      const judged = await judge(asked.credentials?.passcode);
      if (judged === "wrong") return state(response, handle, 401, ["authfactor.challenge.soft_token.invalid_passcode", "Your code doesn't match our records. Please try again."]);
      if (judged === "used") return state(response, handle, 401, ["authfactor.challenge.soft_token.used_passcode", "Each code can only be used once. Please wait for a new code and try again."]);
      transaction.known = true;
      transaction.at = "done";
      return state(response, handle);
    }
    return state(response, handle, 400, ["errors.E0000001", "This does not fit."]);
  };

  // ---- pages ----

  /**
   * The sign-in page of a request that has no session, or one that is too weak: it holds the token of a transaction, as a
   * JavaScript string. A request that was a form is held until the user is known.
   */
  const page = (response, url, body, weak) => {
    const pending = new URL(url);
    if (body) {
      const key = randomBytes(9).toString("hex");
      held.set(key, body);
      pending.searchParams.set("okta_key", key);
    }
    const text = begin({ pending: pending.href, ...(weak ? { user: weak.user, at: "select" } : {}) }).replaceAll("-", "\\x2D");
    const script = settings.pipeline === "idx" ? `var oktaData = {"signIn":{"stateToken":"${text}"}};` : `var stateToken = '${text}';`;
    response.setHeader("set-cookie", [kept("JSESSIONID", randomBytes(9).toString("hex")), kept("DT", `DI${randomBytes(9).toString("hex")}`)]);
    html(response, 200, `<!doctype html><html><head><title>Sign In</title></head><body><div id="signin-container"></div><script>${script}</script></body></html>`);
  };
  const onward = (response, user, target, code) => {
    const to = new URL(target, base);
    if (to.origin !== base) return wrong(response, 403, "E0000006", "You do not have permission to perform the requested action");
    response.writeHead(302, { location: to.href, "set-cookie": session(user, code) }).end();
  };

  return async (exchange) => {
    const { request, response, url, cookies, body } = exchange;
    const known = sessions.get(cookies[name]);
    const path = url.pathname;
    if (path === "/.well-known/okta-organization") {
      return json(response, 200, { id: "00o1halden2", pipeline: settings.pipeline, settings: {}, _links: { organization: { href: base } } });
    }
    if (path === "/.well-known/webfinger") {
      const subject = url.searchParams.get("resource");
      const properties = { "okta:idp:metadata": `${base}/api/v1/idps/OKTA/metadata.xml`, "okta:idp:type": "OKTA", "okta:idp:id": "OKTA" };
      return json(response, 200, { subject, links: [{ rel: "okta:idp", href: `${base}/sso/idps/OKTA`, titles: { und: "halden" }, properties }] }, "application/jrd+json;charset=UTF-8");
    }
    if (path === "/api/v1/authn" || path.startsWith("/api/v1/authn/")) return classic(exchange);
    if (path.startsWith("/idp/idx/")) return engine(exchange);
    if (path === "/login/sessionCookieRedirect") {
      const fields = request.method === "POST" ? new URLSearchParams(body) : url.searchParams;
      const user = tokens.get(fields.get("token"));
      // Good once.
      tokens.delete(fields.get("token"));
      if (!user) return html(response, 403, "<!doctype html><title>Error</title><p class=\"error-content\">Invalid token.");
      return onward(response, user, fields.get("redirectUrl"), !settings.code_for_applications);
    }
    if (path === "/login/token/redirect") {
      const transaction = transactions.get(url.searchParams.get("stateToken"));
      transactions.delete(url.searchParams.get("stateToken"));
      if (!transaction?.known) return html(response, 403, "<!doctype html><title>Error</title><p class=\"error-content\">Invalid token.");
      return onward(response, transaction.user, transaction.pending, true);
    }
    if (path === "/api/v1/sessions/me" && request.method === "DELETE") {
      return response.writeHead(sessions.delete(cookies[name]) ? 204 : 404).end();
    }
    if (path === "/login/signout") {
      sessions.delete(cookies[name]);
      return html(response, 200, "<!doctype html><title>Signed out</title>");
    }
    if (path === "/api/v1/users/me/appLinks") return known ? json(response, 200, providers.saml.links()) : wrong(response, 403, "E0000005", "Invalid session");
    for (const provider of [providers.openid, providers.saml]) {
      if (!provider.isOurs(path)) continue;
      // What a form sent before the user was known, or sends now.
      const form = new URLSearchParams(held.get(url.searchParams.get("okta_key")) ?? (request.method === "POST" ? body : ""));
      if (provider.needsUser(path) && !known?.code) return page(response, url, form.toString(), known);
      return provider.answer({ ...exchange, form }, known?.user);
    }
    if (["/enduser", "/enduser/", "/app/UserHome", "/"].includes(path)) return known ? html(response, 200, "<!doctype html><title>Dashboard</title>") : page(response, url);
    return wrong(response, 404, "E0000007", "Not found: Resource not found");
  };
}
