//! `cargo xtask test`: everything that proves the project on this machine.
//!
//! The steps go from cheap to dear; those with folders of their own run beside the others. What needs more than the stable toolchain (the Windows
//! targets' standard libraries, a nightly with Miri, Microsoft's headers) is fetched with rustup
//! where that can be done and skipped with its reason where not.

use std::{path::PathBuf, process::Command, thread};

use anyhow::{Result, bail};

use crate::{
    api_map,
    arch::Arch,
    bench, beside, c_client, c_header, circles, fuzz, guide, item_examples, miri, oids, package,
    rules,
    say::say,
    steps::{self, Outcome, Steps},
    sys,
    toolchain::{self, cargo},
    unsafe_code, wdk_sys, wine,
    workspace::{self, CheckArgs},
};

/// The crates that become part of a driver: no panic path in them.
const KERNEL_CRATES: [&str; 3] = ["ndis-sys", "ndis-co", "ndis-mcm"];

/// In the kernel a panic is a crash of the machine: nothing that can panic is written.
const NO_PANIC: [&str; 9] = [
    // Those of `NO_PANIC_METHODS`.
    "clippy::disallowed_methods",
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
    "clippy::unreachable",
    "clippy::todo",
    "clippy::unimplemented",
    "clippy::indexing_slicing",
    "clippy::string_slice",
];

/// The folder of the list of methods that panic.
const NO_PANIC_METHODS: &str = "xtask/no-panic";

/// The variable that names a folder with Microsoft's headers.
const HEADERS: &str = "NDIS_WDK_INCLUDE";

/// What to run.
#[derive(clap::Args)]
pub struct TestArgs {
    /// Run only the steps whose names contain one of these words.
    only: Vec<String>,
    /// List the steps, and run none.
    #[arg(long, conflicts_with = "only")]
    list: bool,
    /// Run only the steps that may run beside the others, and write how they ended to this file.
    #[arg(long = beside::OPTION, hide = true)]
    report: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &TestArgs) -> Result<()> {
    let mut steps = Steps::new(workspace::on_ci());
    steps.step("formatting", || {
        steps::run(&mut cargo(&["fmt", "--all", "--", "--check", "-l"]))
    });
    steps.step("spelling", spelling);
    steps.step("clippy", || {
        steps::run(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            // With the command that is optional.
            "--features",
            "xtask/bindgen",
            "--",
            "-D",
            "warnings",
        ]))
    });
    steps.step("no panic path in the kernel crates", no_panic);
    steps.step("unsafe code", unsafe_code::prove);
    steps.step("circles of files", circles::prove);
    steps.step("api map", || {
        api_map::run(CheckArgs { check: true }).map(|()| Outcome::PASSED)
    });
    steps.step("table of OIDs", || {
        oids::run(CheckArgs { check: true }).map(|()| Outcome::PASSED)
    });
    steps.step("rule table", rules::prove);
    steps.step("an example with each item", item_examples::prove);
    steps.step("proofs of the raw crate", || {
        // Not captured: the proofs print how many facts they compared.
        let proofs = [
            "test",
            "--package",
            "ndis-sys",
            "--no-fail-fast",
            "--lib",
            "--tests",
        ];
        steps::run_tests(cargo(&proofs).args(["--", "--nocapture"]))
    });
    steps.step("tests", tests);
    steps.step("examples in the documentation", || {
        steps::run_tests(&mut cargo(&[
            "test",
            "--workspace",
            "--no-fail-fast",
            "--doc",
        ]))
    });
    steps.step("documentation", documentation);
    steps.step_beside("packages as published", package::prove);
    steps.step(
        "compiles for x86, and tests for Windows",
        compiles_for_windows,
    );
    steps.step_beside("mixes with wdk-sys", wdk_sys::run);
    steps.step("demo", demo);
    steps.step("the C header", c_header::prove);
    steps.step("the client in C", c_client::prove);
    steps.step("images for x64 and arm64", sys::prove);
    steps.step("the image of the host, lints", image_lints);
    steps.step_beside("the guide, followed", guide::prove);
    steps.step("Wine loads and runs the images", wine::prove);
    steps.step("bench: safe code against raw", bench::prove);
    steps.step("generated code matches the headers", drift);
    steps.step_beside("fuzz, a smoke run", fuzz::smoke);
    steps.step_beside("Miri: scenarios that stand for all", miri::prove);
    if args.list {
        say!("{}", steps.list());
        return Ok(());
    }
    steps.run(&args.only, args.report.as_deref())
}

/// The package whose library's own tests are built apart.
const HOST: &str = "ndis-host";

/// All tests but those of the raw crate: built in one go, and run in two lanes, for most test programs
/// have not enough to do for two processors. Both lanes select their programs among the whole workspace, so that
/// neither builds anything again.
///
/// The host's own library is an exception: all tests want it fast, but its few own ones do not, and the compiler
/// takes twice as long for that as without. So these are built without optimizations, with nothing but the raw
/// crate beneath.
fn tests() -> Result<Outcome> {
    let test = |more: &[&str]| {
        let mut test = cargo(&["test", "--no-fail-fast"]);
        test.args(more);
        test
    };
    let all = ["--workspace", "--exclude", "ndis-sys"];
    let libraries = [&all[..], &["--exclude", HOST, "--lib", "--bins"]].concat();
    let slow = format!("profile.dev.package.{HOST}.opt-level=0");
    // With the raw crate's feature that the workspace has, for the sake of which it would be built again.
    let features = ["--features", "ndis-sys/image"];
    let own = [
        &["--package", HOST, "--lib", "--config", &slow],
        &features[..],
    ]
    .concat();
    let programs = [&all[..], &["--test", "*"]].concat();
    for words in [&libraries[..], &own, &programs] {
        steps::run(test(words).arg("--no-run"))?;
    }
    // About as long: most crates have most of their tests in one program, which is called `all`.
    let lanes = [
        vec![[&all[..], &["--test", "all"]].concat()],
        vec![
            libraries,
            own.to_vec(),
            [&all[..], &["--test", "[!a]*"]].concat(),
        ],
    ];
    let run = |lane: &[Vec<&str>]| {
        let runs = lane
            .iter()
            .map(|words| steps::run_tests_apart(&mut test(words)));
        // Each of them, whatever came of those before it.
        let outcomes: Vec<_> = runs.collect();
        outcomes.into_iter().sum::<Result<usize>>()
    };
    let outcomes = thread::scope(|scope| {
        let lanes = lanes.each_ref().map(|lane| scope.spawn(|| run(lane)));
        lanes.map(|lane| {
            lane.join()
                .unwrap_or_else(|_| bail!("a lane of the tests panicked"))
        })
    });
    let mut passed = 0;
    for outcome in outcomes {
        passed += outcome?;
    }
    Ok(Outcome::Passed(format!("{passed} tests")))
}

/// The program of the demo, built as the tests were. (`cargo xtask demo` has a profile of its own, for its
/// first build: the host would be built once more.)
fn demo() -> Result<Outcome> {
    let demo = toolchain::program("xtask-demo")?;
    for topology in ["wan", "switch", "alone"] {
        let few = ["--topology", topology, "--calls", "20", "--frames", "20"];
        steps::run(Command::new(&demo).args(few))?;
    }
    steps::run(Command::new(&demo).arg("--oids"))?;
    Ok(Outcome::Passed("all topologies, and the OIDs".to_owned()))
}

/// Spelling, by `typos`, where somebody has installed it. It is not installed here: built with cargo it
/// takes minutes, longer than it is worth. (`pip install typos` takes seconds; `.ci/run` does so.)
fn spelling() -> Result<Outcome> {
    let own = workspace::target().join("tools/typos/bin/typos");
    let program = if own.exists() { own } else { "typos".into() };
    if steps::output(Command::new(&program).arg("--version")).is_none() {
        return Ok(Outcome::Skipped(
            "no typos to check the spelling with: pip install typos, or cargo install typos-cli"
                .to_owned(),
        ));
    }
    steps::run(
        Command::new(&program)
            .current_dir(workspace::root())
            .args(["--format", "brief"]),
    )
}

/// The page of the rule book first: rustdoc makes links to another crate only where it finds that
/// crate's pages, and says nothing where it does not. With the features that the workspace has, so that
/// they are made once.
fn documentation() -> Result<Outcome> {
    let first = ["--package", "ndis-sys", "--features", "host,image"];
    for what in [&first[..], &["--workspace"]] {
        let mut doc = cargo(&["doc", "--no-deps"]);
        steps::run(doc.args(what).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    let pages = workspace::target().join("doc");
    let mut dead = Vec::new();
    for name in ["ndis_co", "ndis_mcm", "ndis_host", "ndis_build"] {
        for entry in walkdir::WalkDir::new(pages.join(name)) {
            let path = entry?.into_path();
            let is_page = path.extension().is_some_and(|end| end == "html");
            if is_page && workspace::read(&path)?.contains("href=\"ndis_sys::") {
                dead.push(workspace::shown(&pages, &path));
            }
        }
    }
    if !dead.is_empty() {
        bail!(
            "links that rustdoc has left as they were: {}",
            dead.join(", ")
        );
    }
    Ok(Outcome::PASSED)
}

fn no_panic() -> Result<Outcome> {
    let mut clippy = cargo(&["clippy", "--lib", "--no-deps"]);
    clippy.env("CLIPPY_CONF_DIR", workspace::root().join(NO_PANIC_METHODS));
    for name in KERNEL_CRATES {
        clippy.args(["--package", name]);
    }
    clippy.args(["--", "-D", "warnings"]);
    for lint in NO_PANIC {
        clippy.args(["-D", lint]);
    }
    steps::run(&mut clippy)
}

/// The host's image is empty on other systems: its lints run for Windows.
fn image_lints() -> Result<Outcome> {
    let target = Arch::X64.target();
    if let Some(missing) = toolchain::need_target(target)? {
        return Ok(missing);
    }
    let clippy = ["clippy", "--package", "ndis-image", "--target", target];
    steps::run(
        cargo(&clippy)
            .env("CARGO_PROFILE_DEV_PANIC", "abort")
            .args(["--", "-D", "warnings"]),
    )
}

/// What no other step compiles for Windows: the raw crate for x86, which no image is made for, and the drivers'
/// tests, in which nothing may be that belongs in an image only. (The kernel crates for x64 and arm64 are in the
/// images; the safe ones for x86, and the host for arm64, in the step of `wdk-sys`.)
fn compiles_for_windows() -> Result<Outcome> {
    for arch in [Arch::X64, Arch::X86] {
        if let Some(missing) = toolchain::need_target(arch.target())? {
            return Ok(missing);
        }
    }
    let raw = ["check", "--lib", "--package", "ndis-sys"];
    steps::run(cargo(&raw).args(["--target", Arch::X86.target()]))?;
    let mut tests = cargo(&["check", "--tests", "--target", Arch::X64.target()]);
    for name in ["loopback-mcm", "echo-client", "link-co", "wan-mcm"] {
        tests.args(["--package", name]);
    }
    steps::run(&mut tests)
}

/// Regenerates the raw crate in memory and compares, where there are headers to do it from.
fn drift() -> Result<Outcome> {
    let Some(folder) = std::env::var_os(HEADERS)
        .map(PathBuf::from)
        .or_else(installed_wdk)
    else {
        return Ok(Outcome::Skipped(format!(
            "no headers: Microsoft's may not be shipped; set {HEADERS} to a WDK's Include/<version>"
        )));
    };
    steps::run(cargo(&["xtask", "bindgen", "--check", "--include"]).arg(folder))
}

/// The newest WDK where its installer puts it.
fn installed_wdk() -> Option<PathBuf> {
    let kits =
        PathBuf::from(std::env::var_os("ProgramFiles(x86)")?).join("Windows Kits/10/Include");
    let versions = std::fs::read_dir(kits)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    versions
        .filter(|folder| folder.join("km/ndis.h").exists() || folder.join("shared/ndis.h").exists())
        .max()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::workspace;

    /// Cargo looks for no file of tests where there is one program for them, and a file that nothing names is
    /// never compiled.
    #[test]
    fn every_file_of_tests_is_in_a_program() {
        let ours = |name: &str| !name.starts_with('.') && name != "target";
        let tree = walkdir::WalkDir::new(workspace::root())
            .into_iter()
            .filter_entry(|entry| entry.file_name().to_str().is_some_and(ours));
        let mut crates = 0;
        for entry in tree {
            let path = entry.unwrap().into_path();
            if !path.ends_with("Cargo.toml") {
                continue;
            }
            let manifest = workspace::read(&path).unwrap();
            if !manifest.contains("autotests = false") {
                continue;
            }
            crates += 1;
            let folder = path.with_file_name("tests");
            let all = workspace::read(&folder.join("all.rs")).unwrap();
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let is_file = path.extension().is_some_and(|end| end == "rs");
                if !is_file && !path.join("main.rs").exists() {
                    continue;
                }
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!(
                    all.contains(&format!("\nmod {name};"))
                        || manifest.contains(&format!("[[test]]\nname = \"{name}\"")),
                    "{} is in no program: a line in all.rs",
                    path.display()
                );
            }
        }
        assert!(crates > 4, "only {crates} crates have one program");
    }
}
