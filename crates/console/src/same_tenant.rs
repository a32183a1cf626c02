//! Whether new credentials of an instance open the tenant that it was scanned in, and whether other instances read the same one.

use crate::{
    console::{Open, blocking},
    screen::Failure,
};
use catalog::{App, Completeness, HostError, Identity, Inputs, Login, Row};
use connect::Session;
use std::collections::BTreeSet;
use store::{Instance, Slice, Store};

/// Whether a session reads the tenant that the last complete scan read; `false` where nothing tells: the catalog names no
/// identity for the login option, or that scan did not read it. Another tenant's answers would end this one's findings.
///
/// # Errors
/// When it is another tenant, or the identity cannot be read now that was read then.
pub(crate) async fn same_tenant(open: &Open, instance: &Instance, app: &App, login: &Login, session: &Session) -> Result<bool, Failure> {
    let Some(identity) = &login.identity else { return Ok(false) };
    let (store, read, wanted) = (open.store.clone(), instance.clone(), identity.clone());
    let known = blocking(move || last_read(&store, &read, &wanted)).await?;
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

/// What told the tenant in the last complete scan; `None` where that scan did not read it.
fn last_read(store: &Store, instance: &Instance, identity: &Identity) -> Result<Option<BTreeSet<String>>, Failure> {
    let Some(scan) = store.last_complete_scan(instance.id)? else { return Ok(None) };
    let whole = |state: &store::DatasetState| {
        state.dataset == identity.dataset && state.completeness.as_ref().is_some_and(Completeness::is_complete)
    };
    if !store.datasets(scan.id)?.iter().any(whole) {
        return Ok(None);
    }
    let rows: Vec<Row> = store.rows(scan.id, &identity.dataset, Slice::ALL)?.1.into_iter().map(|stored| stored.row).collect();
    Ok(connect::identity_of(&rows, identity))
}

/// The hosts at which an instance may read what tells its tenant; `None` where the vendor names the host only when one signs in.
fn hosts_of(app: &App, login: &Login, identity: &Identity, inputs: &Inputs) -> Result<Option<BTreeSet<String>>, HostError> {
    let hosts = login.resolve(inputs)?;
    let role = app.dataset(&identity.dataset).and_then(|dataset| hosts.roles.get(&dataset.host));
    let left_open = login.discover.as_ref().is_some_and(|discover| inputs.get(&discover.input) == Some(&discover.open));
    Ok(role.map(|(host, _)| if left_open { hosts.allowed.clone() } else { BTreeSet::from([host.clone()]) }))
}

/// What tells a tenant from others. Vendors number the tenants of each server anew, so that the same values at other hosts
/// are another tenant's.
struct Tenant {
    dataset: String,
    values: BTreeSet<String>,
    hosts: Option<BTreeSet<String>>,
}

impl Tenant {
    fn is(&self, other: &Self) -> bool {
        let meets = match (&self.hosts, &other.hosts) {
            (Some(own), Some(others)) => !own.is_disjoint(others),
            _ => true,
        };
        meets && self.dataset == other.dataset && self.values == other.values
    }
}

/// The names of other instances that read the same tenant, as far as the last complete scans tell.
pub(crate) fn of_the_same_tenant(store: &Store, instance: &Instance, app: &App) -> Result<Vec<String>, Failure> {
    let tenant = |instance: &Instance| {
        let Some(login) = app.login(&instance.login) else { return Ok::<_, Failure>(None) };
        let Some(identity) = &login.identity else { return Ok(None) };
        // Fields that make no host any more, as after a change of the catalog, tell nothing.
        let Ok(hosts) = hosts_of(app, login, identity, &instance.inputs) else { return Ok(None) };
        let values = last_read(store, instance, identity)?;
        Ok(values.map(|values| Tenant { dataset: identity.dataset.clone(), values, hosts }))
    };
    let Some(own) = tenant(instance)? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for other in store.instances()? {
        let may_be = other.id != instance.id && other.app == instance.app && other.sandbox == instance.sandbox;
        if may_be && tenant(&other)?.is_some_and(|tenant| tenant.is(&own)) {
            names.push(other.name);
        }
    }
    Ok(names)
}
