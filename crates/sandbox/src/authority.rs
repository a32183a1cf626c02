//! The sandbox's certificate authority and the certificates it mints, all in memory.

use crate::SandboxError;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Organization in the subject of every sandbox authority. A route to a real vendor refuses chains that end in it, even if
/// somebody has added such an authority to the computer's own.
pub const AUTHORITY_ORGANIZATION: &str = "Posture Console sandbox";

/// An authority that exists as long as this value.
pub(crate) struct Authority {
    organization: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
    pem: String,
    configs: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

impl Authority {
    pub(crate) fn new(organization: &str) -> Result<Self, SandboxError> {
        let mut params = CertificateParams::new(Vec::new()).map_err(SandboxError::Certificate)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, organization);
        name.push(DnType::CommonName, format!("{organization} authority"));
        params.distinguished_name = name;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        cover_every_clock(&mut params);
        let key = KeyPair::generate().map_err(SandboxError::Certificate)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(SandboxError::Certificate)?;
        let pem = issuer.pem();
        Ok(Self { organization: organization.to_owned(), issuer, pem, configs: Mutex::default() })
    }

    /// The authority's certificate, PEM. Its key is not obtainable.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// What a TLS handshake for this host needs; minted once per host.
    pub(crate) fn config(&self, host: &str) -> Result<Arc<ServerConfig>, SandboxError> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(host) {
            return Ok(config.clone());
        }
        let config = Arc::new(self.mint(host)?);
        configs.insert(host.to_owned(), config.clone());
        Ok(config)
    }

    fn mint(&self, host: &str) -> Result<ServerConfig, SandboxError> {
        let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(SandboxError::Certificate)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, self.organization.as_str());
        name.push(DnType::CommonName, host);
        params.distinguished_name = name;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        cover_every_clock(&mut params);
        let key = KeyPair::generate().map_err(SandboxError::Certificate)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(SandboxError::Certificate)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SandboxError::Tls)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
            .map_err(SandboxError::Tls)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

// The authority dies with the process, so its dates protect nothing; they are wide because the client checks them by the
// computer's clock while the sandbox's own clock may stand elsewhere. 2049 is the last year of the short date form of X.509.
fn cover_every_clock(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
}
