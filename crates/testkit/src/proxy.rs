use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// What a client asks of a server that may be met on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// An insert, of ClickHouse over HTTP.
    Insert,
    /// A commit of offsets, of Kafka.
    Commit,
    /// Records, of Kafka.
    Produce,
    /// Any request to ClickHouse over HTTP whose `log_comment` ends with this word.
    Commented(&'static str),
}

/// A moment on the way of an exchange.
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

/// An exchange that stands still at its moment; dropped, its connection is cut.
pub struct Held(oneshot::Sender<()>);

impl Held {
    /// Lets it go on.
    pub fn release(self) {
        // Nobody to tell if the connection has ended meanwhile.
        let _ = self.0.send(());
    }
}

/// A network between a client and its server that can be cut, slowed, silenced, and stopped at a moment of an exchange.
pub struct Proxy {
    address: SocketAddr,
    network: Arc<Network>,
    listening: JoinHandle<()>,
}

struct Network {
    server: SocketAddr,
    expected: Mutex<Option<Expected>>,
    /// Bytes a second; 0 is no limit.
    rate: AtomicU64,
    cuts: watch::Sender<()>,
    silent: watch::Sender<bool>,
}

struct Expected {
    exchange: Exchange,
    moment: Moment,
    found: oneshot::Sender<Held>,
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
            silent: watch::Sender::new(false),
        });
        Ok(Self {
            address: listener.local_addr()?,
            listening: tokio::spawn(accept(listener, network.clone())),
            network,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where connections go.
    pub fn server(&self) -> SocketAddr {
        self.network.server
    }

    /// Where it listens, for HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until an exchange comes to this moment; it stands still then. One that is expected already is forgotten.
    ///
    /// # Errors
    /// If another one is expected meanwhile.
    pub async fn hold(&self, exchange: Exchange, moment: Moment) -> Result<Held> {
        let (found, held) = oneshot::channel();
        *self.network.expected() = Some(Expected {
            exchange,
            moment,
            found,
        });
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

    /// Lets nothing through, without a word to either side, until it is told otherwise.
    pub fn silence(&self, silent: bool) {
        self.network.silent.send_replace(silent);
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
    fn expected(&self) -> std::sync::MutexGuard<'_, Option<Expected>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries bytes both ways until one side ends.
    async fn carry(&self, mut client: TcpStream) -> Result<()> {
        self.hear().await?;
        let mut server = TcpStream::connect(self.server).await?;
        // Requests are sent in halves: none is to wait for the other side's acknowledgement.
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let mut under_way = None;
        loop {
            tokio::select! {
                read = client.read(&mut request) => {
                    let bytes = &request[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    match UnderWay::begun_by(bytes) {
                        Begun::Nothing => {}
                        Begun::Exchange(exchange) => under_way = Some(exchange),
                    }
                    self.reach(Moment::Begins, &under_way).await?;
                    let (first, second) = bytes.split_at(bytes.len() / 2);
                    self.send(&mut server, first).await?;
                    self.reach(Moment::HalfSent, &under_way).await?;
                    self.send(&mut server, second).await?;
                    if under_way.as_mut().is_some_and(|it| it.is_sent_with(bytes)) {
                        self.reach(Moment::Sent, &under_way).await?;
                    }
                }
                read = server.read(&mut answer) => {
                    let bytes = &answer[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    let answered = under_way.take_if(|it| it.is_answered_by(bytes));
                    self.reach(Moment::Answered, &answered).await?;
                    self.send(&mut client, bytes).await?;
                    self.reach(Moment::Known, &answered).await?;
                }
            }
        }
    }

    async fn send(&self, to: &mut TcpStream, bytes: &[u8]) -> Result<()> {
        self.hear().await?;
        to.write_all(bytes).await?;
        let rate = self.rate.load(Ordering::Relaxed);
        if rate > 0 {
            tokio::time::sleep(Duration::from_secs_f64(bytes.len() as f64 / rate as f64)).await;
        }
        Ok(())
    }

    /// Returns when it is not silent.
    async fn hear(&self) -> Result<()> {
        self.silent.subscribe().wait_for(|silent| !silent).await?;
        Ok(())
    }

    /// Stands still if this moment is expected.
    ///
    /// # Errors
    /// If the connection is to be cut.
    async fn reach(&self, moment: Moment, under_way: &Option<UnderWay>) -> Result<()> {
        let Some(under_way) = under_way else {
            return Ok(());
        };
        let is_it = |it: &mut Expected| under_way.is_a(it.exchange) && it.moment == moment;
        let Some(expected) = self.expected().take_if(is_it) else {
            return Ok(());
        };
        let (release, released) = oneshot::channel();
        // Whoever expected it may have given up.
        if expected.found.send(Held(release)).is_ok() {
            released.await?;
        }
        Ok(())
    }
}

/// What the bytes of a client begin.
enum Begun {
    /// Nothing: they go on with what was begun.
    Nothing,
    Exchange(UnderWay),
}

/// An exchange that is not answered.
struct UnderWay {
    /// `None` of what has no name but its comment.
    exchange: Option<Exchange>,
    /// The first line of a request over HTTP.
    line: String,
    /// Of a request to Kafka: its number, which the answer repeats, and how much of it is still to come.
    frame: Option<([u8; 4], usize)>,
}

impl UnderWay {
    /// Requests come in few pieces over loopback, so that each begins one; a missed one is only not held.
    fn begun_by(bytes: &[u8]) -> Begun {
        if bytes.starts_with(b"POST ") || bytes.starts_with(b"GET ") {
            let line = first_line(bytes);
            return Begun::Exchange(Self {
                exchange: is_insert(&line).then_some(Exchange::Insert),
                line,
                frame: None,
            });
        }
        let Some((exchange, number, length)) = kafka_request(bytes) else {
            return Begun::Nothing;
        };
        Begun::Exchange(Self {
            exchange: Some(exchange),
            line: String::new(),
            frame: Some((number, length)),
        })
    }

    fn is_a(&self, expected: Exchange) -> bool {
        match expected {
            Exchange::Commented(word) => {
                let values = self.line.split(['?', '&', ' ']);
                let mut comments = values.filter_map(|it| it.strip_prefix("log_comment="));
                comments.any(|comment| comment.ends_with(word))
            }
            _ => self.exchange == Some(expected),
        }
    }

    /// Whether these bytes are its last.
    fn is_sent_with(&mut self, bytes: &[u8]) -> bool {
        match &mut self.frame {
            // The end of a body of unknown length.
            None => bytes.ends_with(b"0\r\n\r\n"),
            Some((_, left)) => {
                let before = std::mem::replace(left, left.saturating_sub(bytes.len()));
                before > 0 && *left == 0
            }
        }
    }

    fn is_answered_by(&self, bytes: &[u8]) -> bool {
        self.frame
            .is_none_or(|(number, _)| bytes.get(4..8) == Some(&number))
    }
}

/// The exchange that a request to Kafka begins, its number, and its length. Each begins with the length of what follows, the kind
/// and version of the request and a number (Kafka protocol guide, request header).
fn kafka_request(bytes: &[u8]) -> Option<(Exchange, [u8; 4], usize)> {
    let (header, _) = bytes.split_first_chunk::<12>()?;
    let [l0, l1, l2, l3, k0, k1, v0, v1, number @ ..] = *header;
    let exchange = match u16::from_be_bytes([k0, k1]) {
        0 => Exchange::Produce,
        8 => Exchange::Commit,
        _ => return None,
    };
    let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize + 4;
    let plausible = u16::from_be_bytes([v0, v1]) < 32 && (12..8 << 20).contains(&length);
    plausible.then_some((exchange, number, length))
}

fn first_line(request: &[u8]) -> String {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

/// Whether a request with this first line inserts.
fn is_insert(line: &str) -> bool {
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
        send(proxy, INSERT).await
    }

    async fn send(proxy: &Proxy, request: &[u8]) -> Result<[u8; 4]> {
        let mut client = TcpStream::connect(proxy.address).await?;
        client.write_all(request).await?;
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn an_insert_that_is_held_at_any_moment_goes_on_when_it_is_released() -> Result<()> {
        let proxy = Proxy::start(server().await?).await?;
        for moment in Moment::ALL {
            let (held, answer) = tokio::join!(
                async { proxy.hold(Exchange::Insert, moment).await.map(Held::release) },
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
            let (held, answer) = tokio::join!(
                async { proxy.hold(Exchange::Insert, moment).await.map(drop) },
                insert(&proxy)
            );
            held?;
            assert_eq!(answer.is_ok(), moment == Moment::Known, "{moment:?}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_request_is_held_by_its_comment_and_others_pass() -> Result<()> {
        let proxy = Proxy::start(server().await?).await?;
        let request = |comment: &str| {
            format!(
                "POST /?log_comment=stage+{comment}&database=kaizen HTTP/1.1\r\n\r\n8\r\nSELECT 1\r\n0\r\n\r\n"
            )
        };
        let expected = proxy.hold(Exchange::Commented("judge"), Moment::Begins);
        let (held, answers) = tokio::join!(async { expected.await.map(Held::release) }, async {
            let other = send(&proxy, request("measure").as_bytes()).await?;
            let judge = send(&proxy, request("judge").as_bytes()).await?;
            anyhow::Ok((other, judge))
        });
        held?;
        assert_eq!(answers?, (*b"done", *b"done"));
        Ok(())
    }

    /// A commit of offsets, its number 7, and the answer to it.
    const COMMIT: &[u8] = b"\0\0\0\x0c\0\x08\0\x09\0\0\0\x07body";
    const COMMITTED: &[u8] = b"\0\0\0\x05\0\0\0\x07.";

    /// A broker that answers each commit, and something else before.
    async fn broker() -> Result<SocketAddr> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut bytes = vec![0; COMMIT.len()];
                while client.read_exact(&mut bytes).await.is_ok() {
                    for answer in [b"\0\0\0\x05\0\0\0\x06.", COMMITTED] {
                        let _ = client.write_all(answer).await;
                        let _ = client.flush().await;
                        tokio::task::yield_now().await;
                    }
                }
            }
        });
        Ok(address)
    }

    #[tokio::test]
    async fn a_commit_is_held_until_it_is_released_and_silence_ends() -> Result<()> {
        let proxy = Proxy::start(broker().await?).await?;
        for moment in [Moment::Begins, Moment::HalfSent, Moment::Sent] {
            let mut client = TcpStream::connect(proxy.address()).await?;
            let (held, sent) = tokio::join!(proxy.hold(Exchange::Commit, moment), client.write_all(COMMIT));
            sent?;
            proxy.silence(true);
            held?.release();
            let mut answers = [0; 2 * COMMITTED.len()];
            let silent = tokio::time::timeout(Duration::from_millis(100), client.read_exact(&mut answers));
            assert!(silent.await.is_err(), "{moment:?}");
            proxy.silence(false);
            client.read_exact(&mut answers).await?;
            assert!(answers.ends_with(COMMITTED), "{moment:?}");
        }
        Ok(())
    }
}
