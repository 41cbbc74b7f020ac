//! What a miniport call manager must not do does not compile: one case a file
//! in `ui`, named by the rule that it breaks. What it should do instead is in
//! `ui/pass`.

#[cfg(not(miri))]
#[path = "../../ndis-co/tests/ui_runner/mod.rs"]
mod ui_runner;

/// The legal order, for contrast: that it compiles is what it shows.
#[path = "ui/pass/mcm.rs"]
mod mcm;

/// It starts the compiler.
#[cfg(not(miri))]
#[test]
fn misuse_does_not_compile() {
    ui_runner::run();
}
