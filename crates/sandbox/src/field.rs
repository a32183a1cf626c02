//! Paths into an answer's body, as changes name them: `data.attributes.saml.enabled`, `data[id=u-1].attributes.email`,
//! `[].name`, `changes{}.to`, `data[+]`.

use serde_json::Value;

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BodyPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Every,
    /// Every value of a map.
    EveryValue,
    At(usize),
    /// The elements whose member, read as text, equals this.
    Where(String, String),
    /// A new element behind the last.
    New,
}

impl BodyPath {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("names nothing");
        }
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            // Between dots stands a member's name, selectors behind it, or, at the root of a list, selectors alone.
            let end = ["[", "{}", "."].iter().filter_map(|mark| rest.find(mark)).min().unwrap_or(rest.len());
            let (name, mut selectors) = rest.split_at(end);
            if !name.is_empty() {
                steps.push(Step::Member(name.to_owned()));
            } else if !steps.is_empty() || selectors.is_empty() || selectors.starts_with('.') {
                return Err("has an empty member name");
            }
            loop {
                if let Some(behind) = selectors.strip_prefix("{}") {
                    steps.push(Step::EveryValue);
                    selectors = behind;
                } else if let Some(inner) = selectors.strip_prefix('[') {
                    let (selector, behind) = inner.split_once(']').ok_or("has a [ without ]")?;
                    steps.push(Step::selector(selector)?);
                    selectors = behind;
                } else {
                    break;
                }
            }
            if selectors.is_empty() {
                return Ok(Self(steps));
            }
            rest = selectors.strip_prefix('.').ok_or("lacks a dot behind ] or {}")?;
        }
    }

    /// Puts `value` at every place the path leads to and says how many there were. A member that is not there is added;
    /// an element is added only by `[+]`.
    pub(crate) fn set(&self, body: &mut Value, value: &Value) -> usize {
        set(body, &self.0, value)
    }

    /// Takes away what the path leads to and says how much it was.
    pub(crate) fn remove(&self, body: &mut Value) -> usize {
        remove(body, &self.0)
    }
}

fn set(at: &mut Value, steps: &[Step], value: &Value) -> usize {
    let Some((step, rest)) = steps.split_first() else {
        *at = value.clone();
        return 1;
    };
    match step {
        Step::Member(name) => {
            if at.is_null() {
                *at = Value::Object(serde_json::Map::new());
            }
            let Some(members) = at.as_object_mut() else {
                return 0;
            };
            match members.get_mut(name) {
                Some(member) => set(member, rest, value),
                None => {
                    let mut member = Value::Null;
                    let done = set(&mut member, rest, value);
                    if done > 0 {
                        members.insert(name.clone(), member);
                    }
                    done
                }
            }
        }
        Step::New => {
            let Some(elements) = at.as_array_mut() else {
                return 0;
            };
            let mut element = Value::Null;
            let done = set(&mut element, rest, value);
            if done > 0 {
                elements.push(element);
            }
            done
        }
        Step::EveryValue => at.as_object_mut().map_or(0, |members| members.values_mut().map(|member| set(member, rest, value)).sum()),
        Step::Every | Step::At(_) | Step::Where(..) => {
            let Some(elements) = at.as_array_mut() else {
                return 0;
            };
            elements
                .iter_mut()
                .enumerate()
                .filter(|(index, element)| step.selects(*index, element))
                .map(|(_, element)| set(element, rest, value))
                .sum()
        }
    }
}

fn remove(at: &mut Value, steps: &[Step]) -> usize {
    let Some((step, rest)) = steps.split_first() else {
        return 0;
    };
    match step {
        Step::New => 0,
        Step::Member(name) => {
            let Some(members) = at.as_object_mut() else {
                return 0;
            };
            if rest.is_empty() {
                usize::from(members.remove(name).is_some())
            } else {
                members.get_mut(name).map_or(0, |member| remove(member, rest))
            }
        }
        Step::EveryValue => {
            let Some(members) = at.as_object_mut() else {
                return 0;
            };
            if rest.is_empty() {
                let before = members.len();
                members.clear();
                before
            } else {
                members.values_mut().map(|member| remove(member, rest)).sum()
            }
        }
        Step::Every | Step::At(_) | Step::Where(..) => {
            let Some(elements) = at.as_array_mut() else {
                return 0;
            };
            if rest.is_empty() {
                let before = elements.len();
                let mut index = 0;
                elements.retain(|element| {
                    let selected = step.selects(index, element);
                    index += 1;
                    !selected
                });
                before - elements.len()
            } else {
                elements
                    .iter_mut()
                    .enumerate()
                    .filter(|(index, element)| step.selects(*index, element))
                    .map(|(_, element)| remove(element, rest))
                    .sum()
            }
        }
    }
}

impl Step {
    fn selector(text: &str) -> Result<Self, &'static str> {
        match (text, text.split_once('=')) {
            ("", _) => Ok(Self::Every),
            ("+", _) => Ok(Self::New),
            (_, Some((member, value))) => Ok(Self::Where(member.to_owned(), value.to_owned())),
            (number, None) => number.parse().map(Self::At).map_err(|_| "has neither a number nor member=value between [ and ]"),
        }
    }

    fn selects(&self, index: usize, element: &Value) -> bool {
        match self {
            Self::Every => true,
            Self::At(wanted) => *wanted == index,
            Self::Where(member, wanted) => match element.get(member) {
                Some(Value::String(text)) => text == wanted,
                Some(Value::Bool(truth)) => *wanted == if *truth { "true" } else { "false" },
                Some(Value::Number(number)) => number.to_string().as_str() == wanted,
                Some(Value::Null | Value::Array(_) | Value::Object(_)) => false,
                None => false,
            },
            Self::Member(_) | Self::EveryValue | Self::New => false,
        }
    }
}
