//! The project's tasks, one command each: `cargo xtask <command>`.
//!
//! They are Rust so that they run wherever the project builds, with nothing else installed. The
//! two that need more than a bare toolchain say so: `bindgen` wants libclang and a WDK's headers,
//! `miri` a nightly with that component. The commands that write a file into the tree have a
//! `--check` that compares instead, and `test` runs all of those.

mod api;
mod api_map;
mod arch;
mod bench;
mod beside;
#[cfg(feature = "bindgen")]
mod bindgen;
mod build_times;
mod c_client;
mod c_header;
mod ceilings;
mod chaos;
mod ci;
mod circles;
mod explain;
mod fuzz;
mod guide;
mod item_examples;
mod miri;
mod oids;
mod package;
mod pages;
mod public_path;
mod relaunch;
mod rule_book;
mod rules;
mod rules_calls;
mod rules_compliance;
mod rules_functions;
mod rules_links;
mod rules_page;
mod rules_scan;
mod say;
mod size;
mod sources;
mod steps;
mod summary;
mod sys;
mod test;
mod toolchain;
mod unsafe_code;
mod wdk_sys;
mod wine;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of the NDIS crates.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Regenerate the raw crate from the headers of a WDK.
    #[cfg(feature = "bindgen")]
    Bindgen(bindgen::BindgenArgs),
    /// Regenerate the raw crate from the headers of a WDK.
    #[cfg(not(feature = "bindgen"))]
    #[command(disable_help_flag = true)]
    Bindgen(relaunch::Passed),
    /// Run the example drivers: calls, real bytes, an account of it all.
    #[command(disable_help_flag = true)]
    Demo(relaunch::Passed),
    /// Build the example drivers, and the host, as images for Windows.
    Sys(sys::SysArgs),
    /// Run the images under Wine's loader of drivers.
    Wine(wine::WineArgs),
    /// Run everything that proves the project on this machine.
    Test(test::TestArgs),
    /// Run tests of whole scenarios under Miri: those that stand for the others, or `--all`.
    Miri(miri::MiriArgs),
    /// Look for hostile input that the views over foreign memory do not stand.
    Fuzz(fuzz::FuzzArgs),
    /// Run drivers that do whatever the safe layer allows, at random, and check what comes of it.
    Chaos(chaos::ChaosArgs),
    /// Write docs/api-map.md: which safe item wraps which CoNDIS call or callback.
    ApiMap(workspace::CheckArgs),
    /// Write the constants of the OIDs that have a type, and docs/oids.md, which accounts for all of them.
    Oids(workspace::CheckArgs),
    /// Write the pages of the rule book: what covers which rule, and what the documentation links to.
    Rules(rules::RulesArgs),
    /// Explain a rule: what it demands, of which drivers, where it comes from and what enforces it.
    Explain(explain::ExplainArgs),
    /// Write the CoNDIS part of the raw crate as a C header.
    CHeader(c_header::CHeaderArgs),
    /// Build the client in C as a Windows driver, without a WDK.
    CClient(c_client::CClientArgs),
    /// Count what the safe layer costs, beside the same drivers in raw code.
    Bench(bench::BenchArgs),
    /// Say what a driver's image is made of: sections, modules, functions.
    Size(size::SizeArgs),
    /// Count the unsafe code of the crates that spare drivers it.
    Unsafe(unsafe_code::UnsafeArgs),
    /// Find files that use each other in circles, and files that are too long.
    Circles(circles::CirclesArgs),
    /// Measure how long the crates take to build from nothing.
    BuildTimes(build_times::BuildTimesArgs),
    /// Run what continuous integration runs: `.ci/run`, which installs what it needs.
    Ci,
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    say::reader_may_go(|| match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    })
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        #[cfg(feature = "bindgen")]
        Command::Bindgen(args) => bindgen::run(args),
        #[cfg(not(feature = "bindgen"))]
        Command::Bindgen(passed) => relaunch::bindgen(&passed),
        Command::Demo(passed) => relaunch::demo(&passed),
        Command::Sys(args) => sys::run(&args),
        Command::Wine(args) => wine::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Miri(args) => miri::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Chaos(args) => chaos::run(&args),
        Command::ApiMap(args) => api_map::run(args),
        Command::Oids(args) => oids::run(args),
        Command::Rules(args) => rules::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::CHeader(args) => c_header::run(&args),
        Command::CClient(args) => c_client::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Size(args) => size::run(&args),
        Command::Unsafe(args) => unsafe_code::run(&args),
        Command::Circles(args) => circles::run(&args),
        Command::BuildTimes(args) => build_times::run(&args),
        Command::Ci => ci::run(),
    }
}
