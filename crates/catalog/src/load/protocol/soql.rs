//! Which SOQL a manifest may hold. SOQL itself cannot change records, but some of its clauses leave a trace
//! (`FOR VIEW`, `FOR REFERENCE`, `UPDATE TRACKING`) or lock (`FOR UPDATE`), and some leave out records that fit (`LIMIT`,
//! `OFFSET`, `USING SCOPE`), so that the answer would never be all of them:
//! <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm>.

/// What a query asks for.
#[derive(Debug)]
pub(super) struct Query {
    /// The fields as they stand in the answer: `Id`, `Profile.Name`, an aggregate's alias.
    pub(super) fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Literal,
    Mark(char),
}

/// Finds what is wrong with a query, or what it asks for.
pub(super) fn check(document: &str) -> Result<Query, String> {
    let tokens = tokens(document)?;
    let is = |token: &Token, word: &str| matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word));
    if !tokens.first().is_some_and(|token| is(token, "SELECT")) {
        return Err("begins with another word than SELECT".to_owned());
    }
    for (word, why) in [
        ("FOR", "FOR, which locks records or marks them as seen"),
        ("UPDATE", "UPDATE, which leaves a trace"),
        ("FIELDS", "FIELDS(), which asks for more than is kept"),
        ("TYPEOF", "TYPEOF, whose answer has no one shape"),
        ("LIMIT", "LIMIT, which cuts the list"),
        ("OFFSET", "OFFSET, which leaves out the beginning of the list"),
        ("USING", "USING, which narrows the list to some records of the user's"),
    ] {
        if tokens.iter().any(|token| is(token, word)) {
            return Err(format!("holds {why}"));
        }
    }
    if tokens.iter().filter(|token| is(token, "SELECT")).count() != tokens.iter().filter(|token| is(token, "FROM")).count() {
        return Err("has not one FROM for each SELECT".to_owned());
    }
    let mut depth = 0_u32;
    let mut items: Vec<Vec<Token>> = vec![Vec::new()];
    let mut from = false;
    for token in tokens.iter().skip(1) {
        match token {
            Token::Mark('(') => depth += 1,
            Token::Mark(')') => depth = depth.checked_sub(1).ok_or_else(|| "closes a bracket that is not open".to_owned())?,
            Token::Mark(',') if depth == 0 && !from => {
                items.push(Vec::new());
                continue;
            }
            Token::Word(_) | Token::Literal | Token::Mark(_) => {}
        }
        from |= depth == 0 && is(token, "FROM");
        if !from && let Some(item) = items.last_mut() {
            item.push(token.clone());
        }
    }
    if depth != 0 || !from {
        return Err("does not end well".to_owned());
    }
    let fields = items.iter().map(|item| field(item)).collect::<Result<_, _>>()?;
    Ok(Query { fields })
}

/// The name under which an item of the list stands in the answer.
fn field(item: &[Token]) -> Result<String, String> {
    match item {
        [Token::Word(name)] => Ok(name.clone()),
        [Token::Word(function), Token::Mark('('), .., Token::Mark(')'), Token::Word(alias)] if !function.eq_ignore_ascii_case("SELECT") => {
            Ok(alias.clone())
        }
        [Token::Mark('('), ..] => Err("asks for a list within a record, which may be cut; read it as a dataset of its own".to_owned()),
        [Token::Word(_), Token::Mark('('), ..] => Err("has an aggregate without an alias; write COUNT(Id) total".to_owned()),
        _ => Err("has an item that is no field".to_owned()),
    }
}

fn tokens(document: &str) -> Result<Vec<Token>, String> {
    if let Some(refused) = [";", "\\", "--", "//", "/*", "{", "}"].into_iter().find(|refused| document.contains(refused)) {
        return Err(format!("holds \"{refused}\""));
    }
    let mut tokens = Vec::new();
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            ' ' | '\n' => (None, 1),
            '\'' => {
                let end = rest.get(1..).and_then(|rest| rest.find('\'')).ok_or_else(|| "has a literal without an end".to_owned())?;
                (Some(Token::Literal), end + 2)
            }
            _ if first.is_ascii_alphanumeric() || first == '_' => {
                // Names with dots, and dates with their signs.
                let part = |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | ':' | '-' | '+'));
                let length = rest.find(part).unwrap_or(rest.len());
                (Some(Token::Word(rest[..length].to_owned())), length)
            }
            '(' | ')' | ',' | '=' | '<' | '>' | '!' | '-' | '+' => (Some(Token::Mark(first)), 1),
            _ => return Err(format!("holds \"{first}\"")),
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}
