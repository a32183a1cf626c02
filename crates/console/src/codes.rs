//! The ledger of one-time codes and refused secrets, kept in the database so that it holds across runs, processes and
//! applications.

use connect::{Clock, CodeLedger, SinkError};
use futures::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use store::{Store, StoreError};

/// How often is looked whether another sign-in of the same user has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How often at most, which makes five minutes: longer than a sign-in takes that waits for several one-time codes.
const MOST_LOOKS: u32 = 5 * 60 * 4;

/// The store as a [`CodeLedger`].
pub(crate) struct StoreLedger {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether a person has just given the secrets, so that one that was refused before may be sent once more.
    pub(crate) attended: bool,
}

impl CodeLedger for StoreLedger {
    fn enter<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>, SinkError>> {
        Box::pin(async move {
            for _ in 0..MOST_LOOKS {
                let (store, name) = (self.store.clone(), account.to_owned());
                let taken = tokio::task::spawn_blocking(move || store.begin_sign_in(&name)).await;
                match taken {
                    Ok(Ok(Some(lease))) => return Ok(Box::new(lease) as Box<dyn Send>),
                    Ok(Ok(None)) => self.clock.sleep(LOOK_AGAIN).await,
                    Ok(Err(error)) => return Err(refused(error)),
                    Err(_) => {
                        return Err(SinkError {
                            code: "E-INTERNAL",
                            sentence: "Something inside the console broke while it waited for another sign-in.".into(),
                            remedy: "Start the console again, and report this with the log.".into(),
                        });
                    }
                }
            }
            Err(SinkError {
                code: "E-SIGN-IN-BUSY",
                sentence: "Another sign-in of the same user has not ended within five minutes, and two at once would use up each other's one-time codes.".into(),
                remedy: "Wait until it has ended, or cancel it in the window or terminal where it runs. Then try again.".into(),
            })
        })
    }

    fn claim(&self, account: &str, ends: u64) -> Result<bool, SinkError> {
        self.store.claim_code(account, ends).map_err(refused)
    }

    fn refused(&self, account: &str, secret: &SecretString) -> Result<Option<Timestamp>, SinkError> {
        if self.attended { Ok(None) } else { self.store.secret_refused(account, secret).map_err(refused) }
    }

    fn settle(&self, account: &str, secret: &SecretString, refused_at: Option<Timestamp>) -> Result<(), SinkError> {
        match refused_at {
            Some(at) => self.store.refuse_secret(account, secret, at),
            None => self.store.accept_secret(account, secret),
        }
        .map_err(refused)
    }
}

fn refused(error: StoreError) -> SinkError {
    SinkError { code: error.code(), sentence: error.to_string(), remedy: error.remedy().to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use secrecy::SecretBox;
    use std::sync::Mutex;

    /// Time that passes only while somebody sleeps.
    #[derive(Default)]
    struct Passing(Mutex<Duration>);

    impl Clock for Passing {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(1_790_000_000).unwrap() + *self.0.lock().unwrap()
        }
        fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
            *self.0.lock().unwrap() += time;
            Box::pin(tokio::task::yield_now())
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_ever_for_somebody_elses_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("posture.db"), &SecretBox::new(Box::new([7; 32]))).unwrap();
        let clock = Arc::new(Passing::default());
        let ledger = StoreLedger { store, clock: clock.clone(), attended: false };
        let turn = ledger.enter("ada").await.unwrap();
        let error = ledger.enter("ada").await.err().unwrap();
        assert_eq!((error.code, *clock.0.lock().unwrap()), ("E-SIGN-IN-BUSY", Duration::from_secs(300)));
        drop(turn);
        ledger.enter("ada").await.unwrap();
    }

    #[test]
    fn a_refused_secret_is_given_out_again_only_to_a_person_and_until_it_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("posture.db"), &SecretBox::new(Box::new([7; 32]))).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Passing::default());
        let by = |attended| StoreLedger { store: store.clone(), clock: clock.clone(), attended };
        let (wrong, at) = (SecretString::from("wrong"), clock.now());
        by(false).settle("ada", &wrong, Some(at)).unwrap();
        assert_eq!(by(false).refused("ada", &wrong).unwrap(), Some(at));
        assert_eq!(by(true).refused("ada", &wrong).unwrap(), None);
        assert_eq!(by(false).refused("ada", &"another".into()).unwrap(), None);
        assert_eq!(by(false).refused("eve", &wrong).unwrap(), None);
        by(true).settle("ada", &wrong, None).unwrap();
        assert_eq!(by(false).refused("ada", &wrong).unwrap(), None);
    }
}
