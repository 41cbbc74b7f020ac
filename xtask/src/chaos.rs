//! `cargo xtask chaos`: the long run of the random driver test, and the proof of what it can see.
//!
//! The test (`ndis-host/chaos`) is a process of its own, for a hole may kill it: it says which
//! seed it begins, and this side draws the picture, keeps the counts, and names the seed whatever
//! the end. `--planted` puts each known hole back into a copy of the tree and has it found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::{Args as _, error::ErrorKind};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    say::{self, READER_GONE, say},
    steps::{self, Outcome},
    toolchain::{self, cargo},
    workspace,
};

/// The test's package, and where its binary is built.
const PACKAGE: &str = "ndis-chaos";
const PROFILE: &str = "chaos";
/// Under Miri as the scenarios are.
const MIRI_FLAGS: &str = "-Zmiri-strict-provenance -Zmiri-disable-isolation";
/// A run takes milliseconds: so long without a word, and it hangs.
const SILENCE: Duration = Duration::from_secs(120);
/// The status with which the test refuses its options.
const USAGE: i32 = 2;
/// From so many runs on each act must have been done.
const COVERS: u64 = 2_000;

/// What to run.
#[derive(clap::Args)]
pub struct ChaosArgs {
    /// How many runs.
    #[arg(long, default_value_t = COVERS)]
    seeds: u64,
    /// The seed of the first one.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// This run alone, with everything that happens in it.
    #[arg(long, conflicts_with_all = ["seeds", "first", "json", "planted"])]
    seed: Option<u64>,
    /// This cast alone: clients above a miniport call manager, or above one that stands alone, or
    /// drivers that are both, or with VCs that are joined. Without it, of eight seeds two have the
    /// second, and one each the third and the last.
    #[arg(long, value_parser = ["mcm", "alone", "both", "joined"], conflicts_with = "planted")]
    cast: Option<String>,
    /// Leave out an act, by its name in the table.
    #[arg(long, value_name = "ACT", value_delimiter = ',')]
    without: Vec<String>,
    /// Write the counts and findings to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Put each known hole back into a copy of the tree, and have it found.
    #[arg(long, conflicts_with_all = ["seeds", "first", "without", "json"])]
    planted: bool,
    /// With `--planted`: only the holes whose names contain one of these.
    #[arg(value_name = "HOLE")]
    only: Vec<String>,
}

impl ChaosArgs {
    /// The cast, as it is asked for.
    fn cast(&self) -> String {
        let cast = self.cast.as_ref();
        cast.map_or_else(String::new, |cast| format!(" --cast {cast}"))
    }

    /// What the test is told as well.
    fn passed(&self) -> Vec<String> {
        let mut passed = Vec::new();
        if !self.without.is_empty() {
            passed.extend(["--without".to_owned(), self.without.join(",")]);
        }
        if let Some(cast) = &self.cast {
            passed.extend(["--cast".to_owned(), cast.clone()]);
        }
        passed
    }

    /// What is wrong with the options, beyond what clap sees.
    fn refusal(&self) -> Option<clap::Error> {
        let (kind, message) = if self.seeds == 0 {
            (
                ErrorKind::ValueValidation,
                "invalid value '0' for '--seeds': that would be no run at all".to_owned(),
            )
        } else if let Some(word) = self.only.first().filter(|_| !self.planted) {
            (
                ErrorKind::UnknownArgument,
                format!("unknown argument '{word}' (the names of holes go with --planted)"),
            )
        } else {
            return None;
        };
        let mut command = Self::augment_args(clap::Command::new("cargo xtask chaos"));
        Some(command.error(kind, message))
    }
}

/// What is known of the runs.
#[derive(Default, Serialize)]
struct Account {
    first: u64,
    runs: u64,
    events: u64,
    /// What is wrong, by seed.
    findings: BTreeMap<u64, Vec<String>>,
    /// How often each act was done.
    acts: Vec<(String, u64)>,
    #[serde(skip)]
    running: BTreeSet<u64>,
    /// The process died, or was silent for too long, with these runs under way.
    died: Option<String>,
}

impl Account {
    fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.died.is_none()
    }

    /// The last line: how many runs, and whether anything was found.
    fn verdict(&self) -> String {
        let (runs, events) = (self.runs, self.events);
        let found = match (self.findings.len(), &self.died) {
            (0, None) => "no finding",
            (0, Some(_)) => "the process did not get to the end",
            (1, _) => "1 seed with findings",
            (seeds, _) => &format!("{seeds} seeds with findings"),
        };
        format!("{runs} runs, {events} events: {found}")
    }
}

/// Runs the command.
pub fn run(args: &ChaosArgs) -> Result<()> {
    if let Some(error) = args.refusal() {
        error.exit();
    }
    if args.planted {
        return planted(&args.only);
    }
    if let Some(path) = &args.json {
        // Better now than after the run.
        fs::write(path, "").with_context(|| format!("cannot write {}", path.display()))?;
    }
    let binary = build(&workspace::root(), &workspace::target())?;
    if let Some(seed) = args.seed {
        let mut command = Command::new(binary);
        command.args(["--verbose", "--first", &seed.to_string()]);
        command.args(args.passed());
        return alone(seed, &mut command);
    }
    let mut account = watch(&binary, args.first, args.seeds, &args.passed())?;
    if account.died.is_some() {
        narrow(&binary, &mut account, &args.passed())?;
    }
    if let Some(path) = &args.json {
        fs::write(path, serde_json::to_string_pretty(&account)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    table(&account);
    say!("{}", account.verdict());
    for (seed, lines) in &account.findings {
        say!("\nseed {seed}:");
        for line in lines {
            say!("  {line}");
        }
        say!("repeat: cargo xtask chaos --seed {seed}{}", args.cast());
    }
    if let Some(died) = &account.died {
        say!("\nthe process {died}");
    }
    if !account.is_clean() {
        bail!("a rule of the test does not hold");
    }
    let idle: Vec<&str> = account
        .acts
        .iter()
        .filter(|(name, count)| *count == 0 && !left_out(name, &args.without))
        .map(|(name, _)| name.as_str())
        .collect();
    if args.seeds >= COVERS && args.cast.is_none() && !idle.is_empty() {
        bail!("acts that were never done: {}", idle.join(", "));
    }
    Ok(())
}

/// One run, which says what happens in it.
fn alone(seed: u64, command: &mut Command) -> Result<()> {
    say!("$ {}", steps::line(command));
    let status = command.status()?;
    match status.code() {
        Some(0) => {
            say!("seed {seed}: no finding");
            Ok(())
        }
        Some(code) if code == i32::from(READER_GONE) => say::reader_gone(),
        Some(1) => bail!("seed {seed}: a rule of the test does not hold"),
        Some(USAGE) => bail!("the test cannot be run like this"),
        _ => bail!("seed {seed}: the process ended with {status}"),
    }
}

/// The name of an act without its group's.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn left_out(name: &str, without: &[String]) -> bool {
    without
        .iter()
        .any(|act| act.eq_ignore_ascii_case(short(name)))
}

/// Builds the test of the tree at `root`.
fn build(root: &Path, target: &Path) -> Result<PathBuf> {
    let mut build = cargo(&["build", "--profile", PROFILE, "--package", PACKAGE]);
    build.current_dir(root).env("CARGO_TARGET_DIR", target);
    steps::run(&mut build)?;
    let name = format!("{PACKAGE}{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join(PROFILE).join(name))
}

/// Has the test run on every processor, and keeps account.
fn watch(binary: &Path, first: u64, seeds: u64, passed: &[String]) -> Result<Account> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut command = Command::new(binary);
    command
        .args(["--first", &first.to_string(), "--seeds", &seeds.to_string()])
        .args(["--threads", &threads.to_string()])
        .stdout(Stdio::piped());
    command.args(passed);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let output = child.stdout.take().context("the test has no output")?;
    let (send, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    let bar = ProgressBar::new(seeds);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {per_sec}, {eta} to go{msg}")
    {
        bar.set_style(style);
    }
    let mut account = Account {
        first,
        ..Account::default()
    };
    let mut finding = None;
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => take(&line, &mut account, &mut finding, &bar),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                account.died = Some(format!(
                    "was silent for {} s in the runs {:?}",
                    SILENCE.as_secs(),
                    account.running
                ));
                child.kill()?;
                break;
            }
        }
    }
    let status = child.wait()?;
    let _ = reader.join();
    bar.finish_and_clear();
    if status.code() == Some(USAGE) {
        // It has said why.
        bail!("the test cannot be run like this");
    }
    if account.died.is_none() && !matches!(status.code(), Some(0 | 1)) {
        account.died = Some(format!(
            "ended with {status} in one of the runs {:?}",
            account.running
        ));
    }
    Ok(account)
}

/// Takes in one line of the test's.
fn take(line: &str, account: &mut Account, finding: &mut Option<u64>, bar: &ProgressBar) {
    if let Some(text) = line.strip_prefix("| ") {
        if let Some(seed) = finding {
            account
                .findings
                .entry(*seed)
                .or_default()
                .push(text.to_owned());
        }
        return;
    }
    let words: Vec<&str> = line.splitn(3, ' ').collect();
    let number = |text: &str| text.trim().parse::<u64>().unwrap_or(0);
    match words.as_slice() {
        ["begin", _, seed] => {
            account.running.insert(number(seed));
        }
        ["end", _, rest] => {
            let (seed, events) = rest.split_once(' ').unwrap_or((rest, ""));
            account.running.remove(&number(seed));
            account.runs += 1;
            account.events += number(events);
            bar.inc(1);
        }
        ["finding", seed] => {
            *finding = Some(number(seed));
            account.findings.entry(number(seed)).or_default();
            bar.set_message(format!(", {} with findings", account.findings.len()));
        }
        ["act", count, name] => account.acts.push(((*name).to_owned(), number(count))),
        _ => bar.println(line),
    }
}

/// The process has died: which of the runs that were under way was it?
fn narrow(binary: &Path, account: &mut Account, passed: &[String]) -> Result<()> {
    for seed in account.running.clone() {
        let mut command = Command::new(binary);
        command.args(["--first", &seed.to_string()]);
        command.args(passed);
        command.stdout(Stdio::null());
        let status = ended(&mut command)?;
        if status.is_none_or(|status| status.code() != Some(0)) {
            let how = status.map_or("hangs".to_owned(), |status| status.to_string());
            account
                .findings
                .entry(seed)
                .or_default()
                .push(format!("alone, the run's process ends so: {how}"));
        }
    }
    Ok(())
}

/// How a command ends; None when it does not within the time that is too long for a run.
fn ended(command: &mut Command) -> Result<Option<ExitStatus>> {
    let mut child = command.spawn()?;
    for _ in 0..SILENCE.as_millis() / 50 {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// What was done how often, group by group.
fn table(account: &Account) {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for (name, count) in &account.acts {
        let group = name.split('/').next().unwrap_or_default();
        let entry = format!("{} {count}", short(name));
        match groups.last_mut() {
            Some((last, entries)) if *last == group => entries.push(entry),
            _ => groups.push((group, vec![entry])),
        }
    }
    for (group, entries) in groups {
        let mut line = format!("{group:16}");
        for (at, entry) in entries.iter().enumerate() {
            if line.len() + entry.len() > 118 {
                say!("{}", line.trim_end());
                line = " ".repeat(16);
            }
            line.push_str(entry);
            if at + 1 < entries.len() {
                line.push_str(", ");
            }
        }
        say!("{line}");
    }
}

/// A known hole: a patch that puts it back, and how it is found.
///
/// The lines before the patch's first `diff` say it:
///
/// ```text
/// Hole: what it is
/// Seeds: 5000             at most so many runs, the first of them 0
/// Finds: CALL-61          a word of the finding, "crash", or (several lines) any of them
/// Miri: yes               only Miri sees it; the package's tests are run under it
/// ```
struct Hole {
    name: String,
    patch: PathBuf,
    what: String,
    seeds: u64,
    finds: Vec<String>,
    miri: bool,
}

fn holes(root: &Path) -> Result<Vec<Hole>> {
    let folder = root.join("ndis-host/chaos/planted");
    let mut patches: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "patch"))
        .collect();
    patches.sort();
    let mut holes = Vec::new();
    for patch in patches {
        let text = workspace::read(&patch)?;
        let head = text.split("\ndiff ").next().unwrap_or_default();
        let all = |key: &str| -> Vec<String> {
            let lines = head.lines().filter_map(|line| line.strip_prefix(key));
            lines.map(|value| value.trim().to_owned()).collect()
        };
        let name = patch.file_stem().unwrap_or_default();
        let (what, seeds, finds) = (all("Hole:"), all("Seeds:"), all("Finds:"));
        if what.is_empty() || finds.is_empty() {
            bail!(
                "{} does not say what it is and how it is found",
                patch.display()
            );
        }
        holes.push(Hole {
            name: name.to_string_lossy().into_owned(),
            what: what.join(" "),
            seeds: seeds.first().map_or(Ok(5_000), |seeds| seeds.parse())?,
            finds,
            miri: all("Miri:").iter().any(|value| value == "yes"),
            patch,
        });
    }
    Ok(holes)
}

/// The files of the tree that git knows of.
fn tracked(root: &Path) -> Result<Vec<String>> {
    let mut list = Command::new("git");
    list.current_dir(root).args(["ls-files", "-z"]);
    let files = steps::output(&mut list).context("cannot ask git for the files of the tree")?;
    let files = files.split('\0').filter(|name| !name.is_empty());
    Ok(files.map(ToOwned::to_owned).collect())
}

/// Makes `copy` what the tree is. What is the same already is left alone, so that cargo sees no
/// change in it.
fn bring(root: &Path, copy: &Path, files: &[String]) -> Result<()> {
    for name in files {
        let (from, to) = (root.join(name), copy.join(name));
        let Ok(new) = fs::read(&from) else {
            // Deleted, and not yet told git.
            continue;
        };
        if fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&to, new).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

/// The holes whose names contain one of the words `only`; all when there is no word.
fn chosen(holes: Vec<Hole>, only: &[String]) -> Result<Vec<Hole>> {
    let named = |hole: &Hole, word: &String| hole.name.contains(word.as_str());
    if let Some(word) = only
        .iter()
        .find(|word| !holes.iter().any(|hole| named(hole, word)))
    {
        let names: Vec<&str> = holes.iter().map(|hole| hole.name.as_str()).collect();
        bail!(
            "no hole has '{word}' in its name; the holes are\n  {}",
            names.join("\n  ")
        );
    }
    let mut holes = holes;
    holes.retain(|hole| only.is_empty() || only.iter().any(|word| named(hole, word)));
    Ok(holes)
}

/// Every hole is put back into a copy of the tree and must be found there.
fn planted(only: &[String]) -> Result<()> {
    let root = workspace::root();
    let files = tracked(&root)?;
    let place = workspace::target().join("planted");
    // One copy for all of them: cargo then builds again only what a patch changes.
    let copy = place.join("tree");
    let mut missed = Vec::new();
    for hole in chosen(holes(&root)?, only)? {
        say!("\n== {}: {}", hole.name, hole.what);
        bring(&root, &copy, &files)?;
        let mut apply = Command::new("git");
        // The copy is no repository, and is not taken for a part of this one.
        apply
            .current_dir(&copy)
            .env("GIT_CEILING_DIRECTORIES", &place)
            .arg("apply")
            .arg(&hole.patch);
        steps::run(&mut apply)?;
        let found = if hole.miri {
            by_miri(&hole, &copy, &place)?
        } else {
            by_seeds(&hole, &copy, &place)?
        };
        match found {
            Some(how) => say!("found: {how}"),
            None => {
                say!("NOT found");
                missed.push(hole.name);
            }
        }
    }
    bring(&root, &copy, &files)?;
    if !missed.is_empty() {
        bail!("holes that the test does not see: {}", missed.join(", "));
    }
    Ok(())
}

fn by_seeds(hole: &Hole, copy: &Path, place: &Path) -> Result<Option<String>> {
    let binary = build(copy, &place.join("target"))?;
    // Not every finding is the one: the runs go on behind another.
    let mut first = 0;
    while first < hole.seeds {
        let mut account = watch(&binary, first, hole.seeds - first, &[])?;
        let mut last = account.findings.keys().next_back().copied();
        if account.died.is_some() {
            narrow(&binary, &mut account, &[])?;
            last = account.findings.keys().next_back().copied().max(last);
            if let Some((seed, _)) = account.findings.iter().find(|_| hole.finds("crash")) {
                return Ok(Some(format!("seed {seed} kills the process")));
            }
        }
        for (seed, lines) in &account.findings {
            if let Some(line) = lines.iter().find(|line| hole.finds(line)) {
                return Ok(Some(format!("seed {seed}: {line}")));
            }
        }
        let Some(last) = last else { break };
        first = last + 1;
    }
    Ok(None)
}

impl Hole {
    fn finds(&self, line: &str) -> bool {
        self.finds.iter().any(|word| line.contains(word.as_str()))
    }
}

fn by_miri(hole: &Hole, copy: &Path, place: &Path) -> Result<Option<String>> {
    if let Some(missing) = toolchain::need_miri()? {
        let (Outcome::Passed(why) | Outcome::Skipped(why) | Outcome::Missing(why)) = missing;
        bail!("{} is seen by Miri only: {why}", hole.name);
    }
    let mut test = toolchain::nightly_cargo(&["miri", "test", "--package", PACKAGE, "--tests"]);
    test.current_dir(copy)
        .env("CARGO_TARGET_DIR", place.join("target"))
        .env("MIRIFLAGS", MIRI_FLAGS);
    let output = test.output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| hole.finds(line));
    Ok(line
        .filter(|_| !output.status.success())
        .map(ToOwned::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};

    /// The options as they are typed.
    fn parse(words: &[&str]) -> Result<ChaosArgs, clap::Error> {
        let command = ChaosArgs::augment_args(clap::Command::new("chaos").no_binary_name(true));
        let args = ChaosArgs::from_arg_matches(&command.try_get_matches_from(words)?)?;
        args.refusal().map_or(Ok(args), Err)
    }

    fn refusal(words: &[&str]) -> String {
        let error = parse(words).map(drop).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn a_word_that_means_nothing_is_named() {
        let text = refusal(&["foo"]);
        assert!(text.starts_with("error: unknown argument 'foo'"), "{text}");
        assert!(text.contains("Usage: cargo xtask chaos"), "{text}");
        assert_eq!(parse(&["--planted", "foo"]).unwrap().only, ["foo"]);
    }

    #[test]
    fn no_run_at_all_is_refused() {
        let text = refusal(&["--seeds", "0"]);
        assert!(text.contains("invalid value '0' for '--seeds'"), "{text}");
        assert!(text.contains("Usage: cargo xtask chaos"), "{text}");
        assert_eq!(parse(&["--seeds", "1"]).unwrap().seeds, 1);
    }

    #[test]
    fn options_that_would_be_passed_over_are_refused() {
        for words in [
            ["--planted", "--seeds=5"],
            ["--planted", "--without=Pause"],
            ["--seed=3", "--json=a"],
        ] {
            assert!(refusal(&words).contains("cannot be used with"), "{words:?}");
        }
    }

    #[test]
    fn the_last_line_says_what_was_found() {
        let mut account = Account {
            runs: 20,
            events: 300,
            ..Account::default()
        };
        assert_eq!(account.verdict(), "20 runs, 300 events: no finding");
        account.findings.insert(7, Vec::new());
        assert_eq!(
            account.verdict(),
            "20 runs, 300 events: 1 seed with findings"
        );
        account.findings.insert(8, Vec::new());
        assert_eq!(
            account.verdict(),
            "20 runs, 300 events: 2 seeds with findings"
        );
        account.findings.clear();
        account.died = Some("was silent".to_owned());
        assert!(!account.verdict().contains("no finding"));
    }

    #[test]
    fn a_hole_is_chosen_by_a_part_of_its_name() {
        let all = holes(&workspace::root()).unwrap();
        let name = all[0].name.clone();
        let found = chosen(all, std::slice::from_ref(&name)).unwrap();
        assert!(found.iter().all(|hole| hole.name.contains(&name)) && !found.is_empty());
        let all = holes(&workspace::root()).unwrap();
        let error = chosen(all, &["nosuchhole".to_owned()])
            .map(drop)
            .unwrap_err();
        assert!(error.to_string().contains(&name), "{error}");
    }

    /// `--planted` takes too long for the tests; that its patches still fit the tree does not.
    #[test]
    fn every_planted_hole_can_be_planted() {
        let root = workspace::root();
        let holes = holes(&root).unwrap();
        assert!(!holes.is_empty());
        for hole in holes {
            let mut check = Command::new("git");
            check.current_dir(&root).args(["apply", "--check"]);
            let applies = check.arg(&hole.patch).output().unwrap();
            let says = String::from_utf8_lossy(&applies.stderr);
            assert!(applies.status.success(), "{}: {says}", hole.name);
        }
    }
}
