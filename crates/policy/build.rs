//! Prepares the model catalog for the binary: one sorted `name<TAB>row` line a model, compressed. Sorting here
//! and not needing to scan JSON keeps the start of the process fast; 2 MB of text become about 100 kB.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use flate2::{Compression, write::ZlibEncoder};

const SOURCE: &str = "catalog/models.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let text = std::fs::read_to_string(SOURCE)?;
    let mut models = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('"') && !line.starts_with("\"_about\":")) {
        let (name, row) = line[1..].split_once("\":").ok_or_else(|| format!("not a model: {line}"))?;
        if name.contains(['\\', '\t']) {
            return Err(format!("a name that would have to be escaped: {name}").into());
        }
        models.push((name.to_ascii_lowercase(), name, row.trim_end_matches(',')));
    }
    models.sort_unstable();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    for (_, name, row) in models {
        writeln!(encoder, "{name}\t{row}")?;
    }
    let target = std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or("OUT_DIR is not set")?;
    std::fs::write(target.join("models.zlib"), encoder.finish()?)?;
    Ok(())
}
