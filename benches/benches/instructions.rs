//! Number of instructions of each call, counted by callgrind. The number does not depend on other
//! load of the machine, so that later changes can be compared exactly.
//!
//! ```sh
//! cargo bench -p benches --bench instructions               # writes benches/instructions.txt
//! cargo bench -p benches --bench instructions -- --compare  # fails if it is not what would be written
//! ```
//!
//! Instructions of the kernel are not counted. Rows of rivals that read the clock can differ
//! slightly between runs. Only rows of the bare call and of cutout are compared.

use std::{
    collections::BTreeMap, env, error::Error, fmt::Write as _, fs, hint::black_box, path::Path,
    process::Command,
};

use benches::{cli, contender::Contender, contenders, results};

const ROUNDS: u32 = 1_000;
const CHILD: &str = "--count";
const COMPARE: &str = "--compare";
/// Symbol of [`counted`] in callgrind, whose `--dump-after` accepts no wildcards.
const COUNTED: &str = "instructions::counted";

/// Function whose instructions callgrind counts. It returns a value so that its last call is not a
/// tail call, after which callgrind would miss the return.
#[inline(never)]
fn counted(contender: &Contender) -> u32 {
    contender.run(ROUNDS.into());
    black_box(ROUNDS)
}

/// Prints the name of each contender, then runs the counted rounds.
fn count() {
    cutout::clock::warm_up();
    for (group, contenders) in contenders::all() {
        for contender in contenders() {
            contender.run(ROUNDS.into());
            println!("{group}\t{}", contender.name());
            counted(&contender);
        }
    }
}

/// Counts the instructions of a round, by group and name.
fn counts() -> Result<BTreeMap<String, f64>, Box<dyn Error>> {
    let folder = results::target().join("callgrind");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let out = folder.join("out");
    let child = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .arg(CHILD)
        .output()?;
    if !child.status.success() {
        return Err(String::from_utf8_lossy(&child.stderr).into());
    }
    let names = String::from_utf8(child.stdout)?;
    let count = |(part, name): (usize, &str)| {
        let instructions = of_part(&out.with_extension((part + 1).to_string()))?;
        Ok((name.into(), instructions / f64::from(ROUNDS)))
    };
    names.lines().enumerate().map(count).collect()
}

/// Returns the instructions in one part of callgrind's output.
fn of_part(path: &Path) -> Result<f64, Box<dyn Error>> {
    let part = fs::read_to_string(path)?;
    let totals = part.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(totals.ok_or("callgrind counted nothing")?.trim().parse()?)
}

/// Formats one line for each contender: instructions, group and name.
fn text(counts: &BTreeMap<String, f64>) -> Result<String, Box<dyn Error>> {
    let rustc = Command::new("rustc").arg("--version").output()?;
    let mut text = format!(
        "# instructions of each call, by callgrind; {}, {}\n",
        String::from_utf8(rustc.stdout)?.trim(),
        env::consts::ARCH,
    );
    for (name, count) in counts {
        writeln!(text, "{count:10.3}  {}", name.replace('\t', " | "))?;
    }
    Ok(text)
}

/// Returns the rows that must be equal in each run.
fn exact(text: &str) -> Vec<&str> {
    let is_ours = |row: &&str| row.contains("| cutout") || row.contains("| bare call");
    text.lines().filter(is_ours).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().any(|arg| arg == CHILD) {
        count();
        return Ok(());
    }
    if !cli::for_bench("instructions") || !cli::to_measure() {
        return Ok(());
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!(
            "instructions: skipped, since valgrind is missing (Debian: apt-get install valgrind)"
        );
        return Ok(());
    }
    let path = results::benches().join("instructions.txt");
    let now = text(&counts()?)?;
    if !env::args().any(|arg| arg == COMPARE) {
        fs::write(&path, now)?;
        println!("{}", path.display());
        return Ok(());
    }
    let kept = fs::read_to_string(&path)?;
    let (kept, now) = (exact(&kept), exact(&now));
    for row in kept.iter().filter(|row| !now.contains(row)) {
        println!("- {row}");
    }
    for row in now.iter().filter(|row| !kept.contains(row)) {
        println!("+ {row}");
    }
    if kept != now {
        return Err("instructions: rows differ from benches/instructions.txt".into());
    }
    println!("instructions: {} rows of cutout are equal", kept.len());
    Ok(())
}
