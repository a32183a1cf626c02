//! Trust: which certificates are accepted, and a typed reason for each that is not.

use crate::{CertificateFault, ConnectError, Roots, Route, SANDBOX_ORGANIZATION};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

/// Why a certificate was not accepted. Travels inside rustls' error, so that nothing needs to be read from its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the issuer is not known")]
    UnknownIssuer { issuer: Option<String> },
    #[error("a sandbox's certificate on a route that is not the sandbox's")]
    Sandbox,
    #[error("the certificate {0}")]
    Fault(CertificateFault),
}

impl Refusal {
    pub(crate) fn on(self, host: String) -> ConnectError {
        match self {
            Self::UnknownIssuer { issuer } => ConnectError::UnknownAuthority { host, issuer },
            Self::Sandbox => ConnectError::SandboxAuthority { host },
            Self::Fault(fault) => ConnectError::CertificateRefused { host, fault },
        }
    }
}

/// The TLS settings of a route.
pub(crate) fn client_config(route: &Route) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let extra = extra_roots(route)?;
    let inner: Arc<dyn ServerCertVerifier> = match route.roots {
        Roots::Platform => {
            Arc::new(rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider.clone()).map_err(|_| unusable_roots())?)
        }
        Roots::Sandbox => {
            let mut store = RootCertStore::empty();
            for root in extra {
                store.add(root).map_err(|_| unusable_roots())?;
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build().map_err(|_| unusable_roots())?
        }
    };
    let verifier = Arc::new(Verifier { inner, roots: route.roots });
    let mut config = with_provider(provider)?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn with_provider(provider: Arc<CryptoProvider>) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ConnectError> {
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|_| unusable_roots())
}

fn unusable_roots() -> ConnectError {
    ConnectError::RouteInvalid {
        sentence: "No certificate authority could be loaded that this computer trusts.".to_owned(),
        remedy: "Install the system's certificate authorities (on Debian the package ca-certificates), or add one under Network."
            .to_owned(),
    }
}

/// The certificates that a route adds, refused as a whole when one cannot be read or belongs to the wrong kind of route.
pub(crate) fn extra_roots(route: &Route) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let refuse =
        |sentence: &str, remedy: &str| Err(ConnectError::RouteInvalid { sentence: sentence.to_owned(), remedy: remedy.to_owned() });
    let mut roots = Vec::new();
    for pem in &route.extra_roots_pem {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let Ok(certificate) = certificate else {
                return refuse("A certificate file under Network cannot be read.", "Add the authority's certificate as a PEM file.");
            };
            let Ok((_, parsed)) = X509Certificate::from_der(&certificate) else {
                return refuse("A certificate file under Network cannot be read.", "Add the authority's certificate as a PEM file.");
            };
            let sandbox = is_sandbox(parsed.subject()) || is_sandbox(parsed.issuer());
            match (route.roots, sandbox) {
                (Roots::Platform, true) => {
                    return refuse(
                        "A sandbox's certificate authority cannot be added to an instance that is not a sandbox.",
                        "Take that certificate file out under Network.",
                    );
                }
                (Roots::Sandbox, false) => {
                    return refuse(
                        "A sandbox instance trusts its sandbox's authority and no other.",
                        "Start the sandbox again and add the instance anew.",
                    );
                }
                (Roots::Platform, false) | (Roots::Sandbox, true) => {}
            }
            found = true;
            roots.push(certificate);
        }
        if !found {
            return refuse("A certificate file under Network holds no certificate.", "Add the authority's certificate as a PEM file.");
        }
    }
    if route.roots == Roots::Sandbox && roots.len() != 1 {
        return refuse(
            "A sandbox instance needs its sandbox's authority, and one alone.",
            "Start the sandbox again and add the instance anew.",
        );
    }
    Ok(roots)
}

fn is_sandbox(name: &X509Name<'_>) -> bool {
    name.iter_organization().any(|organization| organization.as_str().is_ok_and(|text| text == SANDBOX_ORGANIZATION))
}

/// The issuer in the words that a certificate viewer would show: its common name, else its organization.
fn issuer_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let issuer = parsed.issuer();
    let name = issuer.iter_common_name().chain(issuer.iter_organization()).find_map(|name| name.as_str().ok())?;
    // It comes from whoever answers, so it is bounded before it is shown.
    Some(name.chars().filter(|letter| !letter.is_control() && *letter != '"').take(80).collect())
}

#[allow(clippy::wildcard_enum_match_arm, reason = "whatever else rustls finds, now or later, is an unfit certificate")]
fn why(error: &CertificateError, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Refusal {
    match error {
        // The last certificate presented names the authority that is missing.
        CertificateError::UnknownIssuer => Refusal::UnknownIssuer { issuer: issuer_name(intermediates.last().unwrap_or(end_entity)) },
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Refusal::Fault(CertificateFault::Expired),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Refusal::Fault(CertificateFault::NotYetValid),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Refusal::Fault(CertificateFault::WrongHost),
        CertificateError::Revoked => Refusal::Fault(CertificateFault::Revoked),
        _ => Refusal::Fault(CertificateFault::Unfit),
    }
}

/// The platform's verdict (or the sandbox authority's), with a reason, and never a sandbox's certificate on another route.
#[derive(Debug)]
struct Verifier {
    inner: Arc<dyn ServerCertVerifier>,
    roots: Roots,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let refuse = |refusal: Refusal| Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal)))));
        if self.roots == Roots::Platform {
            for certificate in std::iter::once(end_entity).chain(intermediates) {
                if X509Certificate::from_der(certificate)
                    .is_ok_and(|(_, parsed)| is_sandbox(parsed.issuer()) || is_sandbox(parsed.subject()))
                {
                    return refuse(Refusal::Sandbox);
                }
            }
        }
        match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Ok(verified) => Ok(verified),
            Err(rustls::Error::InvalidCertificate(error)) => refuse(why(&error, end_entity, intermediates)),
            Err(error) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
