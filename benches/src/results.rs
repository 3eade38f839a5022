//! Paths and files of results.

use std::{env, fs, io, path::PathBuf};

use serde_json::Value;

/// Cargo's target directory, which criterion also writes to.
#[must_use]
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| benches().join("../target"), PathBuf::from)
}

/// The folder of this crate.
#[must_use]
pub fn benches() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Writes results that criterion did not measure.
///
/// # Errors
///
/// Returns an error if the file can't be written.
pub fn write(name: &str, results: &Value) -> io::Result<()> {
    let folder = target().join("measured");
    fs::create_dir_all(&folder)?;
    let path = folder.join(name).with_extension("json");
    fs::write(&path, format!("{results:#}\n"))?;
    println!("{}", path.display());
    Ok(())
}

/// Reads results of [`write()`].
///
/// # Errors
///
/// Returns an error if there are none.
pub fn read(name: &str) -> io::Result<Value> {
    let path = target().join("measured").join(name).with_extension("json");
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}
