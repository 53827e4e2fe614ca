//! A small HTTP server on the loopback interface that misbehaves as told.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Connections one server answers before it stops: a client that loops does not hang the test.
const MAX_CONNECTIONS: usize = 64;

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// N of `Range: bytes=N-`.
    pub range: Option<usize>,
}

/// Answers each connection with its handler until it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (stopped, seen, handler) =
            (Arc::clone(&stop), Arc::clone(&requests), Arc::new(handler));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().take(MAX_CONNECTIONS) {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (seen, handler) = (Arc::clone(&seen), Arc::clone(&handler));
                let Ok(stream) = stream else { continue };
                thread::spawn(move || serve(stream, &seen, &*handler));
            }
        });
        Self { address, stop, requests, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Writes a whole answer; the client may be gone.
pub fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// What a good server does: the whole file, or the part that was asked for.
pub fn answer_well(request: &Request, stream: &mut TcpStream, file: &[u8]) {
    match request.range {
        Some(start) if start < file.len() => {
            let rest = &file[start..];
            let (length, last, total) = (rest.len(), file.len() - 1, file.len());
            let headers = format!(
                "Content-Length: {length}\r\nContent-Range: bytes {start}-{last}/{total}\r\n"
            );
            answer(stream, "206 Partial Content", &headers, rest);
        }
        Some(_) => answer(stream, "416 Range Not Satisfiable", "Content-Length: 0\r\n", b""),
        None => {
            answer(stream, "200 OK", &format!("Content-Length: {}\r\n", file.len()), file);
        }
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Request>>,
    handler: &(impl Fn(&Request, &mut TcpStream) + ?Sized),
) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let _ = stream.set_write_timeout(Some(Duration::from_secs(5)));
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let Some(path) = first.split(' ').nth(1) else { return };
    let mut request = Request { path: path.to_owned(), range: None };
    for line in lines.take_while(|line| !line.is_empty()) {
        let line = line.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            request.range = range.trim_end_matches('-').parse().ok();
        }
    }
    seen.lock().unwrap().push(request.clone());
    handler(&request, &mut stream);
}
