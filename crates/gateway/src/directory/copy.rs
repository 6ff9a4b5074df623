//! A copy of the directory on the local disk, for a start without the database: one JSON row a line, signed, so that
//! nobody who can write the file can make themselves a key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::db::{Db, DbError};
use store::entity::{Entity, Kind, Record};
use store::seal::derived;

use super::rows::{self, Loaded};
use crate::hash::hex;

const VERSION: u32 = 1;
/// What the key that signs is for; no other key comes of the same secret.
const PURPOSE: &str = "directory copy";

/// Where the copy is and what signs it.
pub struct Copy {
    path: PathBuf,
    key: hmac::Key,
}

/// Why a copy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The system's.
    #[error("the copy of the directory cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// The database's, while it was read to be copied.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Somebody changed it, or another secret signed it.
    #[error("the copy of the directory was not signed with this gateway's master key")]
    Signature,
    /// It is not what was written.
    #[error("line {line} of the copy of the directory cannot be understood: {error}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong.
        error: serde_json::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
}

#[derive(Serialize)]
struct Written<'a, T> {
    kind: &'static str,
    record: &'a Record<T>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    record: &'a RawValue,
}

impl Copy {
    /// A copy at `path`, signed with a key made of `secret`; `None` for a secret that none can be made of.
    #[must_use]
    pub fn new(path: PathBuf, secret: &SecretString) -> Option<Self> {
        let key = derived(Some(secret), PURPOSE).ok()?;
        Some(Self { path, key: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    /// Writes all rows that matter to calls. The old copy stays until the new one is whole.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub async fn write(&self, db: &Db) -> Result<(), CopyError> {
        let beside = self.path.with_extension("new");
        let mut out =
            Signed { file: BufWriter::new(private(&beside)?), mac: hmac::Context::with_key(&self.key) };
        out.line(&Head { version: VERSION })?;
        let mut failed = None;
        rows::all(db, |page| {
            for loaded in page {
                if failed.is_none() {
                    failed = out.row(&loaded).err();
                }
            }
        })
        .await?;
        match failed {
            Some(error) => return Err(error.into()),
            None => out.finish()?,
        }
        fs::rename(&beside, &self.path)?;
        Ok(())
    }

    /// All rows of the copy; nothing where there is none.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub(super) fn read(&self) -> Result<Vec<Loaded>, CopyError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut lines: Vec<String> = BufReader::new(file).lines().collect::<Result<_, _>>()?;
        let signature = lines.pop().unwrap_or_default();
        let mut mac = hmac::Context::with_key(&self.key);
        for line in &lines {
            mac.update(line.as_bytes());
            mac.update(b"\n");
        }
        let signed = mac.sign();
        if aws_lc_rs::constant_time::verify_slices_are_equal(
            hex(signed.as_ref()).as_bytes(),
            signature.as_bytes(),
        )
        .is_err()
        {
            return Err(CopyError::Signature);
        }
        let mut loaded = Vec::with_capacity(lines.len());
        for (index, text) in lines.iter().enumerate().skip(1) {
            let line = index as u64 + 1;
            loaded.extend(parse(text).map_err(|error| CopyError::Line { line, error })?);
        }
        Ok(loaded)
    }
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A kind of a newer program is skipped.
fn parse(text: &str) -> Result<Option<Loaded>, serde_json::Error> {
    fn row<T: Entity>(
        raw: &RawValue,
        wrap: fn(Record<T>) -> Loaded,
    ) -> Result<Option<Loaded>, serde_json::Error> {
        serde_json::from_str(raw.get()).map(wrap).map(Some)
    }
    let Line { kind, record } = serde_json::from_str(text)?;
    match Kind::of_table(&kind) {
        Some(Kind::Key) => row(record, Loaded::Key),
        Some(Kind::RetiredKey) => row(record, Loaded::Retired),
        Some(Kind::User) => row(record, Loaded::User),
        Some(Kind::Team) => row(record, Loaded::Team),
        Some(Kind::TeamMember) => row(record, Loaded::Member),
        Some(Kind::Organization) => row(record, Loaded::Organization),
        Some(Kind::OrganizationMember) => row(record, Loaded::OrganizationMember),
        Some(Kind::Project) => row(record, Loaded::Project),
        Some(Kind::Customer) => row(record, Loaded::Customer),
        Some(Kind::Tag) => row(record, Loaded::Tag),
        Some(Kind::Budget) => row(record, Loaded::Budget),
        Some(Kind::AccessGroup) => row(record, Loaded::Group),
        Some(Kind::Model | Kind::Credential | Kind::Invitation | Kind::Setting) | None => Ok(None),
    }
}

/// Writes lines, and signs them in the end.
struct Signed {
    file: BufWriter<File>,
    mac: hmac::Context,
}

impl Signed {
    fn row(&mut self, loaded: &Loaded) -> io::Result<()> {
        match loaded {
            Loaded::Key(record) | Loaded::KeyMoved(_, record) => self.record(record),
            Loaded::Retired(record) => self.record(record),
            Loaded::User(record) => self.record(record),
            Loaded::Team(record) => self.record(record),
            Loaded::Member(record) => self.record(record),
            Loaded::Organization(record) => self.record(record),
            Loaded::OrganizationMember(record) => self.record(record),
            Loaded::Project(record) => self.record(record),
            Loaded::Customer(record) => self.record(record),
            Loaded::Tag(record) => self.record(record),
            Loaded::Budget(record) => self.record(record),
            Loaded::Group(record) => self.record(record),
            Loaded::Gone(..) => Ok(()),
        }
    }

    fn record<T: Entity>(&mut self, record: &Record<T>) -> io::Result<()> {
        self.line(&Written { kind: T::KIND.table(), record })
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.mac.update(&line);
        self.file.write_all(&line)
    }

    fn finish(mut self) -> io::Result<()> {
        let signature = hex(self.mac.sign().as_ref());
        self.file.write_all(signature.as_bytes())?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

impl std::fmt::Debug for Copy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Copy").field("path", &self.path).finish_non_exhaustive()
    }
}
