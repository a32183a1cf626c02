//! The language in which a dataset is asked for, where it is more than a path and a query.

use crate::FieldPath;
use serde::Serialize;
use std::collections::BTreeMap;

/// In which language a dataset is asked for. What is asked stands in the manifest ([`crate::Dataset::document`]) and was
/// found, when the manifest was loaded, to read and not to write; only the values named here are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// A path and a query by GET, or JSON that stands in the manifest as it is sent, by POST.
    #[default]
    Http,
    /// GraphQL: `{"query", "variables"}` by POST (<https://graphql.github.io/graphql-over-http/draft/>). The document holds
    /// exactly one operation, a query.
    #[serde(rename = "graphql")]
    GraphQl {
        /// Values of the operation's variables, by name: templates over open login fields and the parent row; sent as text.
        variables: BTreeMap<String, String>,
        /// How further pages are asked for; none when one answer is all.
        cursor: Option<GraphQlCursor>,
    },
    /// Salesforce's query language: `q` of a GET, further pages by `nextRecordsUrl` until `done`
    /// (<https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm>).
    Soql,
    /// One statement to Snowflake's SQL API: SELECT, SHOW, DESC or DESCRIBE; its result comes in partitions
    /// (<https://docs.snowflake.com/en/developer-guide/sql-api/reference>). A placeholder in the document stands for one
    /// identifier and is sent in double quotes.
    SnowflakeSql {
        /// `warehouse`, `role`, `database`, `schema`: templates over open login fields; left out where the field is empty.
        parameters: BTreeMap<String, String>,
    },
    /// `readMetadata` of Salesforce's metadata API, by SOAP. The session goes into the body, so that body is a secret
    /// (<https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_readMetadata.htm>).
    SalesforceMetadata {
        /// The metadata type: `SecuritySettings`.
        kind: String,
        /// The full name of the one component: `Security`.
        full_name: String,
    },
}

impl Protocol {
    /// `graphql`; empty for [`Protocol::Http`].
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Http => "",
            Self::GraphQl { .. } => "graphql",
            Self::Soql => "soql",
            Self::SnowflakeSql { .. } => "snowflake_sql",
            Self::SalesforceMetadata { .. } => "salesforce_metadata",
        }
    }

    /// Whether an answer may be one page of several.
    pub fn has_pages(&self) -> bool {
        match self {
            Self::Http | Self::SalesforceMetadata { .. } | Self::GraphQl { cursor: None, .. } => false,
            Self::Soql | Self::SnowflakeSql { .. } | Self::GraphQl { cursor: Some(_), .. } => true,
        }
    }

    /// The templates that the values of a request are made of.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        let own = match self {
            Self::GraphQl { variables: own, .. } | Self::SnowflakeSql { parameters: own } => Some(own),
            Self::Http | Self::Soql | Self::SalesforceMetadata { .. } => None,
        };
        own.into_iter().flat_map(|own| own.values().map(String::as_str))
    }
}

/// The pages of a GraphQL connection (<https://relay.dev/graphql/connections.htm>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphQlCursor {
    /// The operation's variable that takes the cursor; left out of the first request.
    pub variable: String,
    /// Where `hasNextPage` and `endCursor` lie in an answer: `data.organization.membersWithRole.pageInfo`.
    pub page_info: FieldPath,
}

/// What a successful answer says of itself, for vendors that send their refusals with status 200: an answer of any other
/// value is not data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accepted {
    /// Where it lies in the body: `ok`.
    pub path: FieldPath,
    /// The value of a success: `true`.
    pub is: serde_json::Value,
    /// The URL that says so.
    pub source: String,
}
