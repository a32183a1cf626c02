//! Simulated tenants: onboarded and scanned by the same code, over their own route, always marked.

use crate::{
    Console, Listener,
    console::blocking,
    onboard::Newcomer,
    screen::{Deleted, Failure, Progress, SandboxTenant, TenantChoice},
    start::SANDBOX_OFFERED,
};
use connect::Route;
use sandbox::{OverlayChange, Running, Sandbox, Served, Tenant};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use store::{Instance, InstanceId};
use uuid::Uuid;

/// Folder in the data folder where a running sandbox is announced.
const RUNTIME: &str = "sandbox";

/// A sandbox that serves simulated tenants of the catalog.
pub struct SandboxServer {
    server: Sandbox,
    announced: Option<Announced>,
}

/// Where other processes of this user find it.
struct Announced {
    ca_file: PathBuf,
}

impl SandboxServer {
    /// Its proxy.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The file with its CA certificate, when it was announced.
    pub fn ca_file(&self) -> Option<&Path> {
        self.announced.as_ref().map(|announced| announced.ca_file.as_path())
    }
}

impl Console {
    /// The simulated tenants of the catalog.
    ///
    /// # Errors
    /// When a manifest is not right.
    pub async fn sandbox_tenants(&self) -> Result<Vec<SandboxTenant>, Failure> {
        let mut tenants = Vec::new();
        for tile in self.catalog()?.tiles() {
            for tenant in self.catalog()?.sandbox_tenants(&tile.slug)? {
                tenants.push(SandboxTenant {
                    app: tile.slug.clone(),
                    app_name: tile.name.clone(),
                    tenant: tenant.id,
                    name: tenant.name,
                    tour: tenant.tour,
                });
            }
        }
        Ok(tenants)
    }

    /// Onboards and scans simulated tenants; one that is there already is scanned again. No choice at all means "not now".
    ///
    /// # Errors
    /// The first failure; tenants before it are there.
    pub async fn add_sandbox(&self, choices: Vec<TenantChoice>, listener: Listener) -> Result<(), Failure> {
        let offered = self.now().to_string();
        self.with_open(move |open| Ok(open.store.set_preference(SANDBOX_OFFERED, &offered.into())?)).await?;
        for choice in choices {
            self.add_tenant(&choice, &listener).await.inspect_err(|failure| {
                listener(Progress::Failed { failure: failure.clone(), kept: "Tenants that were added before stay.".into() });
            })?;
        }
        Ok(())
    }

    async fn add_tenant(&self, choice: &TenantChoice, listener: &Listener) -> Result<(), Failure> {
        let app = self.app(&choice.app)?;
        let Some(known) = self.catalog()?.sandbox_tenants(&choice.app)?.into_iter().find(|tenant| tenant.id == choice.tenant) else {
            return Err(Failure::new(
                "E-TENANT-UNKNOWN",
                format!("{} has no simulated tenant {}.", app.name, choice.tenant),
                "See `posture sandbox scan`.",
            ));
        };
        let (app_slug, tenant_id) = (choice.app.clone(), choice.tenant.clone());
        let there = self
            .with_open(move |open| {
                let instances = open.store.instances()?;
                Ok(instances
                    .into_iter()
                    .find(|instance| instance.sandbox && instance.app == app_slug && instance.tenant.as_ref() == Some(&tenant_id)))
            })
            .await?;
        if let Some(instance) = there {
            return self.scan(&instance.id.to_string(), Arc::clone(listener)).await.map(|_| ());
        }
        let tenant = Tenant::new(&known, &app, self.now())?;
        let login = crate::applications::find_login(&app, &known.login)?;
        let mut inputs = BTreeMap::new();
        let mut secrets = BTreeMap::new();
        for field in &login.fields {
            if let Some(value) = tenant.fields().get(&field.id) {
                if field.secret {
                    secrets.insert(field.id.clone(), SecretString::from(value.clone()));
                } else {
                    inputs.insert(field.id.clone(), value.clone());
                }
            }
        }
        let instance = Instance {
            id: InstanceId(Uuid::new_v4()),
            app: known.app.clone(),
            name: known.name.clone(),
            label: "Sandbox".into(),
            owner: String::new(),
            login: known.login.clone(),
            inputs,
            // Never used: a sandbox's port and CA are of one run, so its route is made when it is needed.
            route: serde_json::Value::Null,
            params: known.params.clone(),
            sandbox: true,
            tenant: Some(known.id.clone()),
            created_at: self.now(),
        };
        let route = self.sandbox_route(&known.app, &known.id).await?;
        self.add(Newcomer { app, instance, route, secrets }, listener).await.map(|_id| ())
    }

    /// Deletes every simulated instance and ends the sandbox.
    ///
    /// # Errors
    /// When one of them is being scanned or the store refuses.
    pub async fn remove_sandbox(&self) -> Result<Deleted, Failure> {
        let instances = self.with_open(|open| Ok(open.store.instances()?)).await?;
        let mut all = Deleted { scans: 0, rows: 0, findings: 0, evidence: 0, attestations: 0 };
        for instance in instances.into_iter().filter(|instance| instance.sandbox) {
            let deleted = self.delete_instance(&instance.id.to_string(), &instance.name).await?;
            all.scans += deleted.scans;
            all.rows += deleted.rows;
            all.findings += deleted.findings;
            all.evidence += deleted.evidence;
            all.attestations += deleted.attestations;
        }
        *self.inner.sandbox.lock().await = None;
        Ok(all)
    }

    /// How an instance's requests leave this computer.
    pub(crate) async fn route_of(&self, instance: &Instance) -> Result<Route, Failure> {
        if instance.sandbox {
            return self.sandbox_route(&instance.app, instance.tenant.as_deref().unwrap_or_default()).await;
        }
        serde_json::from_value(instance.route.clone()).map_err(|_| {
            Failure::new(
                "E-ROUTE",
                format!("The network settings of {} are not understood.", instance.name),
                "Set them again in the instance's settings.",
            )
        })
    }

    /// The route to a simulated tenant: by the sandbox that `posture sandbox up` runs for this data folder, else by one of our
    /// own, which serves the tenants that were asked for.
    async fn sandbox_route(&self, app: &str, tenant: &str) -> Result<Route, Failure> {
        let mut own = self.inner.sandbox.lock().await;
        if let Some(server) = own.as_ref() {
            if !server.server.serves(&format!("{app}/{tenant}")) {
                for served in self.prepared(app, Some(tenant)).await? {
                    server.server.serve_also(served)?;
                }
            }
            return Ok(Route::sandbox(server.server.address(), server.server.ca_pem())?);
        }
        if let Ok(running) = Running::find(&self.runtime()) {
            // It may have ended without notice; its port then refuses at once.
            if tokio::net::TcpStream::connect(running.address()).await.is_ok() {
                return Ok(Route::sandbox(running.address(), running.ca_pem())?);
            }
        }
        let server = self.serve(self.prepared(app, Some(tenant)).await?, false).await?;
        let route = Route::sandbox(server.server.address(), server.server.ca_pem())?;
        *own = Some(Arc::new(server));
        Ok(route)
    }

    /// The tenants of an application, or one of them, ready to be served.
    async fn prepared(&self, app: &str, only: Option<&str>) -> Result<Vec<Served>, Failure> {
        let mut served: Vec<Served> = Vec::new();
        let whole = self.app(app)?;
        for tenant in self.catalog()?.sandbox_tenants(app)?.into_iter().filter(|tenant| only.is_none_or(|only| tenant.id == only)) {
            let (app, now) = (Arc::clone(&whole), self.now());
            // Certificates of tenants are made here, which takes a while for RSA.
            served.push(blocking(move || Ok(Tenant::new(&tenant, &app, now)?.into())).await?);
        }
        Ok(served)
    }

    async fn serve(&self, served: Vec<Served>, announce: bool) -> Result<SandboxServer, Failure> {
        let clock = Arc::clone(&self.inner.options.clock);
        let server = Sandbox::start(served, Arc::new(move || clock.now())).await?;
        let announced = if announce { Some(Announced { ca_file: server.open_control(&self.runtime())? }) } else { None };
        Ok(SandboxServer { server, announced })
    }

    /// Serves the simulated tenants and announces them to other processes of this data folder, until the answer is dropped.
    ///
    /// # Errors
    /// When the loopback socket or the announcement cannot be made.
    pub async fn sandbox_up(&self) -> Result<SandboxServer, Failure> {
        let folder = self.runtime();
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::new(
                "E-DATA-FOLDER",
                format!("{} cannot be made: {error}.", folder.display()),
                "Make the data folder writable, or give another with --data-folder.",
            )
        })?;
        let mut served = Vec::new();
        for tile in self.catalog()?.tiles() {
            served.extend(self.prepared(&tile.slug, None).await?);
        }
        self.serve(served, true).await
    }

    /// Changes what the announced sandbox answers: a field of a dataset (`auth-settings`, `data.attributes.saml.enabled=true`), or,
    /// as JSON, any [`OverlayChange`].
    ///
    /// # Errors
    /// When none is running or it refuses the change.
    pub async fn sandbox_set(&self, tenant: &str, change: &str, assignment: Option<&str>) -> Result<(), Failure> {
        let change = match assignment {
            Some(assignment) => OverlayChange::assignment(tenant, change, assignment)?,
            None => serde_json::from_str(change).map_err(|error| {
                Failure::new(
                    "E-SANDBOX-CHANGE",
                    format!("The change is not understood: {error}."),
                    "See the examples of `posture sandbox set --help`.",
                )
            })?,
        };
        Ok(sandbox::control(&self.runtime(), &change).await?)
    }

    fn runtime(&self) -> PathBuf {
        self.inner.options.data_folder.join(RUNTIME)
    }
}
