//! What a page of a sign-in asks a browser to do next: read with an HTML tokenizer, without a tree and without running
//! scripts, so that no page, however nested, takes more time than its length. Where that may lead is decided elsewhere.

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::{Rawtext, Rcdata, ScriptData},
    },
};
use regex::Regex;
use secrecy::SecretString;
use std::{cell::RefCell, sync::LazyLock};

/// What is kept of one page at most; a sign-in page has one form with a handful of fields.
const MOST_FORMS: usize = 64;
const MOST_FIELDS: usize = 256;
const MOST_SCRIPTS: usize = 256;

/// How many bytes the tokenizer is fed at once, and how many characters that may part attributes may come one after the
/// other without one tag, text or comment coming to its end: the tokenizer compares each attribute of a tag with those
/// before it, and a tag of a million attributes would take it minutes.
const PORTION: usize = 4 * 1024;
const MOST_PARTINGS: usize = 8 * 1024;

/// A script that is longer than this does more than to send on.
const SCRIPT_BYTES: usize = 8 * 1024;

/// A page that asks to be left later than this is one that a person may stay on.
const MOST_SECONDS: f64 = 10.0;

/// The longest name of a transaction; those of the Identity Engine that are JWE are some thousand characters long.
const TOKEN_BYTES: usize = 16 * 1024;

/// What was found on a page.
#[derive(Default)]
pub(crate) struct Page {
    /// `<base href>`.
    pub(crate) base: Option<String>,
    /// Forms that need nothing from a person: all their fields are hidden.
    pub(crate) forms: Vec<Form>,
    /// The target of `<meta http-equiv="refresh">`.
    pub(crate) refresh: Option<String>,
    /// The one target that the page's scripts go to, where they go there whatever happens.
    pub(crate) script: Option<String>,
    /// What Okta names the transaction by.
    pub(crate) state_token: Option<SecretString>,
    /// Whether an element has the class by which Okta's error pages are known.
    pub(crate) is_error: bool,
}

/// A form that needs nothing from a person.
pub(crate) struct Form {
    /// As it stands; empty for the page itself.
    pub(crate) action: String,
    pub(crate) post: bool,
    pub(crate) fields: Vec<(String, SecretString)>,
    /// Whether the page submits a form by itself.
    pub(crate) submits: bool,
}

impl Form {
    /// Whether it has a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(there, _)| there == name)
    }
}

/// Reads a page. What is not understood is not there.
pub(crate) fn read(html: &[u8]) -> Page {
    let text = String::from_utf8_lossy(html);
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut rest: &str = &text;
    let (mut partings, mut tokens) = (0, 0);
    while !rest.is_empty() {
        let (portion, after) = rest.split_at(rest.floor_char_boundary(PORTION.min(rest.len())));
        rest = after;
        queue.push_back(StrTendril::from_slice(portion));
        // The sink never hands a script over, so all that was fed is read.
        let _ = tokenizer.feed(&queue);
        let seen = tokenizer.sink.0.borrow().tokens;
        partings = if seen == tokens { partings } else { 0 };
        partings += portion.bytes().filter(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'')).count();
        tokens = seen;
        if partings > MOST_PARTINGS {
            return Page::default();
        }
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().into_page()
}

/// What is gathered while the page is read.
#[derive(Default)]
struct Gathered {
    tokens: usize,
    page: Page,
    form: Option<Draft>,
    /// Inside `<script>`: its text so far.
    script: Option<String>,
    scripts: Vec<String>,
    templates: u32,
}

struct Draft {
    form: Form,
    asks: bool,
}

#[derive(Default)]
struct Reader(RefCell<Gathered>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut gathered = self.0.borrow_mut();
        match token {
            Token::ParseError(_) => TokenSinkResult::Continue,
            Token::CharacterTokens(text) => {
                gathered.tokens += 1;
                if let Some(script) = &mut gathered.script {
                    script.push_str(&text);
                }
                TokenSinkResult::Continue
            }
            Token::TagToken(tag) => {
                gathered.tokens += 1;
                match tag.kind {
                    TagKind::StartTag => gathered.opens(&tag),
                    TagKind::EndTag => {
                        gathered.closes(&tag.name);
                        TokenSinkResult::Continue
                    }
                }
            }
            Token::DoctypeToken(_) | Token::CommentToken(_) | Token::NullCharacterToken | Token::EOFToken => {
                gathered.tokens += 1;
                TokenSinkResult::Continue
            }
        }
    }
}

fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

impl Gathered {
    fn opens(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let kept = self.templates == 0;
        match &*tag.name {
            "template" => self.templates += 1,
            "base" if kept => self.page.base = self.page.base.take().or_else(|| attribute(tag, "href").map(str::to_owned)),
            "meta" if kept && attribute(tag, "http-equiv").is_some_and(|what| what.trim().eq_ignore_ascii_case("refresh")) => {
                self.page.refresh = self.page.refresh.take().or_else(|| attribute(tag, "content").and_then(refresh_target));
            }
            // A form in a form is none, as in browsers.
            "form" if kept && self.form.is_none() => {
                let post = attribute(tag, "method").is_some_and(|method| method.trim().eq_ignore_ascii_case("post"));
                let action = attribute(tag, "action").unwrap_or_default().trim().to_owned();
                self.form = Some(Draft { form: Form { action, post, fields: Vec::new(), submits: false }, asks: false });
            }
            "input" if kept => self.input(tag),
            "textarea" | "select" if kept => {
                if let Some(draft) = &mut self.form {
                    draft.asks = true;
                }
            }
            "body" if kept => {
                if let Some(handler) = attribute(tag, "onload") {
                    self.scripts.push(handler.to_owned());
                }
            }
            _ => {}
        }
        if kept && attribute(tag, "class").is_some_and(|classes| classes.split_ascii_whitespace().any(|class| class == "error-content")) {
            self.page.is_error = true;
        }
        match &*tag.name {
            "script" => {
                self.script = Some(String::new());
                TokenSinkResult::RawData(ScriptData)
            }
            "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => TokenSinkResult::RawData(Rawtext),
            "textarea" | "title" => TokenSinkResult::RawData(Rcdata),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn input(&mut self, tag: &Tag) {
        let Some(draft) = &mut self.form else { return };
        let kind = attribute(tag, "type").map(|kind| kind.trim().to_ascii_lowercase()).unwrap_or_default();
        match kind.as_str() {
            "hidden" => {
                let name = attribute(tag, "name").unwrap_or_default();
                if !name.is_empty() && attribute(tag, "disabled").is_none() {
                    if draft.form.fields.len() == MOST_FIELDS {
                        draft.asks = true;
                        return;
                    }
                    draft.form.fields.push((name.to_owned(), SecretString::from(attribute(tag, "value").unwrap_or_default())));
                }
            }
            "submit" | "button" | "image" | "reset" => {}
            _ => draft.asks = true,
        }
    }

    fn closes(&mut self, name: &str) {
        match name {
            "template" => self.templates = self.templates.saturating_sub(1),
            "form" if self.templates == 0 => self.end_form(),
            "script" => {
                if let Some(script) = self.script.take().filter(|_| self.templates == 0 && self.scripts.len() < MOST_SCRIPTS) {
                    self.scripts.push(script);
                }
            }
            _ => {}
        }
    }

    fn end_form(&mut self) {
        if let Some(draft) = self.form.take()
            && !draft.asks
            && !draft.form.fields.is_empty()
            && self.page.forms.len() < MOST_FORMS
        {
            self.page.forms.push(draft.form);
        }
    }

    fn into_page(mut self) -> Page {
        self.end_form();
        let mut targets: Vec<String> = Vec::new();
        let mut submits = false;
        for script in &self.scripts {
            if let Some(straight) = straight(script) {
                submits |= straight.submits;
                targets.extend(straight.targets);
            }
        }
        targets.dedup();
        if let [target] = targets.as_slice() {
            self.page.script = Some(target.clone());
        }
        self.page.state_token = self.scripts.iter().find_map(|script| state_token(script));
        for form in &mut self.page.forms {
            form.submits = submits;
        }
        self.page
    }
}

/// The target in the `content` of a refresh, where the page is to be left soon.
/// <https://html.spec.whatwg.org/multipage/semantics.html#attr-meta-http-equiv-refresh>
fn refresh_target(content: &str) -> Option<String> {
    static SHAPE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?is)^\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?:[;,]|\s)\s*(?:url\s*=\s*)?(.*)$"#).ok());
    let found = SHAPE.as_ref()?.captures(content)?;
    let seconds: f64 = found.get(1)?.as_str().parse().ok()?;
    if seconds > MOST_SECONDS {
        return None;
    }
    let target = found.get(2)?.as_str();
    let target = match target.chars().next()? {
        quote @ ('"' | '\'') => target[1..].split(quote).next().unwrap_or_default(),
        _ => target,
    };
    Some(target.trim().to_owned()).filter(|target| !target.is_empty())
}

/// The name of a transaction in a script of an Okta page: `var stateToken = '…'`, or `"stateToken":"…"` in JSON.
fn state_token(script: &str) -> Option<SecretString> {
    static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let value = r#"(?:"((?:[^"\\\r\n]|\\.)*)"|'((?:[^'\\\r\n]|\\.)*)')"#;
        [format!(r"\bvar\s+stateToken\s*=\s*{value}"), format!(r#"(?:"stateToken"|'stateToken'|\bstateToken)\s*:\s*{value}"#)]
            .iter()
            .filter_map(|shape| Regex::new(shape).ok())
            .collect()
    });
    SHAPES.iter().flat_map(|shape| shape.captures_iter(script)).find_map(|found| {
        let literal = found.get(1).or_else(|| found.get(2))?.as_str();
        let token = unescape(literal)?;
        let plain = token.len() <= TOKEN_BYTES && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/=:".contains(&byte));
        (plain && !token.is_empty()).then(|| SecretString::from(token))
    })
}

/// What the text of a JavaScript string literal stands for. `None` when an escape is cut.
/// <https://tc39.es/ecma262/#sec-literals-string-literals>
fn unescape(literal: &str) -> Option<String> {
    // UTF-16, because two escapes may make one letter.
    let mut units: Vec<u16> = Vec::with_capacity(literal.len());
    let mut letters = literal.chars();
    let put = |units: &mut Vec<u16>, letter: char| units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
    let hex = |letters: &mut std::str::Chars<'_>, digits: usize| {
        let text: String = letters.take(digits).collect();
        (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| u32::from_str_radix(&text, 16).ok()).flatten()
    };
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            put(&mut units, letter);
            continue;
        }
        match letters.next()? {
            'x' => units.push(u16::try_from(hex(&mut letters, 2)?).ok()?),
            'u' => {
                if let Some(rest) = letters.as_str().strip_prefix('{') {
                    let (digits, after) = rest.split_once('}')?;
                    put(&mut units, char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                    letters = after.chars();
                } else {
                    units.push(u16::try_from(hex(&mut letters, 4)?).ok()?);
                }
            }
            'n' => put(&mut units, '\n'),
            'r' => put(&mut units, '\r'),
            't' => put(&mut units, '\t'),
            'b' => put(&mut units, '\u{8}'),
            'f' => put(&mut units, '\u{c}'),
            'v' => put(&mut units, '\u{b}'),
            '0' => put(&mut units, '\0'),
            other => put(&mut units, other),
        }
    }
    String::from_utf16(&units).ok()
}

/// What a script does that does the same whatever happens.
struct Straight {
    targets: Vec<String>,
    submits: bool,
}

/// Reads a script that decides nothing: no branch, no loop, no function that something else may call. `None` for any other;
/// what it would do is not guessed.
fn straight(script: &str) -> Option<Straight> {
    static CALLED_AT_ONCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:(?:^|[;{}!\s])\(|\bsetTimeout\s*\(|\bonload\s*=)\s*(?:function\s*\(\s*[A-Za-z]?\s*\)|\(\s*\)\s*=>)").ok()
    });
    static DECIDES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\b(?:if|else|switch|case|for|while|do|try|catch|return|throw|async|await|function|confirm|addEventListener|eval|on(?:click|submit|change|focus|message))\b|=>|\?|&&|\|\||`").ok()
    });
    static GOES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?:^|[;{}(\s])(?:(?:(?:window|self|top|document)\s*\.\s*)+location(?:\s*\.\s*href)?|location\s*\.\s*href)\s*=\s*\x01([0-9]+)\x01\s*(?:[;})]|$)",
            r"|(?:^|[;{}(\s])(?:(?:window|self|top|document)\s*\.\s*)*location\s*\.\s*(?:replace|assign)\s*\(\s*\x01([0-9]+)\x01\s*\)"
        ))
        .ok()
    });
    static SUBMITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\.\s*submit\s*\(\s*\)").ok());
    if script.len() > SCRIPT_BYTES {
        return None;
    }
    let (code, literals) = code_and_literals(script)?;
    let code = CALLED_AT_ONCE.as_ref()?.replace_all(&code, " {");
    if DECIDES.as_ref()?.is_match(&code) {
        return None;
    }
    let targets = GOES
        .as_ref()?
        .captures_iter(&code)
        .filter_map(|found| literals.get(found.get(1).or_else(|| found.get(2))?.as_str().parse::<usize>().ok()?).cloned())
        .collect();
    Some(Straight { targets, submits: SUBMITS.as_ref()?.is_match(&code) })
}

/// The script without comments, each string literal replaced by its number between two marks; and what the literals stand for.
fn code_and_literals(script: &str) -> Option<(String, Vec<String>)> {
    let mut code = String::with_capacity(script.len());
    let mut literals = Vec::new();
    let mut rest = script;
    while let Some(letter) = rest.chars().next() {
        if rest.starts_with("//") || rest.starts_with("<!--") || rest.starts_with("-->") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = &rest[rest.find("*/")? + 2..];
        } else if matches!(letter, '"' | '\'') {
            let text = &rest[1..];
            let mut escaped = false;
            let end = text.find(|letter: char| {
                let ends = !escaped && (letter == rest.chars().next().unwrap_or('"') || letter == '\n');
                escaped = letter == '\\' && !escaped;
                ends
            })?;
            if text[end..].starts_with('\n') {
                return None;
            }
            code.push_str(&format!("\u{1}{}\u{1}", literals.len()));
            literals.push(unescape(&text[..end])?);
            rest = &text[end + 1..];
        } else if letter == '\u{1}' {
            return None;
        } else {
            code.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    Some((code, literals))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use std::time::Instant;

    fn page(html: &str) -> Page {
        read(html.as_bytes())
    }

    fn fields(form: &Form) -> Vec<(&str, &str)> {
        form.fields.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect()
    }

    fn token(html: &str) -> Option<String> {
        page(html).state_token.map(|token| token.expose_secret().to_owned())
    }

    fn target(script: &str) -> Option<String> {
        page(&format!("<script>{script}</script>")).script
    }

    #[test]
    fn a_form_is_read_as_a_browser_reads_it() {
        let page = page(
            "<!DOCTYPE html><body><FORM Action='https&#x3a;//sp.example/acs?a=1&amp;b=2' METHOD=Post id=appForm>\
             <input NAME=SAMLResponse TYPE=Hidden VALUE='PD94&#x2b;a&#x3d;&#61;&sol;'/><input type=hidden name=RelayState>\
             <input type=hidden name=off value=1 disabled><input type=hidden value=nameless>\
             <input type=submit name=go value=Go><button name=b>Go</button></FORM>\
             <script>document.getElementById('appForm').submit();</script>",
        );
        let [form] = page.forms.as_slice() else { panic!("{}", page.forms.len()) };
        assert_eq!((form.action.as_str(), form.post, form.submits), ("https://sp.example/acs?a=1&b=2", true, true));
        assert_eq!(fields(form), [("SAMLResponse", "PD94+a==/"), ("RelayState", "")]);
        assert!(form.has("RelayState") && !form.has("off"));
    }

    #[test]
    fn a_form_that_asks_a_person_is_none() {
        for asks in [
            "<input name=user>",
            "<input type=password name=p>",
            "<input type=email name=e>",
            "<input type=checkbox name=c checked>",
            "<input type=file name=f>",
            "<input type=unknown name=f>",
            "<textarea name=t></textarea>",
            "<select name=s><option>1</select>",
        ] {
            assert!(page(&format!("<form method=post><input type=hidden name=a value=b>{asks}</form>")).forms.is_empty(), "{asks}");
        }
        assert!(page("<form method=post></form>").forms.is_empty());
        assert!(page("<template><form><input type=hidden name=a></form></template>").forms.is_empty());
        assert!(page("<!-- <form><input type=hidden name=a></form> -->").forms.is_empty());
        assert!(page("<script>'<form><input type=hidden name=a></form>'</script>").forms.is_empty());
        assert!(page("<textarea><form><input type=hidden name=a></form></textarea>").forms.is_empty());
        assert!(page("<noscript><form><input type=hidden name=a></form></noscript>").forms.is_empty());
    }

    #[test]
    fn forms_do_not_nest_and_do_not_share_fields() {
        let page = page(
            "<input type=hidden name=before><form action=/a><input type=hidden name=one><form action=/b><input type=hidden name=two></form><input type=hidden name=after><form action=/c><input type=hidden name=three>",
        );
        let found: Vec<_> = page.forms.iter().map(|form| (form.action.as_str(), fields(form))).collect();
        assert_eq!(found, [("/a", vec![("one", ""), ("two", "")]), ("/c", vec![("three", "")])]);
        assert!(page.forms.iter().all(|form| !form.submits));
    }

    #[test]
    fn a_refresh_is_followed_where_it_is_soon() {
        let refresh = |content: &str| page(&format!("<meta http-equiv=refresh content=\"{content}\">")).refresh;
        for (content, wanted) in [
            ("0; url=https://a.example/?x=1&amp;y=2", "https://a.example/?x=1&y=2"),
            ("0;URL='/next'", "/next"),
            ("3, url = /next ", "/next"),
            ("0.5; /next", "/next"),
            (" 10;url=\u{26}quot;/next\u{26}quot;x", "/next"),
        ] {
            assert_eq!(refresh(content).as_deref(), Some(wanted), "{content}");
        }
        for content in ["3600; url=/logout", "0", "", "url=/x", "11;url=/x", "0;url=", "0;url=''", "1e1;url=/x", "-1;url=/x", "NaN;url=/x"]
        {
            assert_eq!(refresh(content), None, "{content}");
        }
        assert_eq!(page("<meta name=refresh content='0;url=/x'>").refresh, None);
        assert_eq!(
            page("<meta http-equiv=refresh content='0;url=/a'><meta http-equiv=refresh content='0;url=/b'>").refresh.as_deref(),
            Some("/a")
        );
    }

    #[test]
    fn scripts_are_followed_in_the_known_shapes_alone() {
        for (script, wanted) in [
            ("window.location = '/a'", "/a"),
            ("window.location='https:\\/\\/a.example\\/b\\x3Fc\\u003dd';", "https://a.example/b?c=d"),
            ("window.location.href = \"/a\";", "/a"),
            ("location.href='/a'", "/a"),
            ("document.location = '/a'", "/a"),
            ("document.location.href = '/a'", "/a"),
            ("window.location.replace('/a')", "/a"),
            ("location.assign( \"/a\" );", "/a"),
            ("self.location='/a'", "/a"),
            ("/* why */ var x = 'y'; // and\n window.location.href = '/a';", "/a"),
            ("<!--\nwindow.location = '/a';\n//-->", "/a"),
            ("(function(){window.location.replace('/a');})();", "/a"),
            ("setTimeout(function() { window.location = '/a'; }, 100)", "/a"),
            ("window.onload = function () { window.location = '/a' }", "/a"),
            ("(() => { window.location = '/a'; })()", "/a"),
            ("window.location = '/\\u{1F512}\\ud83d\\udd12'", "/\u{1f512}\u{1f512}"),
        ] {
            assert_eq!(target(script).as_deref(), Some(wanted), "{script}");
        }
        for script in [
            "if (old) { window.location = '/a' }",
            "old && (window.location = '/a')",
            "window.location = old ? '/a' : '/b'",
            "function go() { window.location = '/a' }",
            "var go = function () { window.location = '/a' }",
            "button.onclick = function () { window.location = '/a' }",
            "$('a').click(function () { window.location = '/a' })",
            "document.addEventListener('x', () => { window.location = '/a' })",
            "window.location = '/a' + x",
            "window.location = base + '/a';",
            "window.location = x",
            "var location = '/a'",
            "mylocation.href = '/a'",
            "x.location.href.y = '/a'",
            "// window.location = '/a'",
            "/* window.location = '/a' */",
            "var s = \"window.location = '/a'\"",
            "window.location = `/a`",
            "window.location = '/a",
            "window.location = '\\xZZ'",
            "window.location = '\\u12'",
            "window.location = '\\ud800'",
            "window.location == '/a'",
            "for (;;) window.location = '/a'",
            "\u{1}0\u{1} window.location = '/a'",
        ] {
            assert_eq!(target(script), None, "{script}");
        }
        assert_eq!(target("window.location = '/a'; window.location = '/b'"), None, "two targets are none");
        assert_eq!(page("<script>window.location='/a'</script><script>location.href='/a'</script>").script.as_deref(), Some("/a"));
        assert_eq!(page("<body onload=\"window.location='/a'\">").script.as_deref(), Some("/a"));
        assert_eq!(target(&format!("window.location = '/a';{}", " ".repeat(SCRIPT_BYTES))), None);
    }

    #[test]
    fn a_form_is_sent_by_a_script_that_always_does() {
        let submits = |script: &str| page(&format!("<form><input type=hidden name=a></form><script>{script}</script>")).forms[0].submits;
        assert!(submits("document.forms[0].submit()"));
        assert!(submits("window.onload = function(){ document.getElementById('f').submit(); }"));
        assert!(!submits("function logout() { document.forms[0].submit() }"));
        assert!(!submits("if (x) document.forms[0].submit()"));
        assert!(page("<body onload='document.forms[0].submit()'><form><input type=hidden name=a></form>").forms[0].submits);
    }

    #[test]
    fn state_tokens_are_found_and_undone() {
        for (script, wanted) in [
            ("var stateToken = '00abc\\x2Ddef\\x5Fg';", "00abc-def_g"),
            ("var stateToken = \"02.id.a\\u002db~c\";", "02.id.a-b~c"),
            ("var a={\"x\":1,\"stateToken\":\"eyJh\\x2EeyJi.c\"};", "eyJh.eyJi.c"),
            ("config({ stateToken : '00a' })", "00a"),
            ("x = {'stateToken':'00a'}", "00a"),
            ("var stateToken = ''; var o = {\"stateToken\":\"00b\"}", "00b"),
            ("if (x) { var stateToken='00a'; }", "00a"),
        ] {
            assert_eq!(token(&format!("<script>{script}</script>")).as_deref(), Some(wanted), "{script}");
        }
        for script in [
            "var stateToken = null;",
            "var stateToken = '';",
            "var stateToken = '<script>';",
            "var stateToken = 'a b';",
            "var stateToken = 'a\\x0Ab';",
            "var stateToken = '\\x2",
            "var xstateToken = '00a'",
            "var stateTokenX = '00a'",
            "var stateToken = other",
        ] {
            assert_eq!(token(&format!("<script>{script}</script>")), None, "{script}");
        }
        assert_eq!(token("<p>var stateToken = '00a';</p>"), None, "words on a page are no script");
        assert_eq!(token("<!-- <script>var stateToken = '00a';</script> -->"), None);
        assert_eq!(token("<script type=application/json>{\"stateToken\":\"00a\"}</script>").as_deref(), Some("00a"));
        assert_eq!(token(&format!("<script>var stateToken = '{}'</script>", "a".repeat(TOKEN_BYTES + 1))), None);
    }

    #[test]
    fn oktas_error_pages_are_known_by_their_class() {
        assert!(page("<div class='x error-content y'>").is_error);
        assert!(!page("<div class='error-contents'>").is_error);
        assert!(!page("<style>.error-content{}</style><p id=error-content>error-content</p>").is_error);
    }

    #[test]
    fn hostile_pages_are_read_in_time() {
        let nested = |open: &str| open.repeat(1_000_000 / open.len());
        let attributes: String = (0..100_000).map(|number| format!(" a{number}")).collect();
        let assigned: String = (0..100_000).map(|number| format!("\"a{number}=\"")).collect();
        let formatting: String = (0..30_000).map(|number| format!("<b x={number}>")).collect::<String>() + &"<p>x</p>".repeat(30_000);
        let pages = [
            nested("<div>"),
            nested("<form>"),
            nested("<table><tr>"),
            nested("<b><i><a>"),
            nested("<input type=hidden name=a value=b>"),
            nested("<script></script>"),
            nested("<script>window.location='/a';</script>"),
            nested("<template>"),
            nested("</p>"),
            nested("&amp;"),
            nested("<!--"),
            nested("<a "),
            nested("<"),
            nested("\0"),
            nested("'"),
            format!("<form{attributes}>"),
            format!("<form a={assigned}>"),
            format!("<form><input type=hidden name=a value=\"{}\"></form>", "/+=a".repeat(250_000)),
            format!("<script>var stateToken = '{}", "\\".repeat(1_000_000)),
            format!("<script>{}", "var stateToken = '".repeat(60_000)),
            format!("<meta http-equiv=refresh content=\"0;{}\">", " ".repeat(1_000_000)),
            formatting,
        ];
        for html in pages {
            let started = Instant::now();
            let read = page(&html);
            // Linear work takes a second or two here, unoptimised and beside other tests; quadratic work takes hours.
            assert!(started.elapsed().as_secs() < 40, "{:?} took {:?}", &html[..html.len().min(20)], started.elapsed());
            assert!(read.forms.len() <= MOST_FORMS && read.forms.iter().all(|form| form.fields.len() <= MOST_FIELDS));
        }
        let long = format!("{}/+", "PHNhbWxwOlJlc3BvbnNlIElEPSJfMSIgVmVyc2lvbj0iMi4wIj4abcdefghijk").repeat(6_000);
        let html = format!("<form><input type=hidden name=SAMLResponse value=\"{long}\"></form>");
        assert_eq!(fields(&page(&html).forms[0]), [("SAMLResponse", long.as_str())], "a long answer is read whole");
    }

    #[test]
    fn nulls_and_broken_letters_end_nothing() {
        let read = read(b"\0<fo\0rm><form method=post action=/a\0><input type=hidden name=a\0 value=\xff\xfe></form>\0");
        assert_eq!(read.forms.len(), 1);
        assert_eq!(fields(&read.forms[0]), [("a\u{fffd}", "\u{fffd}\u{fffd}")]);
        assert_eq!(read.forms[0].action, "/a\u{fffd}");
    }

    proptest! {
        #[test]
        fn no_page_ends_the_program(html in prop::collection::vec(any::<u8>(), 0..4096)) {
            read(&html);
        }

        #[test]
        fn no_page_of_tags_ends_the_program(pieces in prop::collection::vec(prop::sample::select(vec![
            "<form", "</form>", "<input", " type=hidden", " name=a", " value='", "'", "\"", ">", "<script>", "</script>", "<!--", "-->", "<meta http-equiv=refresh content=",
            "0;url=", "&#x", ";", "\\x2D", "\\u", "var stateToken=", "window.location=", "\u{0}", "\u{1f512}", "<template>", "</template>", "=", " ", "\n", "<![CDATA[", "<plaintext>", "<svg>", "<title>",
        ]), 0..200)) {
            read(pieces.concat().as_bytes());
        }

        #[test]
        fn an_escaped_text_is_undone(text in "\\PC{0,60}") {
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(unescape(&escaped), Some(text));
        }
    }
}
