//! A vendor as the console meets it in a company: a Kustomer tenant behind an inspecting proxy, whose authority this computer
//! does not know.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use catalog::Catalog;
use sandbox::{OverlayChange, Sandbox, Tenant};
use tempfile::TempDir;

/// Who issues the certificates that the company's proxy shows.
pub const COMPANY: &str = "HM Corporate Proxy CA 2";

const TENANT: &str = "risky";

/// The tenant with its proxy. It runs in the test's process, so that its copy of the key is not in the console's memory.
pub struct Vendor {
    served: Sandbox,
    folder: TempDir,
    key: String,
}

impl Vendor {
    /// Starts the tenant.
    pub async fn start() -> Vendor {
        let catalog = Catalog::built_in().expect("the catalog loads");
        let app = catalog.app("kustomer").expect("the catalog loads").expect("it has Kustomer");
        let tenants = catalog.sandbox_tenants("kustomer").expect("the catalog loads");
        let known = tenants.into_iter().find(|known| known.id == TENANT).expect("Kustomer has the tenant");
        let tenant = Tenant::new(&known, &app, jiff::Timestamp::now()).expect("the tenant can be served");
        let key = tenant.fields()["api_key"].clone();
        let served = Sandbox::start_under(COMPANY, vec![tenant.into()], Arc::new(jiff::Timestamp::now)).await.expect("the proxy starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("company-ca.pem"), served.ca_pem()).expect("the certificate can be written");
        Vendor { served, folder, key }
    }

    /// The tenant's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A key of the same shape that the tenant does not know: its signature is the end of the right one, backwards, and no
    /// longer than a common one, because it is typed key by key.
    pub fn unknown_key(&self) -> String {
        let (signed, signature) = self.key.rsplit_once('.').expect("the key is a JWT");
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
        self.change(OverlayChange::Latency { tenant: format!("kustomer/{TENANT}"), answer: Some(answer.into()), milliseconds });
    }

    /// Ends every delay.
    pub fn hurry(&self) {
        self.change(OverlayChange::Clear { tenant: None });
    }

    fn change(&self, change: OverlayChange) {
        self.served.overlay().apply(change).expect("the tenant can be changed");
    }
}
