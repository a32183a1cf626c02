//! What holds for the whole console.

use crate::{
    Console,
    activity::{Told, differences},
    checked,
    console::Open,
    schedule::Pattern,
    screen::{Failure, RouteChoice, ScheduleChoice, Settings},
    start::user,
};
use jiff::civil::Time;
use store::Act;

/// Under which key of the preferences they are kept.
const SETTINGS: &str = "settings";

/// Once a day, before work begins.
const DAILY: &str = "0 6 * * *";

/// When the digest is made: after the scans, when work begins.
const MORNING: &str = "07:00";

impl Default for Settings {
    fn default() -> Self {
        Self {
            schedule: ScheduleChoice::Cron { pattern: DAILY.into() },
            spread_minutes: 15,
            scans_at_once: 4,
            keep_scans: 100,
            lock_after_minutes: None,
            notify: true,
            route: RouteChoice::default(),
            keep_running: false,
            digest_at: Some(MORNING.into()),
        }
    }
}

impl Console {
    /// What holds now; what was never set has its default.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn settings(&self) -> Result<Settings, Failure> {
        self.with_open(|open| stored(&open)).await
    }

    /// Sets all of it.
    ///
    /// # Errors
    /// When a value is not right, with its field, or the database refuses; nothing is changed then.
    pub async fn change_settings(&self, settings: Settings) -> Result<Settings, Failure> {
        check(&settings)?;
        let now = self.now();
        self.with_open(move |open| {
            let before = stored(&open)?;
            let value = serde_json::to_value(&settings)
                .map_err(|error| Failure::new("E-SETTINGS", format!("The settings cannot be stored: {error}."), "Report it."))?;
            open.store.set_preference(SETTINGS, &value)?;
            if before != settings {
                let (was, is) = differences(&told(&before), &told(&settings));
                open.store.record_act(&Act::new(now, user(), "settings changed", "").from_to(was, is))?;
            }
            Ok(settings)
        })
        .await
    }
}

/// What is stored, over the defaults: another release may know more or less of it.
pub(crate) fn stored(open: &Open) -> Result<Settings, Failure> {
    let default = Settings::default();
    let Some(serde_json::Value::Object(stored)) = open.store.preference(SETTINGS)? else { return Ok(default) };
    let Ok(serde_json::Value::Object(mut merged)) = serde_json::to_value(&default) else { return Ok(default) };
    merged.extend(stored);
    // What cannot be read, or is not right any more, must not keep anybody from changing it.
    match serde_json::from_value::<Settings>(merged.into()) {
        Ok(settings) if check(&settings).is_ok() => Ok(settings),
        Ok(_) | Err(_) => {
            tracing::warn!("stored settings are not right; the defaults hold");
            Ok(default)
        }
    }
}

/// Each of them by its word, for the acts.
fn told(settings: &Settings) -> Told {
    match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(told)) => {
            let mut told: Told = told.into_iter().collect();
            let RouteChoice { proxy, proxy_url, extra_roots_pem } = &settings.route;
            let more = if extra_roots_pem.trim().is_empty() { "" } else { "one more CA" };
            let words: Vec<&str> = [proxy.as_str(), proxy_url, more].into_iter().filter(|word| !word.is_empty()).collect();
            told.insert("route".into(), words.join(", ").into());
            told
        }
        Ok(_) | Err(_) => Told::new(),
    }
}

fn check(settings: &Settings) -> Result<(), Failure> {
    match &settings.schedule {
        ScheduleChoice::Off => {}
        ScheduleChoice::Cron { pattern } => drop(Pattern::parse(pattern).map_err(|failure| failure.on_field("schedule"))?),
        ScheduleChoice::Default => {
            return Err(
                Failure::new("E-SCHEDULE", "The default schedule cannot be itself.", "Choose a pattern, or none.").on_field("schedule")
            );
        }
    }
    drop(checked::route(&settings.route)?);
    checked::within("spread_minutes", "Minutes to spread due times over", settings.spread_minutes, 0, 120)?;
    checked::within("scans_at_once", "Scans at once", settings.scans_at_once, 1, 8)?;
    checked::within("keep_scans", "Scans kept", settings.keep_scans, 2, 1_000)?;
    if let Some(at) = &settings.digest_at {
        time_of_day(at)?;
    }
    if let Some(minutes) = settings.lock_after_minutes {
        checked::within("lock_after_minutes", "Minutes until the window locks itself", minutes, 1, 480)?;
    }
    Ok(())
}

/// A time of the day as the settings hold it: `07:00`.
pub(crate) fn time_of_day(text: &str) -> Result<Time, Failure> {
    let wrong = || {
        Failure::new("E-DIGEST-TIME", format!("\"{text}\" is no time of the day."), "Write hours and minutes: 07:00 or 18:30.")
            .on_field("digest_at")
    };
    let time = Time::strptime("%H:%M", text).map_err(|_| wrong())?;
    if time.strftime("%H:%M").to_string() == text { Ok(time) } else { Err(wrong()) }
}
