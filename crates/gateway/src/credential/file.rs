//! Small files that hold credentials, read off the worker's thread and bounded.

use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::CredentialError;

/// Credential files are a few kilobytes.
const MOST: u64 = 1 << 20;

/// The text of a file; a disk that hangs must not stop a worker.
pub(super) async fn read(path: PathBuf) -> Result<String, CredentialError> {
    let asked = path.clone();
    let read = tokio::task::spawn_blocking(move || read_now(&asked)).await;
    read.unwrap_or_else(|error| Err(unusable(&path, error.to_string())))
}

/// A token's file, without the space around it.
pub(super) async fn token(path: impl Into<PathBuf>) -> Result<SecretString, CredentialError> {
    let path = path.into();
    let text = read(path.clone()).await?;
    match text.trim() {
        "" => Err(unusable(&path, "is empty")),
        token => Ok(token.into()),
    }
}

/// The same at start-up.
pub(super) fn read_now(path: &Path) -> Result<String, CredentialError> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| unusable(path, error.to_string()))?;
    // One byte more than allowed tells a file that is too large from one that fits.
    file.take(MOST + 1).read_to_string(&mut text).map_err(|error| unusable(path, error.to_string()))?;
    if text.len() as u64 > MOST {
        return Err(unusable(path, "is larger than 1 MiB"));
    }
    Ok(text)
}

pub(super) fn unusable(path: &Path, problem: impl Into<String>) -> CredentialError {
    CredentialError::File { path: path.to_owned(), problem: problem.into() }
}
