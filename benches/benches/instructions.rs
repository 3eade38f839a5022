//! How many instructions each call executes, counted by callgrind: that does not depend on what else the machine
//! does, so a later change can be compared exactly.
//!
//! ```sh
//! cargo bench -p benches --bench instructions               # writes benches/instructions.txt
//! cargo bench -p benches --bench instructions -- --compare  # fails if it is not what would be written
//! ```
//!
//! What the kernel executes is not in it. Rows of rivals that look at the clock can differ a little from run to
//! run, so only those of the bare call and of ours are compared.

use std::{
    collections::BTreeMap, env, error::Error, fmt::Write as _, fs, hint::black_box, path::Path,
    process::Command,
};

use benches::{asked, contender::Contender, contenders, results};

const ROUNDS: u32 = 1_000;
const CHILD: &str = "--count";
const COMPARE: &str = "--compare";
/// As callgrind knows it. (It takes no wildcards where it is to dump.)
const COUNTED: &str = "instructions::counted";

/// Callgrind counts what is executed in here. (It returns something so that its last call is not a jump, after which
/// callgrind would not see it end.)
#[inline(never)]
fn counted(contender: &Contender) -> u32 {
    contender.run(ROUNDS.into());
    black_box(ROUNDS)
}

/// Names everything before it is counted.
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

/// The instructions of each round of everything, by its group and its name.
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

/// The instructions in one part of callgrind's output.
fn of_part(path: &Path) -> Result<f64, Box<dyn Error>> {
    let part = fs::read_to_string(path)?;
    let totals = part.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(totals.ok_or("callgrind counted nothing")?.trim().parse()?)
}

/// One line each: the instructions, what they are of, in which group.
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

/// The rows that must be the same in each run.
fn exact(text: &str) -> Vec<&str> {
    let is_ours = |row: &&str| row.contains("| cutout") || row.contains("| bare call");
    text.lines().filter(is_ours).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().any(|arg| arg == CHILD) {
        count();
        return Ok(());
    }
    if !asked::for_bench("instructions") || !asked::to_measure() {
        return Ok(());
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!(
            "instructions: left out, as there is no valgrind (Debian: apt-get install valgrind)"
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
        return Err("instructions: not those of benches/instructions.txt".into());
    }
    println!("instructions: {} rows of ours are the same", kept.len());
    Ok(())
}
