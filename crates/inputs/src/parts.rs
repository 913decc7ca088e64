//! Segments to files, on a thread of their own, so that a slow disk does not hold up the polls.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use ballast_calibrate::{Columns, Metadata, SegmentSink};
use ballast_series::SinkError;
use ballast_tables::{WriteError, part_name, write_table};

/// Segments that may wait for the disk. With 8 GPUs at 20 Hz one is some 70 kB.
const WAITING: usize = 64;

/// Writes segments of a recording as numbered parts.
#[derive(Debug)]
pub struct Parts {
    folder: PathBuf,
    sender: Option<SyncSender<(Columns, Metadata)>>,
    writer: Option<JoinHandle<Result<(), WriteError>>>,
}

impl Parts {
    /// Begins to write into a folder that is there.
    pub fn start(folder: &Path) -> Self {
        let (sender, receiver) = sync_channel::<(Columns, Metadata)>(WAITING);
        let into = folder.to_owned();
        let writer = std::thread::spawn(move || {
            for (index, (columns, metadata)) in (0..).zip(receiver) {
                write_table(&into.join(part_name(index)), &columns, &metadata)?;
            }
            Ok(())
        });
        Self {
            folder: folder.to_owned(),
            sender: Some(sender),
            writer: Some(writer),
        }
    }

    /// Waits until all is on the disk.
    ///
    /// # Errors
    /// Why it is not, in words.
    pub fn finish(&mut self) -> Result<(), String> {
        drop(self.sender.take());
        match self.writer.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(e))) => Err(e.to_string()),
            Some(Err(_)) => Err(format!("writing to {} broke off", self.folder.display())),
        }
    }
}

impl SegmentSink for Parts {
    fn segment(&mut self, columns: Columns, metadata: Metadata) -> Result<(), SinkError> {
        let sent = self
            .sender
            .as_ref()
            .map(|sender| sender.try_send((columns, metadata)));
        let why = match sent {
            Some(Ok(())) => return Ok(()),
            // The writer has ended, and knows why.
            Some(Err(TrySendError::Disconnected(_))) | None => match self.finish() {
                Err(why) => why,
                Ok(()) => "the recording has ended already".to_owned(),
            },
            Some(Err(TrySendError::Full(_))) => format!(
                "the disk with {} has taken nothing for {WAITING} parts",
                self.folder.display()
            ),
        };
        Err(SinkError::new(io::Error::other(why)))
    }
}
