//! The thread that reads a source and hands batches of readings to the window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::platform::{Platform, PlatformError};

use super::{LiveReading, LiveSource, Pace};

/// Time between two batches: what a person sees as at once.
const BATCH: Duration = Duration::from_millis(50);
/// Most readings of a batch, and batches that may wait: a window that does not look holds the thread up, not the memory.
const MOST: usize = 2000;
const WAITING: usize = 4;

/// Something to read, opened on the thread.
pub(super) type Open = Box<dyn FnOnce() -> Result<Box<dyn LiveSource>, PlatformError> + Send>;
/// Called when there is news.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the thread has to say.
pub(super) enum News {
    /// It is open: names of the GPUs, and its length in seconds where it has one.
    Open(Vec<String>, Option<f64>),
    /// Readings.
    Readings(Vec<LiveReading>),
    /// It came to its end, or was stopped; what could not be written.
    Ended(Result<(), String>),
    /// It could not be opened.
    Missing(String),
    /// It broke off; and what could not be written.
    Lost(String, Result<(), String>),
}

/// What the window tells the thread.
#[derive(Default)]
struct Wire {
    stop: AtomicBool,
    paused: AtomicBool,
    pace: AtomicU8,
}

/// A source that is read beside the window. Dropping it stops it.
pub(super) struct Feed {
    news: Receiver<News>,
    wire: Arc<Wire>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Feed {
    /// Opens a source beside the window and reads it.
    pub(super) fn start(platform: &dyn Platform, open: Open, pace: Pace, wake: Wake) -> Self {
        let (sender, news) = sync_channel(WAITING);
        let wire = Arc::new(Wire::default());
        wire.pace.store(pace as u8, Ordering::Relaxed);
        let feed = Self {
            news,
            wire: wire.clone(),
        };
        platform.spawn(
            "live power",
            Box::new(move || {
                match open() {
                    Ok(source) => read(source, &wire, &sender, &wake),
                    // Nobody may be there to hear it.
                    Err(error) => drop(sender.send(News::Missing(error.to_string()))),
                }
                wake();
            }),
        );
        feed
    }

    pub(super) fn stop(&self) {
        self.wire.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn pause(&self, paused: bool) {
        self.wire.paused.store(paused, Ordering::Relaxed);
    }

    pub(super) fn pace(&self, pace: Pace) {
        self.wire.pace.store(pace as u8, Ordering::Relaxed);
    }

    /// What came in since.
    pub(super) fn news(&self) -> Option<News> {
        self.news.try_recv().ok()
    }
}

fn read(mut source: Box<dyn LiveSource>, wire: &Wire, news: &SyncSender<News>, wake: &Wake) {
    let length_s = source.length_s();
    if news.send(News::Open(source.names(), length_s)).is_err() {
        return;
    }
    let mut batch = Vec::new();
    let mut sent = Instant::now();
    let mut pace = None;
    let broke = loop {
        if wire.stop.load(Ordering::Relaxed) {
            break None;
        }
        let asked = wire.pace.load(Ordering::Relaxed);
        if pace != Some(asked) {
            pace = Some(asked);
            let chosen = Pace::ALL.into_iter().find(|p| *p as u8 == asked);
            source.pace(chosen.unwrap_or_default());
        }
        let paused = wire.paused.load(Ordering::Relaxed);
        // A recording waits; the GPUs of a machine go on and are not shown.
        if paused && length_s.is_some() {
            std::thread::sleep(BATCH);
            continue;
        }
        match source.next() {
            Ok(Some(reading)) if !paused => batch.push(reading),
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(why) => break Some(why),
        }
        if !batch.is_empty() && (sent.elapsed() >= BATCH || batch.len() >= MOST) {
            if news
                .send(News::Readings(std::mem::take(&mut batch)))
                .is_err()
            {
                break None;
            }
            sent = Instant::now();
            wake();
        }
    };
    let written = source.finish();
    // Nobody may be there to hear it.
    drop(news.send(News::Readings(batch)));
    drop(news.send(match broke {
        None => News::Ended(written),
        Some(why) => News::Lost(why, written),
    }));
}
