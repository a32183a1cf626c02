//! Pages as a vendor's: what they hold that a sign-in has to find.

use super::state::Engine;

/// Text as HTML, with everything escaped that is not a letter or a digit, as Okta does in its forms.
pub(super) fn escaped(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_string() } else { format!("&#x{:x};", u32::from(letter)) })
        .collect()
}

/// Text as a part of a JavaScript string.
fn in_script(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_string() } else { format!("\\x{:02X}", u32::from(letter)) })
        .collect()
}

fn page(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"UTF-8\">\n<title>{}</title>\n{head}</head>\n<body>\n{body}</body>\n</html>\n",
        escaped(title)
    )
}

/// The hosted sign-in page. The state token stands in its script.
pub(super) fn sign_in(organization: &str, token: &str, engine: Engine) -> String {
    let token = in_script(token);
    let script = match engine {
        Engine::Classic => format!("var stateToken = '{token}';\nvar baseUrl = 'https\\x3A\\x2F\\x2F{}';\n", in_script(organization)),
        Engine::Identity => {
            format!(
                "var oktaData = {{\"redirectUri\":\"\",\"signIn\":{{\"el\":\"#okta-sign-in\",\"stateToken\":\"{token}\",\"language\":\"en\"}}}};\n"
            )
        }
    };
    page(&format!("{organization} - Sign In"), &format!("<script>\n{script}</script>\n"), "<div id=\"okta-sign-in\"></div>\n")
}

/// A page that ends the way.
pub(super) fn problem(title: &str, text: &str) -> String {
    page(title, "", &format!("<div class=\"error-content\">\n<h1>{}</h1>\n<p>{}</p>\n</div>\n", escaped(title), escaped(text)))
}

/// A page with nothing to do on it.
pub(super) fn notice(title: &str, text: &str) -> String {
    page(title, "", &format!("<h1>{}</h1>\n<p>{}</p>\n", escaped(title), escaped(text)))
}

/// A page that asks whose account is meant.
pub(super) fn who(action: &str) -> String {
    let form = format!(
        "<form method=\"get\" action=\"{}\">\n<input name=\"email\" type=\"email\">\n<button>Continue</button>\n</form>\n",
        escaped(action)
    );
    page("Sign in", "", &form)
}

/// A form that sends itself.
pub(super) fn auto_submit(action: &str, fields: &[(&str, &str)]) -> String {
    let inputs: String =
        fields.iter().map(|(name, value)| format!("    <input name=\"{name}\" type=\"hidden\" value=\"{}\"/>\n", escaped(value))).collect();
    let form = format!("<form id=\"appForm\" action=\"{}\" method=\"POST\">\n{inputs}</form>\n", escaped(action));
    page(
        "Signing in",
        "",
        &format!("{form}<script>\nwindow.onload = function () {{ document.getElementById('appForm').submit(); }};\n</script>\n"),
    )
}
