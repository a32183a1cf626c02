//! The ledger of one-time codes, kept in the database so that it holds across runs, processes and applications.

use connect::{Clock, CodeLedger, SinkError};
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use store::{Store, StoreError};

/// How often is looked whether another sign-in of the same user has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The store as a [`CodeLedger`].
pub(crate) struct StoreLedger {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
}

impl CodeLedger for StoreLedger {
    fn enter<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>, SinkError>> {
        Box::pin(async move {
            loop {
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
        })
    }

    fn claim(&self, account: &str, step: u64) -> Result<bool, SinkError> {
        self.store.claim_code_step(account, step).map_err(refused)
    }
}

fn refused(error: StoreError) -> SinkError {
    SinkError { code: error.code(), sentence: error.to_string(), remedy: error.remedy().to_owned() }
}
