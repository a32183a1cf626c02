//! Which SQL a manifest may hold: one statement that reads.
//!
//! What is sent must be read alike by this program and by the vendor, so whatever is read differently by different readers
//! (comments, backslashes, dollar quotes) is refused outright, even within a literal. SELECT is parsed by a library and each
//! function and table function in it must be on a list; SHOW and DESCRIBE, which that library knows in part only, may hold
//! nothing but words, dots, numbers and literals, and so no second statement and no call. What cuts a list (LIMIT, OFFSET, FETCH,
//! TOP, SAMPLE) is refused too: the rest of it would be missing without a word.

use sqlparser::{
    ast::{Expr, Function, ObjectName, Query, Select, SetExpr, Statement, TableFactor, Visit, Visitor},
    dialect::SnowflakeDialect,
    parser::Parser,
    tokenizer::{Token, Tokenizer, Whitespace},
};
use std::ops::ControlFlow;

/// Characters by which readers of SQL differ, or that begin what a setting never needs: another statement, a comment, an
/// escape, a dollar quote or system function, a stage, a bound value, a chained statement.
const REFUSED: [(&str, &str); 10] = [
    (";", "a semicolon"),
    ("--", "a comment"),
    ("//", "a comment"),
    ("/*", "a comment"),
    ("#", "a comment"),
    ("\\", "a backslash"),
    ("$", "a dollar sign, by which system functions and quotes begin"),
    ("@", "a stage"),
    ("?", "a bound value"),
    ("->", "an arrow, which chains statements"),
];

/// Functions without a side effect (<https://docs.snowflake.com/en/sql-reference/functions-all>).
const FUNCTIONS: [&str; 31] = [
    "ARRAY_AGG",
    "ARRAY_SIZE",
    "COALESCE",
    "COUNT",
    "CURRENT_ACCOUNT",
    "CURRENT_ACCOUNT_NAME",
    "CURRENT_ORGANIZATION_NAME",
    "CURRENT_REGION",
    "CURRENT_ROLE",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DATEADD",
    "DATEDIFF",
    "IFF",
    "IFNULL",
    "LISTAGG",
    "LOWER",
    "MAX",
    "MIN",
    "NULLIF",
    "NVL",
    "NVL2",
    "PARSE_JSON",
    "SUM",
    "TO_BOOLEAN",
    "TO_TIMESTAMP_LTZ",
    "TO_TIMESTAMP_NTZ",
    "TO_VARCHAR",
    "TRIM",
    "TRY_PARSE_JSON",
    "UPPER",
];

/// Table functions without a side effect, under each of their names.
const TABLE_FUNCTIONS: [&str; 2] = ["INFORMATION_SCHEMA.POLICY_REFERENCES", "SNOWFLAKE.INFORMATION_SCHEMA.POLICY_REFERENCES"];

/// Finds what is wrong with a statement, its placeholders (`{each.name}`) aside.
pub(super) fn check(document: &str) -> Result<(), String> {
    let Some(placeholders) = crate::hosts::placeholders(document) else {
        return Err("has braces that do not pair".to_owned());
    };
    let mut statement = document.to_owned();
    for (at, name) in placeholders.iter().enumerate() {
        statement = statement.replacen(&format!("{{{name}}}"), &format!("\"{}\"", marker(at)), 1);
    }
    if let Some((_, what)) = REFUSED.iter().find(|(refused, _)| statement.contains(refused)) {
        return Err(format!("holds {what}"));
    }
    if statement.bytes().any(|byte| !(byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n'))) {
        return Err("holds a character that is not plain ASCII".to_owned());
    }
    let dialect = SnowflakeDialect {};
    let tokens = Tokenizer::new(&dialect, &statement).tokenize().map_err(|error| format!("is not SQL: {error}"))?;
    // A placeholder within a literal would not be an identifier.
    let standing = |at: usize| {
        tokens.iter().any(|token| matches!(token, Token::Word(word) if word.quote_style == Some('"') && word.value == marker(at)))
    };
    if let Some((_, name)) = placeholders.iter().enumerate().find(|(at, _)| !standing(*at)) {
        return Err(format!("has the placeholder {{{name}}} where no identifier stands"));
    }
    // Whatever but a plain word a statement begins with is no command.
    let first = tokens.iter().find(|token| !matches!(token, Token::Whitespace(_)));
    let first = match first {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
        Some(_) | None => None,
    };
    match first.as_deref() {
        Some("SELECT") => select(&statement, &dialect),
        Some("SHOW" | "DESC" | "DESCRIBE") => words(&tokens),
        Some(_) | None => Err("begins with another word than SELECT, SHOW, DESC or DESCRIBE".to_owned()),
    }
}

/// Words by which statements begin that change something, or that do so behind them.
const STATEMENTS: [&str; 52] = [
    "alter", "analyze", "begin", "call", "clear", "comment", "commit", "copy", "create", "declare", "delete", "deny", "desc", "describe",
    "drop", "exec", "execute", "explain", "export", "from", "get", "grant", "import", "insert", "list", "load", "lock", "ls", "merge",
    "msck", "optimize", "put", "refresh", "remove", "rename", "reorg", "replace", "restore", "revoke", "rm", "rollback", "select", "set",
    "show", "start", "truncate", "undrop", "unset", "update", "use", "vacuum", "with",
];

/// Whether a text begins as an SQL statement does: one of its words, and more behind it.
pub(super) fn is_sql(text: &str) -> bool {
    let mut rest = text.trim_start_matches(|letter: char| letter.is_whitespace() || matches!(letter, '(' | ';' | '\u{feff}'));
    // Comments may go before it.
    loop {
        let after = if rest.starts_with("/*") {
            rest.split_once("*/").map(|(_, after)| after)
        } else if rest.starts_with("--") || rest.starts_with("//") {
            rest.split_once('\n').map(|(_, after)| after)
        } else {
            break;
        };
        let Some(after) = after else { return true };
        rest = after.trim_start_matches(|letter: char| letter.is_whitespace() || matches!(letter, '(' | ';'));
    }
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    let goes_on = behind.starts_with(|letter: char| letter.is_whitespace() || matches!(letter, '(' | '/' | '*' | '"' | '[' | '\'' | '`'));
    (goes_on || behind.starts_with("--")) && STATEMENTS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn marker(at: usize) -> String {
    format!("placeholder {at}")
}

fn words(tokens: &[Token]) -> Result<(), String> {
    let plain = |token: &&Token| {
        matches!(
            token,
            Token::Word(_)
                | Token::Period
                | Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::Whitespace(Whitespace::Space | Whitespace::Newline)
        )
    };
    // https://docs.snowflake.com/en/sql-reference/sql/show-users: `[ LIMIT <rows> [ FROM '<name_string>' ] ]`.
    let limit =
        |token: &Token| matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("LIMIT"));
    if tokens.iter().any(limit) {
        return Err("holds LIMIT, which cuts the list".to_owned());
    }
    match tokens.iter().find(|token| !plain(token)) {
        None => Ok(()),
        Some(token) => Err(format!("holds \"{token}\"; SHOW and DESCRIBE hold words, dots, numbers and literals only")),
    }
}

fn select(statement: &str, dialect: &SnowflakeDialect) -> Result<(), String> {
    let parsed = Parser::parse_sql(dialect, statement).map_err(|error| format!("is not SQL: {error}"))?;
    let [only @ Statement::Query(_)] = parsed.as_slice() else {
        return Err("is not one SELECT".to_owned());
    };
    match only.visit(&mut Reader) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(what) => Err(what),
    }
}

/// Walks a SELECT and stops at the first thing that could do more than read.
struct Reader;

impl Visitor for Reader {
    type Break = String;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<String> {
        stop_unless(matches!(statement, Statement::Query(_)), || "holds a statement that is not a SELECT".to_owned())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        stop_unless(query.limit_clause.is_none() && query.fetch.is_none(), || {
            "holds LIMIT, OFFSET or FETCH, which cuts the list".to_owned()
        })?;
        let plain = matches!(*query.body, SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::SetOperation { .. } | SetExpr::Values(_));
        stop_unless(plain && query.locks.is_empty() && query.for_clause.is_none() && query.pipe_operators.is_empty(), || {
            "holds a part that is not a plain SELECT".to_owned()
        })
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        stop_unless(select.top.is_none(), || "holds TOP, which cuts the list".to_owned())?;
        stop_unless(select.into.is_none(), || "holds INTO, which writes".to_owned())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        if let TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } = factor {
            return ControlFlow::Break("holds SAMPLE, which leaves out rows by chance".to_owned());
        }
        if let TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } = factor {
            return table_function(name);
        }
        if let TableFactor::TableFunction { expr: Expr::Function(function), .. } = factor {
            return table_function(&function.name);
        }
        let table = matches!(
            factor,
            TableFactor::Table { args: None, .. }
                | TableFactor::Derived { .. }
                | TableFactor::NestedJoin { .. }
                | TableFactor::Pivot { .. }
                | TableFactor::Unpivot { .. }
        );
        stop_unless(table, || "reads from something that is no table".to_owned())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        // Reading the next value of a sequence moves it on.
        if let Expr::CompoundIdentifier(parts) = expr
            && parts.last().is_some_and(|part| part.value.eq_ignore_ascii_case("nextval"))
        {
            return ControlFlow::Break("takes a sequence's next value".to_owned());
        }
        let Expr::Function(Function { name, .. }) = expr else { return ControlFlow::Continue(()) };
        let known = |name: &ObjectName| {
            let text = written(name);
            FUNCTIONS.contains(&text.as_str()) || TABLE_FUNCTIONS.contains(&text.as_str())
        };
        stop_unless(known(name), || format!("calls {name}, which is not on the list of functions that only read"))
    }
}

fn table_function(name: &ObjectName) -> ControlFlow<String> {
    stop_unless(TABLE_FUNCTIONS.contains(&written(name).as_str()), || {
        format!("reads from {name}, which is not on the list of table functions that only read")
    })
}

/// The name in upper case where none of its parts is quoted; nothing on the lists otherwise.
fn written(name: &ObjectName) -> String {
    let parts: Option<Vec<String>> = name
        .0
        .iter()
        .map(|part| part.as_ident().filter(|ident| ident.quote_style.is_none()).map(|ident| ident.value.to_ascii_uppercase()))
        .collect();
    parts.map(|parts| parts.join(".")).unwrap_or_default()
}

fn stop_unless(fine: bool, what: impl FnOnce() -> String) -> ControlFlow<String> {
    if fine { ControlFlow::Continue(()) } else { ControlFlow::Break(what()) }
}
