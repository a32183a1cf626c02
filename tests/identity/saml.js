// The SAML side: `samlify` signs in, `@node-saml/node-saml` is the application "files" that verifies the answer. Owns how
// both are set up, and files' pages. Both sign and verify with keys that the test makes.

import { SAML, ValidateInResponseTo } from "@node-saml/node-saml";
import samlify from "samlify";

import { openSessions } from "./sessions.js";

const EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
const REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const SSO = "/app/haldenmoor_files_1/exk1files2/sso/saml";
const LINK = "/home/haldenmoor_files_1/0oa1files2/aln1files2";

// samlify wants a schema validator before it reads anything. The one thing read here is a request, whose signature it verifies.
samlify.setSchemaValidator({ validate: async () => "not examined" });

const audience = (settings) => `https://${settings.files}/saml/metadata`;
const issuer = (settings) => `https://${settings.organization}/exk1files2`;
const acs = (settings) => `https://${settings.files}/saml/acs`;

const escaped = (text) => text.replace(/[^A-Za-z0-9]/g, (letter) => `&#x${letter.codePointAt(0).toString(16)};`);

/** A page with a form that sends itself off, in the shape of Okta's. */
const form = (action, fields) => `<!doctype html><html><head><title>Signing in</title></head><body>
<form id="appForm" action="${escaped(action)}" method="POST">
${Object.entries(fields).map(([name, value]) => `<input name="${name}" type="hidden" value="${escaped(value)}"/>`).join("\n")}
</form><script>document.getElementById('appForm').submit();</script></body></html>`;

/** The provider. It takes signed requests only, and gives an answer only about who has a session with the organization. */
export function openSamlProvider(settings, refuse) {
  const provider = samlify.IdentityProvider({
    entityID: issuer(settings),
    signingCert: settings.provider.certificate,
    privateKey: settings.provider.key,
    wantAuthnRequestsSigned: true,
    nameIDFormat: [EMAIL],
    singleSignOnService: [REDIRECT, POST].map((Binding) => ({ Binding, Location: `https://${settings.organization}${SSO}` })),
  });
  const application = samlify.ServiceProvider({
    entityID: audience(settings),
    authnRequestsSigned: true,
    wantAssertionsSigned: true,
    signingCert: settings.application.certificate,
    assertionConsumerService: [{ Binding: POST, Location: acs(settings) }],
  });
  return {
    isOurs: (path) => path === SSO || path === LINK,
    needsUser: () => true,
    links: () => [{ label: "Halden Moor Files", appName: "haldenmoor_files_1", linkUrl: `https://${settings.organization}${LINK}` }],
    async answer({ response, url, form: posted }, user) {
      const query = Object.fromEntries(url.searchParams);
      const body = Object.fromEntries(posted);
      let asked = null;
      if (url.pathname === SSO) {
        try {
          if (body.SAMLRequest) asked = await provider.parseLoginRequest(application, "post", { body });
          const signed = url.search.slice(1).split("&").filter((pair) => !pair.startsWith("Signature=")).join("&");
          asked ??= await provider.parseLoginRequest(application, "redirect", { query, octetString: signed });
        } catch (error) {
          return refuse(response, "samlify", error);
        }
      }
      const { context } = await provider.createLoginResponse(application, asked ?? { extract: {} }, "post", { email: user });
      const state = body.RelayState ?? query.RelayState;
      const fields = { SAMLResponse: context, ...(state ? { RelayState: state } : {}) };
      response.writeHead(200, { "content-type": "text/html" }).end(form(acs(settings), fields));
    },
  };
}

/** Files: its pages, and the answer as the service provider's library verifies it. */
export function openFiles(settings, refuse) {
  const sessions = openSessions("files_session");
  const saml = new SAML({
    callbackUrl: acs(settings),
    entryPoint: `https://${settings.organization}${SSO}`,
    issuer: audience(settings),
    audience: audience(settings),
    idpIssuer: issuer(settings),
    idpCert: settings.trusted,
    privateKey: settings.application.key,
    signatureAlgorithm: "sha256",
    authnRequestBinding: settings.by_form ? "HTTP-POST" : "HTTP-Redirect",
    skipRequestCompression: settings.by_form,
    identifierFormat: EMAIL,
    disableRequestedAuthnContext: true,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: false,
    acceptedClockSkewMs: 2000,
    // An answer has to name a request that this application made and that was not answered before; unless it takes people
    // who come from the organization's dashboard.
    validateInResponseTo: settings.takes_unasked ? ValidateInResponseTo.ifPresent : ValidateInResponseTo.always,
  });
  return async ({ request, response, url, body, cookies }) => {
    if (url.pathname === "/login" && settings.by_form) {
      return response.writeHead(200, { "content-type": "text/html" }).end(await saml.getAuthorizeFormAsync("/home", settings.files));
    }
    if (url.pathname === "/login") {
      return response.writeHead(302, { location: await saml.getAuthorizeUrlAsync("/home", settings.files, {}) }).end();
    }
    if (url.pathname === "/saml/acs" && request.method === "POST") {
      let profile;
      try {
        ({ profile } = await saml.validatePostResponseAsync(Object.fromEntries(new URLSearchParams(body))));
      } catch (error) {
        return refuse(response, "node-saml", error);
      }
      return response.writeHead(303, { location: "/home", "set-cookie": sessions.open({ user: profile.nameID }) }).end();
    }
    return sessions.pages({ request, response, url, cookies });
  };
}
