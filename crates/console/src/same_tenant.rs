//! Whether new credentials of an instance open the tenant that it was scanned in.

use crate::{
    console::{Open, blocking},
    screen::Failure,
};
use catalog::{App, Completeness, Login, Row};
use connect::Session;
use store::{Instance, Slice};

/// Whether a session reads the tenant that the last complete scan read; `false` where nothing tells: the catalog names no
/// identity for the login option, or that scan did not read it. Another tenant's answers would end this one's findings.
///
/// # Errors
/// When it is another tenant, or the identity cannot be read now that was read then.
pub(crate) async fn same_tenant(open: &Open, instance: &Instance, app: &App, login: &Login, session: &Session) -> Result<bool, Failure> {
    let Some(identity) = &login.identity else { return Ok(false) };
    let (store, id, wanted) = (open.store.clone(), instance.id, identity.clone());
    let known = blocking(move || {
        let Some(scan) = store.last_complete_scan(id)? else { return Ok(None) };
        let whole = |state: &store::DatasetState| {
            state.dataset == wanted.dataset && state.completeness.as_ref().is_some_and(Completeness::is_complete)
        };
        if !store.datasets(scan.id)?.iter().any(whole) {
            return Ok(None);
        }
        let rows: Vec<Row> = store.rows(scan.id, &wanted.dataset, Slice::ALL)?.1.into_iter().map(|stored| stored.row).collect();
        Ok(connect::identity_of(&rows, &wanted))
    })
    .await?;
    let Some(known) = known else { return Ok(false) };
    let found = connect::identity(session, app, identity).await.map_err(|error| {
        Failure::new(
            "E-TENANT-UNREAD",
            format!("These credentials do not show whether they open the same {} account: {error}", app.name),
            "Try again, or use credentials that may read it. The stored ones are as they were.",
        )
    })?;
    if found == known {
        return Ok(true);
    }
    Err(Failure::new(
        "E-OTHER-TENANT",
        format!("These credentials do not open the {} account that this instance was scanned in.", app.name),
        "Add another instance for that account. The stored credentials are as they were.",
    ))
}
