//! Room for samples beyond memory: a file without a name, gone when the last result that uses it is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::platform::Scratch;

/// A file in the folder of temporary files that nobody else sees.
struct ScratchFile {
    file: Mutex<File>,
}

/// A new, empty one.
///
/// # Errors
/// The system's: no folder for temporary files, no room.
pub fn scratch() -> std::io::Result<Arc<dyn Scratch>> {
    let file = Mutex::new(tempfile::tempfile()?);
    Ok(Arc::new(ScratchFile { file }))
}

impl Scratch for ScratchFile {
    fn append(&self, values: &[f32]) -> std::io::Result<()> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        // A thread that panicked left the file as it was: every use begins with a seek.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::End(0))?;
        file.write_all(&bytes)
    }

    fn read(&self, first: u64, into: &mut [f32]) -> std::io::Result<usize> {
        let mut bytes = vec![0; 4 * into.len()];
        let mut read = 0;
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(4 * first))?;
            while read < bytes.len() {
                match file.read(&mut bytes[read..])? {
                    0 => break,
                    n => read += n,
                }
            }
        }
        let (values, _) = bytes[..read].as_chunks::<4>();
        for (value, bytes) in into.iter_mut().zip(values) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok(values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_read_from_any_place() {
        let file = scratch().unwrap();
        file.append(&[1.0, 2.0, 3.0]).unwrap();
        file.append(&[4.0]).unwrap();
        let mut into = [0.0; 4];
        assert_eq!(file.read(1, &mut into[..2]).unwrap(), 2);
        assert_eq!(into[..2], [2.0, 3.0]);
        assert_eq!(file.read(2, &mut into).unwrap(), 2);
        assert_eq!(into[..2], [3.0, 4.0]);
        assert_eq!(file.read(9, &mut into).unwrap(), 0);
    }
}
