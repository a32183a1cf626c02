//! Instances of applications that nobody signs in to: no credentials, no scan, checks that are attested. *Other application* is
//! the tile for whatever the catalog does not know.

use crate::{
    Console,
    activity::{act_on, differences, told_instance},
    attestations::line,
    checked,
    scan::instance_id,
    schedule::Plan,
    screen::{ConsoleLink, Failure, Instance, ManualInstance},
};
use catalog::App;
use std::collections::BTreeMap;
use store::InstanceId;
use url::Url;
use uuid::Uuid;

/// Longest name of a product, in characters.
const PRODUCT: usize = 80;
/// Longest address of a product's console, in characters.
const ADDRESS: usize = 2_000;
/// The input that holds the product's name.
const PRODUCT_INPUT: &str = "product";
/// The input that holds the address of the product's console.
const CONSOLE_INPUT: &str = "console_url";

impl Console {
    /// Adds an instance that nobody signs in to. There is no credential, so nothing is sealed, and nothing is ever scanned.
    ///
    /// # Errors
    /// When a value is not right, the application has login options, the name is taken, or the database refuses.
    pub async fn add_manual_instance(&self, request: ManualInstance) -> Result<Instance, Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_open(move |open| {
            let app = console.app(&request.app)?;
            if !app.logins.is_empty() {
                return Err(Failure::new(
                    "E-LOGIN-NEEDED",
                    format!("{} is signed in to and scanned.", app.name),
                    "Add it with one of its login options, or add Other application.",
                ));
            }
            if let Some(ended) = &app.ended {
                return Err(Failure::new("E-SERVICE-ENDED", format!("{} cannot be added. {ended}", app.name), "Nothing was stored."));
            }
            let mut instance = store::Instance {
                id: InstanceId(Uuid::new_v4()),
                app: app.slug.clone(),
                name: String::new(),
                label: String::new(),
                owner: String::new(),
                login: String::new(),
                inputs: BTreeMap::new(),
                // Nothing leaves this computer for it.
                route: serde_json::Value::Null,
                params: BTreeMap::new(),
                sandbox: false,
                tenant: None,
                created_at: now,
            };
            tell(&mut instance, &request)?;
            open.store.insert_instance(&instance).map_err(|error| Failure::from(error).on_field("name"))?;
            open.store.record_act(&act_on(now, "instance added", &instance))?;
            console.instance_row(&open, &Plan::read(&console, &open)?, &instance, None)
        })
        .await
    }

    /// Changes what is told of such an instance.
    ///
    /// # Errors
    /// When a value is not right, the instance is signed in to, the name is taken, or the database refuses.
    pub async fn change_manual_instance(&self, id: &str, request: ManualInstance) -> Result<Instance, Failure> {
        let id = instance_id(id)?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let mut instance = open.store.instance(id)?;
            if !is_manual(&instance, &*console.app(&instance.app)?) {
                return Err(Failure::new(
                    "E-LOGIN-NEEDED",
                    format!("{} is signed in to and scanned.", instance.name),
                    "Change it in the instance's settings.",
                ));
            }
            let told = told_instance(&instance);
            tell(&mut instance, &request)?;
            open.store.update_instance(&instance, now).map_err(|error| Failure::from(error).on_field("name"))?;
            let (before, after) = differences(&told, &told_instance(&instance));
            open.store.record_act(&act_on(now, "instance changed", &instance).from_to(before, after))?;
            let counts = open.store.open_findings(store::SandboxScope::With)?;
            console.instance_row(&open, &Plan::read(&console, &open)?, &instance, counts.get(&id).copied())
        })
        .await
    }

    /// Whether an address is on the host of a console that the administrator gave to an instance nobody signs in to.
    pub(crate) async fn is_of_manual_instance(&self, address: &Url) -> Result<bool, Failure> {
        let (console, host) = (self.clone(), address.host_str().map(str::to_owned));
        self.with_open(move |open| {
            let instances = open.store.instances()?;
            Ok(instances.iter().filter(|instance| console.app(&instance.app).is_ok_and(|app| is_manual(instance, &app))).any(|instance| {
                let given = instance.inputs.get(CONSOLE_INPUT).and_then(|given| Url::parse(given).ok());
                given.is_some_and(|given| given.host_str() == host.as_deref())
            }))
        })
        .await
    }
}

/// Puts what was typed, each in its right shape, into the instance.
fn tell(instance: &mut store::Instance, request: &ManualInstance) -> Result<(), Failure> {
    instance.name = checked::name(&request.name)?;
    instance.label = checked::label(&request.label)?;
    instance.owner = checked::owner(&request.owner)?;
    let product = line(&request.product, 1, PRODUCT).ok_or_else(|| {
        Failure::new("E-PRODUCT", format!("The product needs a name of 1 to {PRODUCT} characters."), "Write it as its vendor does.")
            .on_field(PRODUCT_INPUT)
    })?;
    instance.inputs = BTreeMap::from([(PRODUCT_INPUT.to_owned(), product)]);
    let address = request.console_url.trim();
    if !address.is_empty() {
        let url = Url::parse(address).ok().filter(|url| {
            address.len() <= ADDRESS
                && url.scheme() == "https"
                && url.host_str().is_some()
                && url.username().is_empty()
                && url.password().is_none()
                // Addresses are opened without a port; see `linkable`.
                && url.port().is_none()
        });
        let url = url.ok_or_else(|| {
            Failure::new(
                "E-CONSOLE-URL",
                "The address of the product's console is not an https URL without user name, password and port.",
                "Write it as https://admin.example.com/settings, or leave it empty.",
            )
            .on_field(CONSOLE_INPUT)
        })?;
        instance.inputs.insert(CONSOLE_INPUT.to_owned(), url.to_string());
    }
    Ok(())
}

/// The product's console, where the administrator named one.
pub(crate) fn console_link(instance: &store::Instance) -> Option<ConsoleLink> {
    let url = instance.inputs.get(CONSOLE_INPUT)?;
    // An application that is signed in to may call an input of its own the same.
    instance
        .login
        .is_empty()
        .then(|| ConsoleLink { title: instance.inputs.get(PRODUCT_INPUT).cloned().unwrap_or_default(), url: url.clone() })
}

/// Whether nobody signs in to an instance: its application has no login option, or had none when the instance was added.
pub(crate) fn is_manual(instance: &store::Instance, app: &App) -> bool {
    instance.login.is_empty() || app.logins.is_empty()
}

/// Why nothing of an instance that nobody signs in to is signed in to or scanned.
pub(crate) fn not_scanned(app: &App) -> Failure {
    if !app.logins.is_empty() {
        return Failure::new(
            "E-CONNECT-ANEW",
            format!(
                "{} can be connected now. This instance was added before, with manual checks only, so nobody signs in to it.",
                app.name
            ),
            "Add an instance with one of its login options. What was attested here stays and can be read, until you delete this one.",
        );
    }
    Failure::new(
        "E-NOT-SCANNED",
        format!("Nobody signs in to {}: its checks are attested, and nothing of it is scanned.", app.name),
        "Open its manual checks, or see `posture attestation list`.",
    )
}
