//! Generates a module for each planted bug that is a small edit of a shipped file.
//! `src/bugs/patched.rs` includes these modules.
//!
//! For each table row it copies the part of the machine that has the patched file, and every part
//! that is built on that one. A patch of `atomic_word.rs` or `hints.rs` also copies the windows and
//! the core, and a patch of a window also copies the core. Any other file is copied alone. It then
//! writes a module in which the copies replace the shipped parts. A text that does not occur
//! exactly once is an error: the shipped code has changed, and the row must follow.

#[path = "src/bugs/patched/tables.rs"]
mod tables;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tables::{ORDERINGS, Patch, TABLES};

/// Parts of the machine that a patch can need a copy of. Those of `trip` are several files.
const PARTS: &[&str] = &[
    "atomic_word",
    "trip",
    "hints",
    "core",
    "diagnostics",
    "transition_queue",
    "event_count",
];

fn main() {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let here = package
        .ancestors()
        .find(|folder| folder.join("build.rs").is_file())
        .expect("this file");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let machine = here.join("../src/machine");
    for read in [here.join("src/bugs/patched"), machine.clone()] {
        println!("cargo::rerun-if-changed={}", read.display());
    }
    // shuttle has one memory order, so it finds none of them.
    let orderings = if package == here { ORDERINGS } else { &[] };
    let patches = || orderings.iter().chain(TABLES.iter().copied().flatten());
    let modules = patches().map(|patch| module(patch, here, &machine, &out));
    let rows = patches().map(row);
    let written = format!(
        "{}pub(super) const BUGS: &[Bug] = &[\n{}];\n",
        modules.collect::<String>(),
        rows.collect::<String>(),
    );
    fs::write(out.join("patched.rs"), written).expect("OUT_DIR is ours");
}

/// Returns `true` if this patch needs a copy of this part.
fn is_copied(part: &str, patch: &Patch) -> bool {
    let in_trip = patch.file.starts_with("trip/");
    let below_the_window = ["atomic_word.rs", "hints.rs"].contains(&patch.file);
    patch.file.strip_suffix(".rs") == Some(part)
        || (part == "trip" && (in_trip || below_the_window))
        || (part == "core" && (in_trip || below_the_window))
}

/// Copies the files that the patch needs, and returns the module that contains the copies.
fn module(patch: &Patch, here: &Path, machine: &Path, out: &Path) -> String {
    let copies = Copies {
        patch,
        machine,
        out: &out.join(patch.name),
    };
    let mut parts = String::new();
    let mut shipped = vec!["rules", "fast_path", "step", "tick", "word"];
    for part in PARTS {
        if !is_copied(part, patch) {
            shipped.push(part);
        } else if *part == "trip" {
            parts.push_str(&copies.trip());
        } else {
            parts.push_str(&copies.declared(part, &format!("{part}.rs")));
        }
    }
    let (name, shipped) = (patch.name, shipped.join(", "));
    let glue = declared("driver", &here.join("src/driver.rs"));
    format!(
        "mod {name} {{\n\
         mod machine {{\npub(crate) use crate::machine::{{{shipped}}};\n{parts}}}\n\
         {glue}}}\n"
    )
}

/// The copies that a patch needs.
struct Copies<'a> {
    patch: &'a Patch,
    machine: &'a Path,
    /// The folder of the copies.
    out: &'a Path,
}

impl Copies<'_> {
    /// The text of a file of the machine, patched if the patch is of this file.
    fn text(&self, file: &str) -> String {
        let text = fs::read_to_string(self.machine.join(file)).expect("a file of the machine");
        if file == self.patch.file {
            patched(self.patch, text)
        } else {
            text
        }
    }

    /// Writes a copy, and declares it as a module.
    fn written(&self, module: &str, file: &str, text: String) -> String {
        let copy = self.out.join(file);
        fs::create_dir_all(copy.parent().expect("it has one")).expect("OUT_DIR is ours");
        fs::write(&copy, text).expect("OUT_DIR is ours");
        declared(module, &copy)
    }

    /// Copies a file, and declares the copy as a module.
    fn declared(&self, module: &str, file: &str) -> String {
        self.written(module, file, self.text(file))
    }

    /// Copies the data of the external windows: the module `external` at the end of `trip/mod.rs`,
    /// `trip/slot.rs`, and the files beside the `mod.rs` of each folder.
    ///
    /// The kinds of windows are not copied: the shipped rules contain them, and a copy would be
    /// another type.
    fn trip(&self) -> String {
        let text = self.text("trip/mod.rs");
        let (_, external) = text
            .split_once("pub(crate) mod external {\n")
            .expect("trip/mod.rs has the data of external windows");
        let external = external.strip_suffix("}\n").expect("it is at the end");
        let mut parts = self.written("external", "trip/external.rs", external.into());
        parts.push_str(&self.declared("slot", "trip/slot.rs"));
        for kind in folders(&self.machine.join("trip")) {
            let files = files(&self.machine.join("trip").join(&kind));
            let files = files.iter().filter(|file| *file != "mod.rs");
            let data = files.map(|file| {
                let module = file.strip_suffix(".rs").expect("a file of Rust");
                self.declared(module, &format!("trip/{kind}/{file}"))
            });
            parts.push_str(&replaced(
                &format!("trip::{kind}"),
                &data.collect::<String>(),
            ));
        }
        replaced("trip", &parts)
    }
}

/// A module with what is in a shipped module, except for these copies.
fn replaced(path: &str, copies: &str) -> String {
    let name = path.rsplit("::").next().expect("a path has a name");
    format!("pub(crate) mod {name} {{\npub(crate) use crate::machine::{path}::*;\n{copies}}}\n")
}

/// The names of the folders in a folder, sorted.
fn folders(folder: &Path) -> Vec<String> {
    names(folder, Path::is_dir)
}

/// The names of the files in a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    names(folder, Path::is_file)
}

fn names(folder: &Path, wanted: fn(&Path) -> bool) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder of the machine");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let wanted = paths.filter(|path| wanted(path));
    let name = |path: PathBuf| path.file_name()?.to_str().map(String::from);
    let mut names: Vec<_> = wanted.filter_map(name).collect();
    names.sort();
    names
}

/// Declares a module whose source is this file.
fn declared(module: &str, file: &Path) -> String {
    let file = file.to_str().expect("a path in UTF-8");
    format!("#[path = {file:?}] pub(crate) mod {module};\n")
}

fn patched(patch: &Patch, text: String) -> String {
    patch.edits.iter().fold(text, |text, (from, to)| {
        let times = text.matches(from).count();
        let (name, file) = (patch.name, patch.file);
        assert!(times == 1, "{name}: {file} has this {times} times: {from}");
        text.replace(from, to)
    })
}

fn row(patch: &Patch) -> String {
    let Patch {
        name,
        invariants,
        what,
        reported_in,
        model,
        expected_message,
        ..
    } = patch;
    format!(
        "Bug {{ invariants: {invariants:?}, what: {what:?}, reported_in: {reported_in:?}, model: {model:?}, expected_message: {expected_message:?}, \
         inject: models::{model}::<{name}::driver::Shipped> }},\n"
    )
}
