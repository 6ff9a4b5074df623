//! What mutation starts from: the fixtures of `tollgate-wire`, read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// One directory of fixtures: its files by name.
#[derive(Debug)]
pub struct Case {
    /// The name of the upstream's format, which is the directory above.
    pub format: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Case {
    /// The bytes of a file, if it is there.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }
}

/// All cases.
///
/// # Errors
/// When the fixtures cannot be read, or are not there.
pub fn cases() -> Result<Vec<Case>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/wire/fixtures");
    let mut cases = Vec::new();
    for format in entries(&root)? {
        let name = format.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for case in entries(&format)? {
            let mut files = BTreeMap::new();
            for file in entries(&case)? {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.insert(name, fs::read(&file).with_context(|| file.display().to_string())?);
            }
            cases.push(Case { format: name.clone(), files });
        }
    }
    ensure!(cases.len() > 100, "only {} cases in {}", cases.len(), root.display());
    Ok(cases)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut entries = Vec::new();
    for entry in read {
        entries.push(entry?.path());
    }
    entries.sort();
    Ok(entries)
}
