//! What the loader says of datasets that are asked for in a language of their own: documents that read load, and every way
//! to write, to say two things at once or to hide something does not.
use crate::folder::{self, TINY, whole};
use posture_catalog::{App, Dataset, FieldPath, Method, Protocol, Values};
use std::{collections::BTreeMap, sync::Arc};

/// A field that may be left empty.
const WAREHOUSE: &str = r#"[[login.field]]
id = "warehouse"
label = "Warehouse"
optional = true
format = "text"
"#;

const ME: &str = r#"
[[dataset]]
id = "me"
title = "Me"
host = "api"
path = "/me"
source = "https://docs.tiny.example/me"
[dataset.keep]
"id" = "id"
"#;

const GRAPHQL: &str = r#"
[[dataset]]
id = "members"
title = "Members"
host = "api"
protocol = "graphql"
path = "/graphql"
document = """query($org: String!, $after: String) { organization(login: $org) { members(first: 100, after: $after) { pageInfo { hasNextPage endCursor } edges { role node { ...who } } } } } fragment who on User { login name: displayName }"""
variables = { org = "{org}" }
pagination = { style = "graphql", variable = "after", page_info = "data.organization.members.pageInfo" }
rows = "data.organization.members.edges[]"
key = ["node.login"]
label = "node.login"
source = "https://docs.tiny.example/graphql"
[dataset.keep]
"role" = "string"
"node.login" = "string"
"node.name" = "string"
"#;

const SOQL: &str = r#"
[[dataset]]
id = "users"
title = "Users"
host = "api"
protocol = "soql"
path = "/services/data/v60.0/query"
document = "SELECT Id, Profile.Name, COUNT(Id) total FROM User WHERE LastLoginDate = LAST_N_DAYS:30 AND Name != 'SELECT FOR UPDATE'"
rows = "records[]"
key = ["Id"]
label = "Id"
source = "https://docs.tiny.example/soql"
[dataset.keep]
"Id" = "id"
"Profile.Name" = "string"
"total" = "int"
"#;

const SQL: &str = r#"
[[dataset]]
id = "policies"
title = "Policies"
host = "api"
protocol = "snowflake_sql"
path = "/api/v2/statements"
document = "SHOW NETWORK POLICIES IN ACCOUNT"
parameters = { warehouse = "{warehouse}" }
rows = "[]"
key = ["name"]
label = "name"
source = "https://docs.tiny.example/sql"
[dataset.keep]
"name" = "string"

[[dataset]]
id = "policy"
title = "Properties of policies"
host = "api"
protocol = "snowflake_sql"
path = "/api/v2/statements"
each = { dataset = "policies", carry = ["name"] }
document = "DESC NETWORK POLICY {each.name}"
rows = "[]"
key = ["property"]
label = "property"
source = "https://docs.tiny.example/sql"
[dataset.keep]
"property" = "string"
"#;

const METADATA: &str = r#"
[[dataset]]
id = "security"
title = "Security settings"
host = "api"
protocol = "salesforce_metadata"
path = "/services/Soap/m/60.0"
metadata = { type = "SecuritySettings", full_name = "Security" }
rows = ""
source = "https://docs.tiny.example/soap"
[dataset.keep]
"sessionSettings.forceRelogin" = "bool"
"#;

/// The small application, which tests with the dataset `me`, with these datasets.
fn load_whole(datasets: &str) -> Result<Arc<App>, Vec<String>> {
    folder::tiny(&format!("{}{WAREHOUSE}", TINY.replace("test = \"settings\"", "test = \"me\"")), datasets, "")
}

fn load(datasets: &str) -> Result<Arc<App>, Vec<String>> {
    load_whole(&format!("{ME}{datasets}"))
}

fn dataset(datasets: &str, id: &str) -> Dataset {
    whole(load(datasets)).dataset(id).unwrap().clone()
}

/// What is said after one replacement.
fn changed(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old:?} is there");
    match load(&text.replacen(old, new, 1)) {
        Ok(_) => panic!("{new:?} for {old:?} loads"),
        Err(errors) => errors.join("\n"),
    }
}

/// What is said of another document.
fn with_document(text: &str, document: &str) -> Result<Arc<App>, Vec<String>> {
    let (before, after) = text.split_once("document = ").unwrap();
    let after = after.split_once('\n').unwrap().1;
    load(&format!("{before}document = '''{document}'''\n{after}"))
}

/// A document did not load, for a reason that holds these words.
#[track_caller]
fn refused(loaded: Result<Arc<App>, Vec<String>>, document: &str, says: &str) {
    let errors = loaded.map(|_| ()).unwrap_err().join("\n");
    assert!(errors.contains(says), "{document}: {errors}");
}

/// A replacement breaks what loads, for a reason that holds these words.
#[track_caller]
fn breaks(text: &str, old: &str, new: &str, says: &str) {
    let errors = changed(text, old, new);
    assert!(errors.contains(says), "{new}: {errors}");
}

#[test]
fn what_reads_loads() {
    let members = dataset(GRAPHQL, "members");
    assert_eq!(members.method, Method::Post);
    let Protocol::GraphQl { variables, cursor: Some(cursor) } = &members.protocol else { panic!("{:?}", members.protocol) };
    assert_eq!(variables, &BTreeMap::from([("org".to_owned(), "{org}".to_owned())]));
    assert_eq!((cursor.variable.as_str(), &cursor.page_info), ("after", &FieldPath::from("data.organization.members.pageInfo")));
    let users = dataset(SOQL, "users");
    assert_eq!((users.method, users.protocol, users.values), (Method::Get, Protocol::Soql, Values::Typed));
    let policy = dataset(SQL, "policy");
    assert_eq!((policy.method, policy.values), (Method::Post, Values::Text));
    let security = dataset(METADATA, "security");
    assert_eq!(security.protocol, Protocol::SalesforceMetadata { kind: "SecuritySettings".into(), full_name: "Security".into() });
    assert_eq!(security.values, Values::Text, "everything in XML is text");
}

#[test]
fn graphql_that_is_not_one_query_does_not_load() {
    let query = "query($org: String!) { organization(login: $org) { login } }";
    let object = GRAPHQL
        .replace("pagination = { style = \"graphql\", variable = \"after\", page_info = \"data.organization.members.pageInfo\" }\n", "")
        .replace(
            "rows = \"data.organization.members.edges[]\"\nkey = [\"node.login\"]\nlabel = \"node.login\"",
            "rows = \"data.organization\"",
        )
        .replace("\"role\" = \"string\"\n\"node.login\" = \"string\"\n\"node.name\" = \"string\"", "\"login\" = \"string\"");
    whole(with_document(&object, query));
    for (document, says) in [
        ("mutation($org: String!) { organization(login: $org) { login } }", "mutation"),
        ("subscription($org: String!) { organization(login: $org) { login } }", "subscription"),
        ("query a($org: String!) { organization(login: $org) { login } } query b { viewer { login } }", "several operations"),
        ("query a($org: String!) { organization(login: $org) { login } } mutation b { x }", "several operations"),
        ("{ organization(login: \"x\") { login } } mutation { x }", "not GraphQL"),
        ("type Query { organization: String }", "not GraphQL"),
        ("query($org: String!) { organization(login: $org) { login", "not GraphQL"),
        ("", "not GraphQL"),
        ("query($org: String!, $more: String!) { organization(login: $org) { login(x: $more) } }", "which nothing fills"),
        ("query { organization(login: \"x\") { login } }", "does not declare $org"),
        ("query($org: String!) { organization(login: \"x\") { login } }", "does not use it"),
        ("query($org: Int!) { organization(login: $org) { login } }", "no text"),
        ("query($org: [String!]) { organization(login: $org) { login } }", "no text"),
        ("query($org: String!) { organization(login: $org) { id } }", "does not ask for \"data.organization.login\""),
        ("query($org: String!) { other: organization(login: $org) { login } }", "does not ask for \"data.organization.login\""),
        ("query($org: String!) { organization(login: $org) { login @skip(if: true) } }", "directive"),
        ("query($org: String!) @live { organization(login: $org) { login } }", "directive"),
        (
            "query($org: String!) { organization(login: $org) { ...a } } fragment a on O { ...b } fragment b on O { ...a }",
            "does not ask for",
        ),
    ] {
        refused(with_document(&object, document), document, says);
    }
}

#[test]
fn graphql_pages_are_asked_for_and_filled() {
    for (old, new, says) in [
        ("hasNextPage endCursor", "endCursor", "does not ask for \"data.organization.members.pageInfo.hasNextPage\""),
        ("variable = \"after\"", "variable = \"before\"", "does not declare $before"),
        ("$after: String)", "$after: String!)", "takes the cursor"),
        ("variables = { org = \"{org}\" }", "variables = { org = \"{org}\", after = \"x\" }", "takes the cursor"),
        ("variables = { org = \"{org}\" }", "variables = { org = \"{key}\" }", "secret"),
        ("variables = { org = \"{org}\" }", "variables = { org = \"{other}\" }", "not a field"),
        ("variables = { org = \"{org}\" }", "variables = { org = \"{warehouse}\" }", "may be left empty"),
        (
            "pagination = { style = \"graphql\", variable = \"after\", page_info = \"data.organization.members.pageInfo\" }",
            "",
            "which nothing fills",
        ),
        ("\"node.name\" = \"string\"", "\"node.mail\" = \"string\"", "does not ask for \"data.organization.members.edges[].node.mail\""),
        ("path = \"/graphql\"", "path = \"/graphql\"\nmethod = \"POST\"", "follows from `protocol`"),
        ("path = \"/graphql\"", "path = \"/graphql\"\nquery = { x = \"y\" }", "no place"),
        ("path = \"/graphql\"", "path = \"/{org}/graphql\"", "placeholder"),
        ("path = \"/graphql\"", "path = \"/graphql\"\nparameters = { role = \"{org}\" }", "snowflake_sql"),
        ("protocol = \"graphql\"", "protocol = \"grpc\"", "not known"),
    ] {
        breaks(GRAPHQL, old, new, says);
    }
    // A connection within a row may be cut after its first page.
    let nested = GRAPHQL.replace("login name: displayName", "login name: displayName teams(first: 10) { nodes { slug } }");
    breaks(&nested, "\"node.name\" = \"string\"", "\"node.teams.nodes[].slug\" = \"string\"", "a dataset of its own");
}

#[test]
fn soql_that_leaves_a_trace_does_not_load() {
    for (document, says) in [
        ("UPDATE User SET IsActive = false", "another word than SELECT"),
        ("DELETE FROM User", "another word than SELECT"),
        ("FIND {x} IN ALL FIELDS RETURNING User", "{"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User FOR UPDATE", "FOR"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User for view", "FOR"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User FOR REFERENCE", "FOR"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User UPDATE TRACKING", "UPDATE"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User LIMIT 200", "cuts the list"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User offset 10", "beginning of the list"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User USING SCOPE mine", "narrows the list"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User WHERE Id IN (SELECT UserId FROM Login LIMIT 1)", "cuts the list"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User; DELETE FROM User", ";"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User -- x", "--"),
        ("SELECT Id, Profile.Name, COUNT(Id) total /* x */ FROM User", "/*"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User WHERE Name = 'x", "without an end"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User WHERE Name = 'x\\' OR'", "\\"),
        ("SELECT FIELDS(ALL) FROM User", "FIELDS"),
        ("SELECT Id, Profile.Name, COUNT(Id) FROM User", "alias"),
        ("SELECT Id, Profile.Name, (SELECT Id FROM Logins) FROM User", "dataset of its own"),
        ("SELECT Id, Profile.Name FROM User", "does not ask for"),
        ("SELECT Id, Profile.Name, COUNT(Id) total, AccessToken FROM User", "AccessToken, which is not kept"),
        ("SELECT Id, Profile.Name, COUNT(Id) total", "FROM"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User)", "bracket"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User WHERE Id IN (SELECT x", "FROM"),
        ("SELECT Id, Profile.Name, COUNT(Id) total FROM User WHERE Id = {org}", "{"),
    ] {
        refused(with_document(SOQL, document), document, says);
    }
    breaks(SOQL, "rows = \"records[]\"", "rows = \"records[]\"\npagination = { style = \"link_header\" }", "leave it out");
}

#[test]
fn sql_that_does_more_than_read_does_not_load() {
    let one = |document: &str| with_document(SQL.split("\n[[dataset]]\nid = \"policy\"").next().unwrap(), document);
    for fine in [
        "SHOW PARAMETERS IN ACCOUNT",
        "SHOW USERS",
        "SHOW SECURITY INTEGRATIONS",
        "show parameters like 'NETWORK_POLICY' in account",
        "SHOW USER PROGRAMMATIC ACCESS TOKENS FOR USER \"A.B\"",
        "SHOW PASSWORD POLICIES IN ACCOUNT",
        "DESCRIBE PASSWORD POLICY db.policies.strict",
        "DESC SECURITY INTEGRATION okta",
        "SELECT name, NVL(last_success_login, created_on) AS seen FROM snowflake.account_usage.users WHERE deleted_on IS NULL",
        "SELECT name, COUNT(*) AS name FROM snowflake.account_usage.login_history WHERE is_success = 'NO' AND event_timestamp > DATEADD(day, -7, CURRENT_TIMESTAMP()) GROUP BY name HAVING COUNT(*) > 20 ORDER BY 2",
        "SELECT policy_name AS name FROM TABLE(SNOWFLAKE.INFORMATION_SCHEMA.POLICY_REFERENCES(REF_ENTITY_NAME => 'ACME', REF_ENTITY_DOMAIN => 'ACCOUNT'))",
        "SELECT CURRENT_ACCOUNT() AS name, CURRENT_REGION() AS region",
        "SELECT u.name FROM snowflake.account_usage.users u JOIN snowflake.account_usage.grants_to_users g ON g.grantee_name = u.name WHERE g.role IN ('ACCOUNTADMIN') AND g.deleted_on IS NULL",
        "SELECT name FROM (SELECT name FROM a UNION ALL SELECT name FROM b) AS both",
    ] {
        // `=>` holds no arrow that chains.
        one(fine).unwrap_or_else(|errors| panic!("{fine}: {errors:#?}"));
    }
    for (document, says) in [
        ("INSERT INTO t VALUES (1)", "another word"),
        ("UPDATE t SET a = 1", "another word"),
        ("DELETE FROM t", "another word"),
        ("MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE", "another word"),
        ("ALTER USER x SET DISABLED = TRUE", "another word"),
        ("GRANT ROLE ACCOUNTADMIN TO USER x", "another word"),
        ("DROP TABLE t", "another word"),
        ("CREATE TABLE t AS SELECT 1 AS name", "another word"),
        ("CALL p()", "another word"),
        ("EXECUTE IMMEDIATE 'DROP TABLE t'", "another word"),
        ("USE ROLE ACCOUNTADMIN", "another word"),
        ("COPY INTO t FROM s", "another word"),
        ("BEGIN SELECT 1", "another word"),
        ("(SELECT name FROM t)", "another word"),
        ("WITH a AS (SELECT 1) SELECT name FROM a", "another word"),
        ("EXPLAIN SELECT 1", "another word"),
        ("", "another word"),
        ("SHOW USERS; DROP TABLE t", "semicolon"),
        ("SHOW USERS;", "semicolon"),
        ("SELECT name FROM t; DROP TABLE t", "semicolon"),
        ("SELECT name FROM t -- x", "comment"),
        ("SELECT name FROM t // x", "comment"),
        ("SELECT name /* x */ FROM t", "comment"),
        ("SELECT name # x\nFROM t", "comment"),
        ("SELECT name FROM t WHERE a = 'x\\' OR b = ''", "backslash"),
        ("SELECT name FROM t WHERE a = $$x$$", "dollar"),
        ("SELECT SYSTEM$CANCEL_ALL_QUERIES(1) AS name", "dollar"),
        ("SELECT name FROM @stage", "stage"),
        ("SELECT name FROM t WHERE a = ?", "bound value"),
        ("SHOW USERS ->> SELECT 1", "arrow"),
        ("SELECT name INTO t2 FROM t", "INTO"),
        ("SELECT seq.NEXTVAL AS name", "sequence"),
        ("SELECT my_udf(1) AS name", "my_udf"),
        ("SELECT a.b.coalesce(1) AS name", "not on the list"),
        ("SELECT \"COALESCE\"(1) AS name", "not on the list"),
        ("SELECT name FROM TABLE(my_function(1))", "not on the list"),
        ("SELECT name FROM TABLE(RESULT_SCAN('x'))", "not on the list"),
        ("SELECT name FROM TABLE(GENERATOR(ROWCOUNT => 10))", "not on the list"),
        ("SELECT name FROM t WHERE a IN (SELECT my_udf(b) FROM s)", "my_udf"),
        ("SELECT name FROM t LIMIT 10", "cuts the list"),
        ("SELECT name FROM t OFFSET 10", "cuts the list"),
        ("SELECT name FROM t FETCH FIRST 10 ROWS ONLY", "cuts the list"),
        ("SELECT TOP 10 name FROM t", "cuts the list"),
        ("SELECT name FROM (SELECT name FROM t LIMIT 10) AS some", "cuts the list"),
        ("SELECT name FROM t SAMPLE (10)", "SAMPLE"),
        ("SHOW USERS LIMIT 10", "cuts the list"),
        ("show users limit 10 from 'a'", "cuts the list"),
        ("SHOW USERS (SELECT 1)", "words, dots"),
        ("DESC TABLE t = 1", "words, dots"),
        ("SELECT name FROM t WHERE a = 'ü'", "ASCII"),
        ("SELECT name\tFROM t", "ASCII"),
        ("DESC USER {org", "braces"),
        ("SHOW USERS LIKE '{org}'", "no identifier"),
    ] {
        refused(one(document), document, says);
    }
    for (old, new, says) in [
        ("parameters = { warehouse = \"{warehouse}\" }", "parameters = { statement = \"{warehouse}\" }", "not known"),
        ("parameters = { warehouse = \"{warehouse}\" }", "parameters = { warehouse = \"x\" }", "one whole field"),
        ("parameters = { warehouse = \"{warehouse}\" }", "parameters = { warehouse = \"{key}\" }", "secret"),
        ("rows = \"[]\"", "rows = \"data[]\"", "`rows`"),
        ("\"name\" = \"string\"", "\"Name\" = \"string\"", "lower case"),
        ("{each.name}", "{each.other}", "carried"),
    ] {
        breaks(SQL, old, new, says);
    }
}

#[test]
fn a_plain_body_holds_no_language_that_is_not_read() {
    let posted = |path: &str, document: &str| {
        load(&format!(
            "[[dataset]]\nid = \"rpc\"\ntitle = \"Calls\"\nhost = \"api\"\nmethod = \"POST\"\npath = \"{path}\"\ndocument = '''{document}'''\nsource = \"https://docs.tiny.example/rpc\"\n[dataset.keep]\n\"id\" = \"id\"\n"
        ))
    };
    for fine in [
        r#"{"method":"getGroups"}"#,
        r#"{"method":"select","params":["users","update"]}"#,
        r#"{"query":"status:active","show":"all users"}"#,
        r#"{"filter":{"and":[{"name":"x"}]}}"#,
    ] {
        posted("/rpc", fine).unwrap_or_else(|errors| panic!("{fine}: {errors:#?}"));
    }
    for (document, says) in [
        (r#"{"query":"mutation { deleteUser(id: 1) { id } }"}"#, "GraphQL"),
        (r#"{"query":"mutation Gone($id: ID!) { deleteUser(id: $id) { id } }","variables":{"id":"1"}}"#, "GraphQL"),
        (r#"[{"x":1},{"query":"query { viewer { id } }"}]"#, "GraphQL"),
        (r##"{"query":"# read\n{ viewer { id } }"}"##, "GraphQL"),
        (r#"{"query":"mutation @live { a(b: [[{]) }"}"#, "GraphQL"),
        (r#"{"a":{"query":"fragment f on User { id } mutation { x { ...f } }"}}"#, "GraphQL"),
        (r#"{"statement":"DROP TABLE users"}"#, "SQL"),
        (r#"{"say":"VACUUM main.t RETAIN 0 HOURS"}"#, "SQL"),
        (r#"{"say":"from users insert overwrite others select *"}"#, "SQL"),
        (r#"{"say":"LOAD'x'"}"#, "SQL"),
        (r#"{"sql":"whatever comes next"}"#, "under `sql`"),
        (r##"{"say":"# read only\n,mutation { drop }"}"##, "GraphQL"),
        (r#"{"a":[["delete from users"]]}"#, "SQL"),
        (r#"{"sql":" /* x */ -- y\n (SELECT 1)"}"#, "SQL"),
        (r#"{"sql":"-- nothing but this"}"#, "SQL"),
        (r#"{"sql":"WITH a AS (SELECT 1) DELETE FROM b"}"#, "SQL"),
        (r#"{"grant role x to user y":1}"#, "SQL"),
        ("not JSON", "is not JSON"),
    ] {
        refused(posted("/rpc", document), document, says);
    }
    let stored = r#"{"id":"7f3a"}"#;
    refused(posted("/api/GraphQL", stored), stored, "an endpoint of GraphQL");
}

#[test]
fn metadata_names_one_component() {
    for (old, new, says) in [
        ("full_name = \"Security\"", "full_name = \"</x><y>\"", "letters, digits"),
        ("type = \"SecuritySettings\", ", "", "type"),
        ("/services/Soap/m/60.0", "/services/Soap/u/60.0", "/services/Soap/m/"),
        ("rows = \"\"", "rows = \"\"\ndocument = \"<x/>\"", "leave `document` out"),
        ("rows = \"\"", "rows = \"records\"", "`rows`"),
    ] {
        breaks(METADATA, old, new, says);
    }
}

#[test]
fn a_vendor_that_refuses_with_status_200_is_told_by_its_answers() {
    let ok = "ok = { path = \"ok\", is = true, source = \"https://docs.tiny.example/ok\" }\n";
    let with = |before: &str, within: &str| {
        load_whole(&format!("{before}{}", ME.replace("path = \"/me\"\n", &format!("path = \"/me\"\n{within}"))))
    };
    let all = with(ok, "").unwrap();
    let accepted = all.dataset("me").unwrap().accepted.clone().unwrap();
    assert_eq!((accepted.path, accepted.is), (FieldPath::from("ok"), serde_json::json!(true)));
    let one = with(ok, "ok = { path = \"code\", is = 0, source = \"https://docs.tiny.example/ok\" }\n").unwrap();
    assert_eq!(one.dataset("me").unwrap().accepted.clone().unwrap().is, serde_json::json!(0), "a dataset's own word goes before");
    assert!(with("", "").unwrap().dataset("me").unwrap().accepted.is_none());
    assert!(with("ok = { path = \"ok\", is = true }\n", "").is_err(), "it has its source");
}
