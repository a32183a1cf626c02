//! What a check needs beyond one row of one dataset, as declared data computed over keys: `[[view]]` in `datasets.toml`.
//!
//! A view is as complete as its least complete input, and a field that a join, filter or order reads must be present and
//! well-typed in every row, else the view is not evaluated.

use crate::{FieldPath, Keep, Place};
use serde::{Deserialize, Serialize};

/// Rows computed from datasets. The steps run in this order: from, filter, joins, then the shape.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// Stable within the application; shares one name space with datasets.
    pub id: String,
    /// "Administrators".
    pub title: String,
    /// The dataset whose rows it starts from.
    pub from: String,
    /// Only rows of `from` that fulfil all of these.
    #[serde(rename = "where")]
    pub filter: Vec<Condition>,
    /// Further datasets, one after the other.
    pub joins: Vec<Join>,
    /// What comes out.
    pub shape: ViewShape,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

impl View {
    /// The datasets it rests on, without repetition.
    pub fn inputs(&self) -> Vec<&str> {
        let mut inputs = vec![self.from.as_str()];
        for join in &self.joins {
            if !inputs.contains(&join.dataset.as_str()) {
                inputs.push(&join.dataset);
            }
        }
        inputs
    }
}

/// One more dataset, matched by equality of a field on each side. A list on either side matches by any of its elements.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The dataset.
    pub dataset: String,
    /// What becomes of rows without a match.
    #[serde(default)]
    pub kind: JoinKind,
    /// Path in the row so far.
    pub left: FieldPath,
    /// Path in the joined dataset's rows.
    pub right: FieldPath,
    /// Only rows of the joined dataset that fulfil all of these.
    #[serde(default, rename = "where")]
    pub filter: Vec<Condition>,
    /// Under which name the list of matching rows is put into the row (`row.sets`); not for anti.
    #[serde(default, rename = "as")]
    pub name: String,
}

/// What becomes of rows without a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinKind {
    /// They are dropped.
    Inner,
    /// They stay, with an empty list.
    #[default]
    Left,
    /// Only they stay.
    Anti,
}

/// What comes out of a view.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ViewShape {
    /// The joined rows, keyed and labelled as those of `from`.
    Rows,
    /// Of each group of equal `by`, the first by `order`.
    FirstBy {
        /// Paths that make a group.
        by: Vec<FieldPath>,
        /// Path of an int, number, string or timestamp.
        order: FieldPath,
        /// Largest first.
        descending: bool,
    },
    /// One row: `row.total` and, for each name, how many rows fulfil its conditions.
    CountWhere {
        /// Name and conditions.
        counts: Vec<(String, Vec<Condition>)>,
    },
    /// One row: of a list of names and values, each declared name's value as a field of its own. Names that are not declared
    /// are left out; one that is declared and not there is absent.
    Pivot {
        /// Path of the name: text.
        by: FieldPath,
        /// Path of the value: text, which is read as the field's type.
        value: FieldPath,
        /// The declared names.
        fields: Vec<PivotField>,
    },
    /// One row per group of equal `by`: the group's fields, `row.total`, and the counts.
    GroupBy {
        /// Paths that make a group, and its key.
        by: Vec<FieldPath>,
        /// Name and conditions.
        counts: Vec<(String, Vec<Condition>)>,
    },
}

/// One name of a [`ViewShape::Pivot`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PivotField {
    /// As the vendor writes it: `glide.ui.escape_text`.
    pub name: String,
    /// What its value is, and what it stands for that the name is not there.
    pub keep: Keep,
}

impl PivotField {
    /// The field's name in the row: every character that is no letter, digit or underscore becomes an underscore
    /// (`glide_ui_escape_text`), and one is put before a digit at its beginning.
    pub fn place(name: &str) -> String {
        let mut place: String = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        if !place.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
            place.insert(0, '_');
        }
        place
    }
}

/// A comparison of one field with a literal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Path in the row; may go through lists (`sets[].name`), then any element may fulfil it.
    pub field: FieldPath,
    /// How it is compared.
    pub op: Compare,
    /// With what; not for `empty` and `not_empty`.
    #[serde(default)]
    pub value: serde_json::Value,
}

/// Comparisons of a [`Condition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// The value is a list that holds the field.
    In,
    /// The value is a list that does not hold the field.
    NotIn,
    /// The field is a list that holds the value.
    Contains,
    /// The field is a list that holds any of the value's elements.
    ContainsAny,
    /// Number or timestamp greater than the value.
    Gt,
    /// Number or timestamp less than the value.
    Lt,
    /// An empty list or text.
    Empty,
    /// A list or text that is not empty.
    NotEmpty,
}
