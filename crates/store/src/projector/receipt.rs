//! How far a ledger is applied to a database, as the database remembers it by the ledger's name.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::db::{Db, DbError, Tx};
use crate::ledger::Position;

const FILE: &str = "name";

const READ: &str = "SELECT segment, place FROM ledger_receipts WHERE ledger = $1";
const BEGIN: &str = "INSERT INTO ledger_receipts (ledger, segment, place, at) VALUES ($1, 0, 0, $2) \
                     ON CONFLICT (ledger) DO NOTHING";
const ADVANCE: &str = "UPDATE ledger_receipts SET segment = $4, place = $5, at = $6 \
                       WHERE ledger = $1 AND segment = $2 AND place = $3";

/// The name of the ledger in `directory`, made when it is asked for first. It outlives the process and the database.
pub(super) fn name(directory: &Path) -> io::Result<String> {
    let path = directory.join(FILE);
    match fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let name = uuid::Uuid::now_v7().simple().to_string();
    // A name that were lost with the machine would have everything applied again under another.
    let draft = directory.join("name.new");
    let mut file = fs::File::create(&draft)?;
    file.write_all(name.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    if cfg!(unix) {
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(name)
}

/// Where the next batch begins.
pub(super) async fn read(db: &Db, ledger: &str) -> Result<Position, DbError> {
    let Some(row) = db.row(READ, &[ledger.into()]).await? else { return Ok(Position::default()) };
    let number = |column| row.int(column).map(i64::cast_unsigned);
    Ok(Position { segment: number("segment")?, offset: number("place")? })
}

/// Moves the receipt; `false` when it is not where it was believed to be.
pub(super) async fn advance(
    tx: &mut Tx,
    ledger: &str,
    from: Position,
    to: Position,
    now_ms: i64,
) -> Result<bool, DbError> {
    if from == Position::default() {
        tx.execute(BEGIN, &[ledger.into(), now_ms.into()]).await?;
    }
    let number = |number: u64| number.cast_signed().into();
    let params = [
        ledger.into(),
        number(from.segment),
        number(from.offset),
        number(to.segment),
        number(to.offset),
        now_ms.into(),
    ];
    Ok(tx.execute(ADVANCE, &params).await? > 0)
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [READ, BEGIN, ADVANCE].map(str::to_owned).into()
}
