//! Which of a vendor's tenants a session reads.

use crate::{
    ConnectError, Session,
    collect::page_of,
    reduce::{at_path, text_of},
};
use catalog::{App, Identity, Row};
use std::collections::BTreeSet;

/// Reads what tells the tenant from others. The request is among [`Session::take_requests`].
///
/// # Errors
/// When it cannot be read whole, or does not hold the field. Whose data the session reads is then not known.
pub async fn identity(session: &Session, app: &App, identity: &Identity) -> Result<BTreeSet<String>, ConnectError> {
    let watcher = |event| session.keep(event);
    let declared = app
        .dataset(&identity.dataset)
        .ok_or_else(|| ConnectError::RequestRefused { sentence: "the dataset that tells the tenant is not declared.".to_owned() })?;
    let dataset = declared.for_inputs(session.wire.inputs());
    let page = page_of(session, app, &dataset, None, None, 1, &watcher).await?.page;
    if let Some(doubt) = page.doubt {
        return Err(doubt);
    }
    identity_of(&page.rows, identity).ok_or_else(|| ConnectError::NotUnderstood {
        sentence: format!("{} does not say in a known way which organization it belongs to.", dataset.title),
    })
}

/// The same from rows that were read before; `None` when there are none, or one of them lacks the field.
pub fn identity_of(rows: &[Row], identity: &Identity) -> Option<BTreeSet<String>> {
    let values = rows.iter().map(|row| at_path(&row.fields, &identity.field).and_then(text_of).filter(|text| !text.is_empty()));
    let values: BTreeSet<String> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then_some(values)
}
