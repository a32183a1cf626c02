//! A vendor as the console meets it in a company: a tenant behind an inspecting proxy, whose authority this computer does not
//! know.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use catalog::Catalog;
use sandbox::{OverlayChange, Sandbox, Tenant};
use tempfile::TempDir;

/// Who issues the certificates that the company's proxy shows.
pub const COMPANY: &str = "HM Corporate Proxy CA 2";

/// The tenant with its proxy. It runs in the test's process, so that its copy of the credential is not in the console's memory.
pub struct Vendor {
    served: Sandbox,
    tenant: String,
    fields: BTreeMap<String, String>,
    folder: TempDir,
}

impl Vendor {
    /// Starts the tenant of Kustomer that has findings.
    pub async fn start() -> Vendor {
        Vendor::start_of("kustomer", "risky", |_| {}).await
    }

    /// Starts a tenant of an application, whose fields are changed first: secrets that stand in the catalog's files stand in the
    /// console's program too, where they would be found.
    pub async fn start_of(app: &str, tenant: &str, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Vendor {
        let catalog = Catalog::built_in().expect("the catalog loads");
        let known = catalog.app(app).expect("the catalog loads").expect("it has the application");
        let tenants = catalog.sandbox_tenants(app).expect("the catalog loads");
        let mut chosen = tenants.into_iter().find(|known| known.id == tenant).expect("the application has the tenant");
        change(&mut chosen.fields);
        let tenant = Tenant::new(&chosen, &known, jiff::Timestamp::now()).expect("the tenant can be served");
        let (name, fields) = (tenant.name().to_owned(), tenant.fields().clone());
        let served = Sandbox::start_under(COMPANY, vec![tenant.into()], Arc::new(jiff::Timestamp::now)).await.expect("the proxy starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("company-ca.pem"), served.ca_pem()).expect("the certificate can be written");
        Vendor { served, tenant: name, fields, folder }
    }

    /// What a field of the dialog is to hold.
    pub fn field(&self, id: &str) -> &str {
        &self.fields[id]
    }

    /// The tenant's name in the overlay.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The tenant's key.
    pub fn key(&self) -> &str {
        self.field("api_key")
    }

    /// A key of the same shape that the tenant does not know: its signature is the end of the right one, backwards, and no
    /// longer than a common one, because it is typed key by key.
    pub fn unknown_key(&self) -> String {
        let (signed, signature) = self.key().rsplit_once('.').expect("the key is a JWT");
        format!("{signed}.{}", signature.chars().rev().take(43).collect::<String>())
    }

    /// The part of the key that nobody else knows.
    pub fn signature(key: &str) -> &str {
        key.rsplit('.').next().expect("a key is not empty")
    }

    /// The proxy's address as it is typed.
    pub fn proxy(&self) -> String {
        format!("http://{}", self.served.address())
    }

    /// The certificate of the proxy's authority, as a file.
    pub fn authority_file(&self) -> PathBuf {
        self.folder.path().join("company-ca.pem")
    }

    /// How many requests reached the tenant.
    pub fn requests(&self) -> usize {
        self.served.log().len()
    }

    /// The methods of the requests that reached the tenant.
    pub fn methods(&self) -> BTreeSet<String> {
        self.served.log().into_iter().map(|request| request.method).collect()
    }

    /// Lets one of the answers wait.
    pub fn delay(&self, answer: &str, milliseconds: u32) {
        self.change(OverlayChange::Latency { tenant: self.tenant.clone(), answer: Some(answer.into()), milliseconds });
    }

    /// Ends every delay.
    pub fn hurry(&self) {
        self.change(OverlayChange::Clear { tenant: None });
    }

    /// Changes what the tenant answers.
    pub fn change(&self, change: OverlayChange) {
        self.served.overlay().apply(change).expect("the tenant can be changed");
    }
}
