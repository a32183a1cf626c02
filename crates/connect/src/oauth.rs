//! To be written.

use crate::{
    ConnectError,
    session::{Attempt, Signed},
};

pub(crate) async fn client_credentials(_attempt: &Attempt<'_>, _strategy: &catalog::ClientCredentials) -> Result<Signed, ConnectError> {
    Err(ConnectError::RequestRefused { sentence: "to be written.".to_owned() })
}
