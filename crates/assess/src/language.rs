//! The language of checks: CEL's standard library and string functions, with `days(int)`, `unclear(text)`, patterns that are
//! compiled once, and equality that knows wrapped JSON.

use crate::value::equal;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::common::types::{self, CelBool, CelDuration, CelInt, CelString};
use cel::common::value::{CowVal, Val};
use cel::{Env, ExecutionError};
use regex::Regex;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

// Names that cannot be written in CEL, so that nobody calls them but `prepare`.
const EQUAL: &str = "@equal";
const NOT_EQUAL: &str = "@not_equal";
const MEMBER_OF: &str = "@member_of";
const MATCHES: &str = "@matches";

/// The function by which a check says that it does not know what a value means: instead of true or false it comes to an
/// error whose message is the function's argument, a sentence that the check itself writes out.
pub(crate) const UNCLEAR: &str = "unclear";

static LANGUAGE: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(build()));

/// The environment in which every expression is parsed and evaluated.
pub(crate) fn environment() -> Arc<Env> {
    Arc::clone(&LANGUAGE)
}

fn build() -> Env {
    let mut env = Env::stdlib();
    let any = || vec![types::DYN_TYPE, types::DYN_TYPE];
    let text = || vec![types::STRING_TYPE, types::STRING_TYPE];
    env.add_extension(cel::extensions::strings)
        .and_then(|()| env.add_overload("days", "int64_to_days", vec![types::INT_TYPE], days))
        .and_then(|()| env.add_overload(UNCLEAR, "string_is_unclear", vec![types::STRING_TYPE], unclear))
        .and_then(|()| env.add_overload(EQUAL, "equal_any", any(), |args| Ok(CowVal::owned(CelBool::from(equal_pair(&args)?)))))
        .and_then(|()| env.add_overload(NOT_EQUAL, "not_equal_any", any(), |args| Ok(CowVal::owned(CelBool::from(!equal_pair(&args)?)))))
        .and_then(|()| env.add_overload(MEMBER_OF, "member_of_any", any(), member_of))
        .and_then(|()| env.add_overload(MATCHES, "matches_text", text(), matches))
        .expect("the names are distinct from those of the standard library");
    env
}

fn days<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let days = args.first().and_then(|arg| arg.downcast_ref::<CelInt>()).map(|days| *days.inner());
    days.and_then(chrono::Duration::try_days)
        .filter(|span| span.num_nanoseconds().is_some())
        .map(|span| CowVal::owned(CelDuration::from(span)))
        .ok_or_else(|| ExecutionError::function_error("days", "out of range"))
}

fn unclear<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let sentence = args.first().and_then(|arg| arg.downcast_ref::<CelString>()).map(|text| text.inner().to_owned());
    Err(ExecutionError::function_error(UNCLEAR, sentence.unwrap_or_default()))
}

fn equal_pair(args: &[CowVal<'_, '_>]) -> Result<bool, ExecutionError> {
    match args {
        [left, right] => Ok(equal(left.as_ref(), right.as_ref())),
        _ => Err(ExecutionError::invalid_argument_count(2, args.len())),
    }
}

fn member_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [item, container] = args.as_slice() else { return Err(ExecutionError::invalid_argument_count(2, args.len())) };
    let found = if container.get_type().kind() == types::Kind::List {
        let iterable = container.as_iterable().ok_or_else(|| unsupported(container.as_ref()))?;
        let mut elements = iterable.iter();
        let mut found = false;
        while let Some(element) = elements.next() {
            if equal(element, item.as_ref()) {
                found = true;
                break;
            }
        }
        found
    } else {
        container.as_container().ok_or_else(|| unsupported(container.as_ref()))?.contains(item.as_ref())?
    };
    Ok(CowVal::owned(CelBool::from(found)))
}

fn unsupported(value: &dyn Val) -> ExecutionError {
    ExecutionError::no_such_overload("in", vec![value.get_type().name().to_owned()])
}

/// Patterns that one thread keeps compiled.
const PATTERNS: usize = 256;

fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    let text = |index: usize| {
        let arg: &CowVal<'b, 'v> = args.get(index).ok_or_else(|| ExecutionError::invalid_argument_count(2, args.len()))?;
        arg.downcast_ref::<CelString>().ok_or_else(|| ExecutionError::function_error("matches", "not text"))
    };
    let (text, pattern) = (text(0)?, text(1)?.inner());
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(pattern) {
            return Ok(CowVal::owned(CelBool::from(regex.is_match(text.inner()))));
        }
        let regex = Regex::new(pattern).map_err(|_| ExecutionError::function_error("matches", "not a pattern"))?;
        let found = regex.is_match(text.inner());
        if compiled.len() >= PATTERNS {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), regex);
        Ok(CowVal::owned(CelBool::from(found)))
    })
}

/// Puts our own equality, membership and patterns in place of CEL's, except where one side is a scalar literal and
/// CEL's own do as well and faster.
pub(crate) fn prepare(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Call(call) => {
            call.args.iter_mut().for_each(prepare);
            if let Some(target) = &mut call.target {
                prepare(target);
            }
            match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::EQUALS, [left, right]) if !scalar(left) && !scalar(right) => call.func_name = EQUAL.to_owned(),
                (operators::NOT_EQUALS, [left, right]) if !scalar(left) && !scalar(right) => call.func_name = NOT_EQUAL.to_owned(),
                (operators::IN, [item, list]) if !scalar(item) && !scalars(list) => call.func_name = MEMBER_OF.to_owned(),
                ("matches", _) => {
                    call.func_name = MATCHES.to_owned();
                    if let Some(target) = call.target.take() {
                        call.args.insert(0, *target);
                    }
                }
                _ => {}
            }
        }
        Expr::Select(select) => prepare(&mut select.operand),
        Expr::List(list) => list.elements.iter_mut().for_each(prepare),
        Expr::Map(map) => map.entries.iter_mut().for_each(|entry| match &mut entry.expr {
            EntryExpr::MapEntry(entry) => {
                prepare(&mut entry.key);
                prepare(&mut entry.value);
            }
            EntryExpr::StructField(field) => prepare(&mut field.value),
        }),
        Expr::Comprehension(comprehension) => {
            prepare(&mut comprehension.iter_range);
            prepare(&mut comprehension.loop_step);
            prepare(&mut comprehension.result);
        }
        Expr::Struct(message) => message.entries.iter_mut().for_each(|entry| match &mut entry.expr {
            EntryExpr::MapEntry(entry) => prepare(&mut entry.value),
            EntryExpr::StructField(field) => prepare(&mut field.value),
        }),
        Expr::Literal(_) | Expr::Ident(_) | Expr::Unspecified => {}
    }
}

fn scalar(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_)
            | LiteralValue::Bytes(_)
            | LiteralValue::Double(_)
            | LiteralValue::Int(_)
            | LiteralValue::Null
            | LiteralValue::String(_)
            | LiteralValue::UInt(_) => true,
        },
        Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::Ident(_)
        | Expr::List(_)
        | Expr::Map(_)
        | Expr::Select(_)
        | Expr::Struct(_)
        | Expr::Unspecified => false,
    }
}

fn scalars(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Expr::List(list) if list.elements.iter().all(scalar))
}
