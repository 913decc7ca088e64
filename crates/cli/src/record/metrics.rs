//! A server's own metrics beside a recording: its Prometheus endpoint, read once a second into a file.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use ballast_calibrate::stamped;

/// Time between two scrapes, and how long an answer may take.
const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest answer that is taken, bytes.
const LONGEST: u64 = 16 << 20;

/// An address of the form `http://host:port/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    path: String,
}

/// Whether a word names an endpoint and no file.
pub(crate) fn is_endpoint(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Reads an address.
pub(crate) fn endpoint(text: &str) -> Result<Endpoint, String> {
    let Some(rest) = text.strip_prefix("http://") else {
        return Err("write it as http://host:port/metrics; https is not spoken here".to_owned());
    };
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (rest, "/metrics".to_owned()),
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, port),
            Err(_) => {
                return Err(format!(
                    "`{port}` is no port; write http://host:port/metrics"
                ));
            }
        },
        None => (host, 80),
    };
    if host.is_empty() || path.contains(char::is_whitespace) {
        return Err("write it as http://host:port/metrics".to_owned());
    }
    Ok(Endpoint {
        host: host.to_owned(),
        port,
        path,
    })
}

impl Endpoint {
    /// The text it serves.
    fn get(&self) -> Result<String, String> {
        let words = |e: std::io::Error| e.to_string();
        let address = (self.host.trim_matches(['[', ']']), self.port)
            .to_socket_addrs()
            .map_err(words)?
            .next()
            .ok_or("the host has no address")?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(words)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(words)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(words)?;
        // HTTP/1.0: the answer comes whole and ends with the connection.
        write!(
            stream,
            "GET {} HTTP/1.0\r\nHost: {}:{}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n",
            self.path, self.host, self.port
        )
        .map_err(words)?;
        let mut answer = Vec::new();
        stream
            .take(LONGEST)
            .read_to_end(&mut answer)
            .map_err(words)?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .ok_or("the answer is no HTTP")?;
        let status = head.split_whitespace().nth(1).unwrap_or("");
        if status == "200" {
            Ok(body.to_owned())
        } else {
            Err(format!("it answers with status {status}"))
        }
    }
}

fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Where the metrics beside a recording go.
pub(crate) fn metrics_file(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".metrics.txt");
    PathBuf::from(name)
}

/// Reads an endpoint once a second on a thread of its own.
pub(crate) struct Scraper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Scraper {
    /// Reads it once, so that what is wrong shows before anything is recorded, and goes on.
    ///
    /// # Errors
    /// The endpoint cannot be read, says nothing of tokens, or the file cannot be written.
    pub(crate) fn start(endpoint: Endpoint, file: &Path) -> Result<Self, String> {
        let first = stamped(&endpoint.get()?, now_ms());
        if first.is_empty() {
            return Err("it has no metric with `token` in its name".to_owned());
        }
        let mut out: File = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(file)
            .map_err(|e| format!("{} cannot be written: {e}", file.display()))?;
        out.write_all(first.as_bytes()).map_err(|e| e.to_string())?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut failed = 0;
            while !asked.load(Ordering::Relaxed) {
                std::thread::park_timeout(EVERY);
                let written = endpoint
                    .get()
                    .and_then(|text| {
                        out.write_all(stamped(&text, now_ms()).as_bytes())
                            .map_err(|e| e.to_string())
                    })
                    .is_ok();
                failed += u64::from(!written);
            }
            failed
        });
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Reads it for a last time and ends; how many times it could not be read.
    pub(crate) fn finish(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map_or(0, |thread| {
            thread.thread().unpark();
            thread.join().unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let of = |text: &str| endpoint(text).map(|e| (e.host, e.port, e.path));
        assert_eq!(
            of("http://127.0.0.1:8000/metrics").unwrap(),
            ("127.0.0.1".to_owned(), 8000, "/metrics".to_owned())
        );
        assert_eq!(
            of("http://server").unwrap(),
            ("server".to_owned(), 80, "/metrics".to_owned())
        );
        for bad in [
            "https://a/metrics",
            "http://a:b/",
            "http://:80/",
            "file.txt",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
