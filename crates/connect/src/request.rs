//! Builds requests from the catalog: the first of a dataset, and those that continue it.

use crate::{
    ConnectError, RequestClass, guard, protocol,
    reduce::Parent,
    template::{Unfilled, Values},
    wire::Wire,
};
use catalog::{App, Dataset, EachOver, Login, Method, Pagination, ResolvedHosts};
use url::Url;

/// A request, built but not sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) class: RequestClass,
    pub(crate) url: Url,
    /// For the log: the path with its placeholders.
    pub(crate) path_template: String,
    pub(crate) method: Method,
    /// The body, without the session where that belongs into it.
    pub(crate) body: Option<String>,
    /// What a further page was named by, where its answer cannot be read without.
    pub(crate) page: Option<String>,
    /// The path of the first request, which further pages may lie below.
    pub(crate) root: String,
}

impl Request {
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        self.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// The request for what lies one segment below the dataset's own path; `template` is that segment for the log.
    pub(crate) fn below(&self, segment: &str, template: &str) -> Self {
        let mut next = self.clone();
        next.class = RequestClass::Continuation;
        next.method = Method::Get;
        next.body = None;
        next.page = None;
        next.url.set_path(&format!("{}/{segment}", self.root));
        next.url.set_query(None);
        next.path_template.push_str(template);
        next
    }

    /// The first request of a dataset, for a parent if it is read per parent.
    ///
    /// # Errors
    /// [`ConnectError::InputMissing`] for a field that is not filled, [`ConnectError::ParentUnreadable`] and
    /// [`ConnectError::ItemIncomplete`] for a value that the parent row or the item lacks.
    pub(crate) fn first(app: &App, wire: &Wire, dataset: &Dataset, parent: Option<&Parent>) -> Result<Self, ConnectError> {
        let missing = |field: &str| ConnectError::InputMissing { label: label_of(app, field) };
        let inputs = wire.inputs();
        if let Some(lacks) = login_lacks(app, wire.hosts(), dataset) {
            return Err(lacks);
        }
        if let Some(field) = dataset.needs.fields.iter().find(|field| inputs.get(*field).is_none_or(|value| value.is_empty())) {
            return Err(missing(field));
        }
        let Some((host, prefix)) = wire.hosts().roles.get(&dataset.host) else {
            return Err(missing(dataset.needs.fields.first().map_or(dataset.host.as_str(), String::as_str)));
        };
        let values = Values { inputs, each: parent.map(|parent| &parent.each) };
        let unfilled = |Unfilled(name): Unfilled| {
            let Some(part) = name.strip_prefix("each.") else { return missing(&name) };
            match dataset.each.as_ref().map(|each| &each.over) {
                Some(EachOver::Field(field)) => ConnectError::ItemIncomplete {
                    label: label_of(app, field),
                    item: parent.map(|parent| parent.label.clone()).unwrap_or_default(),
                    part: part.to_owned(),
                },
                Some(EachOver::Dataset { .. }) | None => {
                    ConnectError::ParentUnreadable { sentence: format!("{} does not say {part}.", named(parent)) }
                }
            }
        };
        let path = format!("{prefix}{}", values.fill_path(&dataset.path).map_err(unfilled)?);
        let refused =
            || ConnectError::RequestRefused { sentence: format!("the path of dataset {} cannot be written as a URL.", dataset.id) };
        let mut url = Url::parse(&format!("https://{host}{path}")).map_err(|_| refused())?;
        // A value such as ".." would be resolved away; what is sent must be what was meant.
        if url.path() != path || url.host_str() != Some(host) || url.query().is_some() || url.fragment().is_some() {
            return Err(refused());
        }
        let query: Vec<(String, String)> = guard::first_query(dataset)
            .map(|(name, template)| Ok((name.to_owned(), values.fill(&template)?)))
            .collect::<Result<_, Unfilled>>()
            .map_err(unfilled)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let body = protocol::body(dataset, &values).map_err(unfilled)?;
        let path_template = format!("{prefix}{}", dataset.path);
        Ok(Self { class: RequestClass::Dataset, url, path_template, method: dataset.method, body, page: None, root: path })
    }

    /// The request for a further page: the same host and path, another query.
    pub(crate) fn further(&self, query: &str) -> Self {
        let mut next = self.clone();
        next.class = RequestClass::Continuation;
        next.url.set_query(Some(query));
        next
    }

    /// The query that a link to the next page comes to. A filter of the manifest that the link leaves out is put back; a link
    /// that changes one leads to another list, of which nothing may stand for the rest of this one.
    ///
    /// For JSON:API and OData the link's path must be the list's own. In `Link` headers some vendors name the same list by another
    /// path (<https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api> shows
    /// `/repositories/1300192/issues` for `/repos/{owner}/{repo}/issues`); the list's own path is kept and only the query
    /// is taken.
    ///
    /// # Errors
    /// [`ConnectError::NotUnderstood`] when the link leads to another host, scheme or list, or changes a filter.
    pub(crate) fn follow(&self, dataset: &Dataset, link: &str) -> Result<String, ConnectError> {
        let elsewhere =
            |what: &str| ConnectError::NotUnderstood { sentence: format!("The link to the next page {what}. It was not followed.") };
        let target = self.url.join(link).map_err(|_| elsewhere("is not a URL"))?;
        let same_host = target.scheme() == "https" && target.host_str() == self.url.host_str() && target.port().is_none();
        if !same_host || !target.username().is_empty() || target.password().is_some() {
            return Err(elsewhere("leads to another host"));
        }
        if matches!(dataset.pagination, Pagination::JsonApi { .. } | Pagination::Odata { .. }) && target.path() != self.url.path() {
            return Err(elsewhere("leads to another list"));
        }
        let mut query: Vec<(String, String)> = target.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        if query.is_empty() {
            return Err(elsewhere("does not say which page"));
        }
        // The usual values of parameters that were not asked for: the vendor takes them anyway.
        if let Some(style) = dataset.pagination.link().filter(|style| style.repeats.is_some()) {
            query.retain(|(name, _)| guard::may_stand_in_link(dataset, name) || is_filter(dataset, name));
            if !query.iter().any(|(name, _)| style.names_page(name)) {
                return Err(elsewhere("does not say which page"));
            }
        }
        if let Some((name, _)) = query.iter().find(|(name, _)| !guard::may_stand_in_link(dataset, name) && !is_filter(dataset, name)) {
            let name: String = name.chars().filter(|letter| !letter.is_control()).take(40).collect();
            return Err(elsewhere(&format!("adds \"{name}\", by which the list was not asked for")));
        }
        let own = self.query();
        for (name, _) in guard::filters(dataset) {
            let Some((_, value)) = own.iter().find(|(there, _)| there == name) else { continue };
            if query.iter().any(|(there, other)| guard::is_spelling_of(name, there) && (there != name || other != value)) {
                return Err(elsewhere("changes what the list is of"));
            }
            let mut there_already = false;
            query.retain(|(there, _)| there != name || !std::mem::replace(&mut there_already, true));
            if !there_already {
                query.push((name.to_owned(), value.clone()));
            }
        }
        Ok(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish())
    }
}

/// Whether a parameter may be taken for one of the list's filters, whose value is compared.
fn is_filter(dataset: &Dataset, name: &str) -> bool {
    guard::filters(dataset).any(|(own, _)| guard::is_spelling_of(own, name))
}

/// The error for a dataset whose host role the login option does not have at all; none when it has it.
pub(crate) fn login_lacks(app: &App, hosts: &ResolvedHosts, dataset: &Dataset) -> Option<ConnectError> {
    if hosts.declared.contains(&dataset.host) {
        return None;
    }
    let able = app.logins.iter().filter(|login| login.roles.iter().any(|role| role.id == dataset.host));
    let able: Vec<String> = able.map(|login| format!("\"{}\"", login.label)).collect();
    Some(ConnectError::LoginLacks {
        sentence: format!("This login option does not reach it; it can be read with the login option {}.", able.join(" or ")),
    })
}

fn named(parent: Option<&Parent>) -> String {
    parent
        .map(|parent| parent.label.as_str())
        .filter(|label| !label.is_empty())
        .map_or_else(|| "An entry".to_owned(), |label| format!("\"{label}\""))
}

/// The label of a field, for sentences; the field's id when no login option has it.
pub(crate) fn label_of(app: &App, field: &str) -> String {
    app.logins
        .iter()
        .flat_map(|login: &Login| &login.fields)
        .find(|known| known.id == field)
        .map_or_else(|| field.to_owned(), |field| field.label.clone())
}
