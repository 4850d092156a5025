use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// A moment on the way of an insert over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of it has reached the server.
    Begins,
    /// The server has a part of its body.
    HalfSent,
    /// The server has all of it.
    Sent,
    /// The server has answered, and the client does not know.
    Answered,
    /// The client has the answer.
    Known,
}

impl Moment {
    /// All, in their order.
    pub const ALL: [Self; 5] = [
        Self::Begins,
        Self::HalfSent,
        Self::Sent,
        Self::Answered,
        Self::Known,
    ];
}

/// An insert that stands still at its moment; dropped, its connection is cut.
pub struct Held(oneshot::Sender<()>);

impl Held {
    /// Lets it go on.
    pub fn release(self) {
        // Nobody to tell if the connection has ended meanwhile.
        let _ = self.0.send(());
    }
}

/// A network between an HTTP client and its server that can be cut, slowed, and stopped at a moment of an insert.
pub struct Proxy {
    address: SocketAddr,
    network: Arc<Network>,
    listening: JoinHandle<()>,
}

struct Network {
    server: SocketAddr,
    expected: Mutex<Option<(Moment, oneshot::Sender<Held>)>>,
    /// Bytes a second; 0 is no limit.
    rate: AtomicU64,
    cuts: watch::Sender<()>,
}

impl Proxy {
    /// Listens on a free port for connections to the server.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let network = Arc::new(Network {
            server,
            expected: Mutex::default(),
            rate: AtomicU64::new(0),
            cuts: watch::Sender::new(()),
        });
        Ok(Self {
            address: listener.local_addr()?,
            listening: tokio::spawn(accept(listener, network.clone())),
            network,
        })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until an insert comes to this moment; it stands still then. One that is expected already is forgotten.
    ///
    /// # Errors
    /// If another moment is expected meanwhile.
    pub async fn hold(&self, moment: Moment) -> Result<Held> {
        let (found, held) = oneshot::channel();
        *self.network.expected() = Some((moment, found));
        Ok(held.await?)
    }

    /// Ends every connection.
    pub fn cut(&self) {
        self.network.cuts.send_replace(());
    }

    /// Lets so many bytes a second through, each way and connection; 0 is no limit.
    pub fn limit(&self, bytes_per_second: u64) {
        self.network.rate.store(bytes_per_second, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, network: Arc<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        let (network, mut cuts) = (network.clone(), network.cuts.subscribe());
        tokio::spawn(async move {
            // A connection may end at any time and in any way; the client sees that it has.
            tokio::select! {
                _ = network.carry(client) => {}
                _ = cuts.changed() => {}
            }
        });
    }
}

impl Network {
    fn expected(&self) -> std::sync::MutexGuard<'_, Option<(Moment, oneshot::Sender<Held>)>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries bytes both ways until one side ends.
    async fn carry(&self, mut client: TcpStream) -> Result<()> {
        let mut server = TcpStream::connect(self.server).await?;
        let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let mut inserting = false;
        loop {
            tokio::select! {
                read = client.read(&mut request) => {
                    let bytes = &request[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    if bytes.starts_with(b"POST ") {
                        inserting = is_insert(bytes);
                        self.reach(Moment::Begins, inserting).await?;
                    }
                    let (first, second) = bytes.split_at(bytes.len() / 2);
                    self.send(&mut server, first).await?;
                    self.reach(Moment::HalfSent, inserting).await?;
                    self.send(&mut server, second).await?;
                    // The end of a body of unknown length.
                    self.reach(Moment::Sent, inserting && bytes.ends_with(b"0\r\n\r\n")).await?;
                }
                read = server.read(&mut answer) => {
                    let bytes = &answer[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    self.reach(Moment::Answered, inserting).await?;
                    self.send(&mut client, bytes).await?;
                    self.reach(Moment::Known, inserting).await?;
                    inserting = false;
                }
            }
        }
    }

    async fn send(&self, to: &mut TcpStream, bytes: &[u8]) -> Result<()> {
        to.write_all(bytes).await?;
        let rate = self.rate.load(Ordering::Relaxed);
        if rate > 0 {
            tokio::time::sleep(Duration::from_secs_f64(bytes.len() as f64 / rate as f64)).await;
        }
        Ok(())
    }

    /// Stands still if this moment is expected.
    ///
    /// # Errors
    /// If the connection is to be cut.
    async fn reach(&self, moment: Moment, inserting: bool) -> Result<()> {
        let found = inserting
            .then(|| self.expected().take_if(|(expected, _)| *expected == moment))
            .flatten();
        let Some((_, found)) = found else {
            return Ok(());
        };
        let (release, released) = oneshot::channel();
        // Whoever expected it may have given up.
        if found.send(Held(release)).is_ok() {
            released.await?;
        }
        Ok(())
    }
}

/// Whether a request begins with a line that inserts.
fn is_insert(request: &[u8]) -> bool {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    line.contains("INSERT+INTO") || line.contains("INSERT%20INTO")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each body with `done`.
    async fn server() -> Result<SocketAddr> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut seen, mut bytes) = (Vec::new(), [0; 1024]);
                    while let Ok(read @ 1..) = client.read(&mut bytes).await {
                        seen.extend_from_slice(&bytes[..read]);
                        if seen.ends_with(b"0\r\n\r\n") {
                            seen.clear();
                            let _ = client.write_all(b"done").await;
                        }
                    }
                });
            }
        });
        Ok(address)
    }

    const INSERT: &[u8] = b"POST /?query=INSERT+INTO+t HTTP/1.1\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

    async fn insert(proxy: &Proxy) -> Result<[u8; 4]> {
        let mut client = TcpStream::connect(proxy.address).await?;
        client.write_all(INSERT).await?;
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn an_insert_that_is_held_at_any_moment_goes_on_when_it_is_released() -> Result<()> {
        let proxy = Proxy::start(server().await?).await?;
        for moment in Moment::ALL {
            let (held, answer) = tokio::join!(
                async { proxy.hold(moment).await.map(Held::release) },
                insert(&proxy)
            );
            held?;
            assert_eq!(answer?, *b"done", "{moment:?}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_connection_that_is_cut_gives_the_answer_only_if_the_client_has_it() -> Result<()> {
        let proxy = Proxy::start(server().await?).await?;
        for moment in Moment::ALL {
            let (held, answer) = tokio::join!(async { proxy.hold(moment).await.map(drop) }, insert(&proxy));
            held?;
            assert_eq!(answer.is_ok(), moment == Moment::Known, "{moment:?}");
        }
        Ok(())
    }
}
