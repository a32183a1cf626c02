//! A person with a browser: it follows the page of a sign-in back to this computer by itself, and keeps what it was shown.
use posture_connect::{Browser, NoBrowser};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

/// What the person does with the page that opens.
#[derive(Clone)]
pub enum Act {
    SignsIn,
    /// Comes back with these parameters in place of `code`, and the right state.
    Returns(Vec<(&'static str, &'static str)>),
    /// Tries these paths and queries first (`{state}` and `{code}` are filled), then signs in.
    After(Vec<&'static str>),
    /// Signs in twice with the same code.
    Twice,
    Nothing,
}

/// The page at which a scripted vendor asks who somebody is.
pub trait SignInPage: Send + Sync + 'static {
    /// Checks the address, and gives where to come back to, a code, and the state.
    fn authorize(&self, page: &Url) -> (String, String, String);
}

pub struct Person<P> {
    vendor: Arc<P>,
    act: Act,
    pub opened: Mutex<Vec<Url>>,
    pages: Arc<Mutex<Vec<String>>>,
}

impl<P> Person<P> {
    pub fn who(vendor: &Arc<P>, act: Act) -> Arc<Self> {
        Arc::new(Self { vendor: vendor.clone(), act, opened: Mutex::default(), pages: Arc::default() })
    }
    /// What the browser was shown, as soon as it was shown so many pages.
    pub async fn pages(&self, count: usize) -> Vec<String> {
        while self.pages.lock().unwrap().len() < count {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        self.pages.lock().unwrap().clone()
    }
    /// Where the program waits for the person to come back.
    pub fn port(&self) -> Option<u16> {
        let opened = self.opened.lock().unwrap();
        let redirect = opened.first()?.query_pairs().find(|(name, _)| name == "redirect_uri")?.1.into_owned();
        Url::parse(&redirect).unwrap().port()
    }
}

impl<P: SignInPage> Browser for Person<P> {
    fn open(&self, address: &Url) -> Result<(), NoBrowser> {
        self.opened.lock().unwrap().push(address.clone());
        // A code for a device is typed on a page that leads nowhere.
        if address.path().ends_with("/authorize") {
            let (redirect, code, state) = self.vendor.authorize(address);
            let redirect = Url::parse(&redirect).unwrap();
            let filled = |target: &str| target.replace("{state}", &state).replace("{code}", &code);
            let signs_in = filled(&format!("{}?code={{code}}&state={{state}}&session_state=x&iss=x", redirect.path()));
            let targets = match &self.act {
                Act::SignsIn => vec![signs_in],
                Act::Twice => vec![signs_in.clone(), signs_in],
                Act::Returns(pairs) => {
                    let mut query = url::form_urlencoded::Serializer::new(String::new());
                    query.extend_pairs(pairs).append_pair("state", &state);
                    vec![format!("{}?{}", redirect.path(), query.finish())]
                }
                Act::After(first) => first.iter().map(|target| filled(target)).chain([signs_in]).collect(),
                Act::Nothing => vec![],
            };
            let (port, pages) = (redirect.port().unwrap(), self.pages.clone());
            tokio::spawn(async move {
                for target in targets {
                    let page = visit(port, &target).await;
                    pages.lock().unwrap().push(page);
                }
            });
        }
        Ok(())
    }
}

/// Asks a port of this computer as browsers do and reads the page; empty when nothing listens.
pub async fn visit(port: u16, target: &str) -> String {
    let Ok(mut line) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else { return String::new() };
    let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    read(&mut line, request.as_bytes()).await
}

/// Sends bytes, and that no more will come.
pub async fn raw(port: u16, bytes: &[u8]) -> String {
    let Ok(mut line) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else { return String::new() };
    if line.write_all(bytes).await.is_err() || line.shutdown().await.is_err() {
        return String::new();
    }
    read(&mut line, &[]).await
}

async fn read(line: &mut tokio::net::TcpStream, bytes: &[u8]) -> String {
    let mut page = Vec::new();
    if line.write_all(bytes).await.is_ok() {
        let _ = line.read_to_end(&mut page).await;
    }
    String::from_utf8_lossy(&page).into_owned()
}
