//! Which GraphQL a manifest may hold: one operation, a query, of which everything is known that is asked for.

use async_graphql_parser::{
    parse_query,
    types::{BaseType, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet},
};

/// A variable that an operation declares.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Whether a request may leave it out.
    pub(super) optional: bool,
    /// Whether a text can stand for it.
    pub(super) text: bool,
}

/// A document that was found to read only.
#[derive(Debug)]
pub(super) struct Document {
    parsed: ExecutableDocument,
    pub(super) variables: Vec<Variable>,
}

/// Whether a text is GraphQL, or begins as an operation of it: a vendor may know more of the language than this parser.
pub(super) fn is_graphql(text: &str) -> bool {
    // Comments and what the language does not read may go before it (https://spec.graphql.org/October2021/#sec-Language.Source-Text.Ignored-Tokens).
    let mut first = text.trim_start_matches(ignored);
    while let Some(comment) = first.strip_prefix('#') {
        first = comment.split_once(['\n', '\r']).map_or("", |(_, after)| after).trim_start_matches(ignored);
    }
    let begins = |word: &str| {
        let rest = first.strip_prefix(word);
        rest.is_some_and(|rest| {
            rest.contains('{') && rest.starts_with(|letter: char| letter.is_whitespace() || matches!(letter, '{' | '(' | '@'))
        })
    };
    text.contains('{') && (["mutation", "subscription", "query", "fragment"].into_iter().any(begins) || parse_query(text).is_ok())
}

fn ignored(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, ',' | '\u{feff}')
}

/// How many fragments may lie within each other; a circle of them has no end.
const NESTED: u32 = 16;

impl Document {
    /// Finds what is wrong with a document, or what it is.
    pub(super) fn check(text: &str) -> Result<Self, String> {
        let parsed = parse_query(text).map_err(|error| format!("is not GraphQL: {error}"))?;
        let operation = match &parsed.operations {
            DocumentOperations::Single(operation) => operation,
            DocumentOperations::Multiple(operations) => match operations.values().collect::<Vec<_>>().as_slice() {
                [operation] => *operation,
                _ => return Err("holds several operations; a dataset asks for one".to_owned()),
            },
        };
        match operation.node.ty {
            OperationType::Query => {}
            OperationType::Mutation => return Err("is a mutation, which writes; only queries are sent".to_owned()),
            OperationType::Subscription => return Err("is a subscription; only queries are sent".to_owned()),
        }
        let variables = operation.node.variable_definitions.iter().map(|definition| {
            let ty = &definition.node.var_type.node;
            let text = match &ty.base {
                BaseType::Named(name) => !matches!(name.as_str(), "Int" | "Float" | "Boolean"),
                BaseType::List(_) => false,
            };
            Variable { name: definition.node.name.node.to_string(), optional: ty.nullable && definition.node.default_value.is_none(), text }
        });
        let variables = variables.collect();
        let document = Self { parsed, variables };
        if document.has_directives() {
            return Err("holds a directive (@…), by which a vendor may leave something out; ask for what is kept".to_owned());
        }
        Ok(document)
    }

    fn operation(&self) -> Option<&OperationDefinition> {
        self.parsed.operations.iter().next().map(|(_, operation)| &operation.node)
    }

    fn has_directives(&self) -> bool {
        fn within(set: &SelectionSet) -> bool {
            set.items.iter().any(|item| {
                !item.node.directives().is_empty()
                    || match &item.node {
                        Selection::Field(field) => within(&field.node.selection_set.node),
                        Selection::InlineFragment(fragment) => within(&fragment.node.selection_set.node),
                        Selection::FragmentSpread(_) => false,
                    }
            })
        }
        let of_operation = self.operation().is_some_and(|operation| {
            !operation.directives.is_empty()
                || operation.variable_definitions.iter().any(|variable| !variable.node.directives.is_empty())
                || within(&operation.selection_set.node)
        });
        of_operation
            || self
                .parsed
                .fragments
                .values()
                .any(|fragment| !fragment.node.directives.is_empty() || within(&fragment.node.selection_set.node))
    }

    /// Whether an answer holds something at that path (`data.organization.login`, `[]` aside), by the names in it.
    pub(super) fn asks_for(&self, path: &str) -> bool {
        let mut names = path.split('.').map(|name| name.trim_end_matches("[]")).filter(|name| !name.is_empty());
        if names.next() != Some("data") {
            return false;
        }
        let Some(operation) = self.operation() else { return false };
        let mut sets = vec![&operation.selection_set.node];
        for name in names {
            let mut inner = Vec::new();
            for set in sets {
                self.gather(set, name, NESTED, &mut inner);
            }
            if inner.is_empty() {
                return false;
            }
            sets = inner;
        }
        true
    }

    /// The selections below each field of that name in the answer.
    fn gather<'a>(&'a self, set: &'a SelectionSet, name: &str, deep: u32, found: &mut Vec<&'a SelectionSet>) {
        let Some(deeper) = deep.checked_sub(1) else { return };
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if field.node.response_key().node == name => found.push(&field.node.selection_set.node),
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => self.gather(&fragment.node.selection_set.node, name, deeper, found),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.parsed.fragments.get(&spread.node.fragment_name.node) {
                        self.gather(&fragment.node.selection_set.node, name, deeper, found);
                    }
                }
            }
        }
    }
}
