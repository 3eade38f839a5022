//! Generates a module for each planted bug that is a small edit of a shipped file.
//! `src/bugs/patched.rs` says how these modules are used.
//!
//! For each table row it copies the part that the patched file belongs to, and every part built on
//! that one. These are `atomic_word.rs` or `hints.rs`, the window and the core, or any other file
//! alone. It then writes a module in which the copy replaces the shipped part. A text that does not
//! occur exactly once is an error: the shipped code has changed, and the row must follow.

#[path = "src/bugs/patched/tables.rs"]
mod tables;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tables::{ORDERINGS, Patch, TABLES};

/// Parts of the machine that a patch can need a copy of, each with its files.
const PARTS: &[(&str, &[&str])] = &[
    ("atomic_word", &["atomic_word.rs"]),
    (
        "trip",
        &[
            "trip/mod.rs",
            "trip/slot.rs",
            "trip/ring/mod.rs",
            "trip/ring/failure_ring.rs",
            "trip/buckets/mod.rs",
            "trip/buckets/time_buckets.rs",
        ],
    ),
    ("hints", &["hints.rs"]),
    ("core", &["core.rs"]),
    ("diagnostics", &["diagnostics.rs"]),
    ("transition_queue", &["transition_queue.rs"]),
    ("event_count", &["event_count.rs"]),
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

/// Not copied: their types belong to the shipped rules, and a copy would be another type. Each
/// module takes the place of one of them, with the shipped types and the copies below it.
const PURE: &[(&str, &str)] = &[
    (
        "trip/mod.rs",
        "pub(crate) use crate::machine::trip::*;\n\
         pub(crate) mod buckets;\npub(crate) mod ring;\npub(crate) mod slot;\n",
    ),
    ("trip/ring/mod.rs", "pub(crate) mod failure_ring;\n"),
    ("trip/buckets/mod.rs", "pub(crate) mod time_buckets;\n"),
];

/// Returns `true` if this patch needs a copy of this part.
fn is_copied(part: &str, files: &[&str], patch: &Patch) -> bool {
    let below_the_window = ["atomic_word.rs", "hints.rs"].contains(&patch.file);
    let below_the_core = below_the_window || patch.file.starts_with("trip/");
    files.contains(&patch.file)
        || (part == "trip" && below_the_window)
        || (part == "core" && below_the_core)
}

/// Copies the files that the patch needs, and returns the module that contains the copies.
fn module(patch: &Patch, here: &Path, machine: &Path, out: &Path) -> String {
    let own = out.join(patch.name);
    let mut copied = String::new();
    let mut shipped = vec!["rules", "fast_path", "step", "tick", "word"];
    for (part, files) in PARTS {
        if !is_copied(part, files, patch) {
            shipped.push(part);
            continue;
        }
        for file in *files {
            let text = fs::read_to_string(machine.join(file)).expect("a file of the machine");
            let text = match *file {
                file if file == patch.file => patched(patch, text),
                file => match PURE.iter().find(|(pure, _)| *pure == file) {
                    Some((_, instead)) => (*instead).into(),
                    None => text,
                },
            };
            let copy = own.join(file);
            fs::create_dir_all(copy.parent().expect("it has one")).expect("OUT_DIR is ours");
            fs::write(copy, text).expect("OUT_DIR is ours");
        }
        copied.push_str(&declared(part, &own.join(files[0])));
    }
    let (name, shipped) = (patch.name, shipped.join(", "));
    let glue = declared("driver", &here.join("src/driver.rs"));
    format!(
        "mod {name} {{\n\
         mod machine {{\npub(crate) use crate::machine::{{{shipped}}};\n{copied}}}\n\
         {glue}}}\n"
    )
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
        breaks,
        what,
        seen,
        model,
        gives_away,
        ..
    } = patch;
    format!(
        "Bug {{ breaks: {breaks:?}, what: {what:?}, seen: {seen:?}, model: {model:?}, gives_away: {gives_away:?}, \
         plant: models::{model}::<{name}::driver::Shipped> }},\n"
    )
}
