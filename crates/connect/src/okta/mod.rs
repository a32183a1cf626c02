//! To be written.

use crate::{
    ConnectError,
    session::{Attempt, Signed},
};

pub(crate) async fn sign_in(_attempt: &Attempt<'_>, _strategy: &catalog::OktaSignIn) -> Result<Signed, ConnectError> {
    Err(ConnectError::RequestRefused { sentence: "to be written.".to_owned() })
}
