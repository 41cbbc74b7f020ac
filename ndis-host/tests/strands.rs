//! What a task is run by is to be seen in little: its panics, its prints and the end of its stack are as those of
//! a thread.
#![cfg(all(target_os = "linux", not(miri)))]

mod common;

use std::process::{Command, Output};

/// Runs another test of this program, one that is ignored, in a process of its own.
fn apart(test: &str) -> Output {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--ignored", "--test-threads=1"]);
    command.env_remove("RUST_TEST_NOCAPTURE");
    command.output().expect("the program runs")
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
#[ignore = "run by another test"]
fn prints() {
    let host = common::host();
    host.spawn("printer", || println!("words of a task"));
    host.run();
}

#[test]
fn what_a_task_prints_is_captured() {
    let output = apart("prints");
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("words of a task"), "{text}");
}

#[test]
#[ignore = "run by another test"]
fn panics() {
    let host = common::host();
    host.spawn("panicker", || {
        println!("words of a task");
        panic!("it has come to this");
    });
    host.run();
}

#[test]
fn a_panic_names_thread_and_task_and_shows_what_was_printed() {
    let output = apart("panics");
    let text = text(&output);
    assert!(!output.status.success(), "{text}");
    let words = [
        "words of a task",
        "thread 'ndis-host'",
        "panicked at ndis-host/tests/strands.rs",
        "task \"panicker\" panicked: it has come to this (seed ",
    ];
    for words in words {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// Uses the stack up.
#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + room[depth as usize % 64]
}

#[test]
#[ignore = "run by another test"]
fn overflows() {
    let host = common::host();
    host.spawn("deep", || {
        std::hint::black_box(deeper(0));
    });
    host.run();
}

/// The page at the end of the stack is not to be touched, and what lies behind it is not changed.
#[test]
fn the_end_of_a_stack_ends_the_process() {
    use std::os::unix::process::ExitStatusExt as _;

    let output = apart("overflows");
    let text = text(&output);
    let signal = output.status.signal();
    assert!(matches!(signal, Some(6 | 7 | 11)), "{signal:?}: {text}");
}

/// A thread that a driver ends from within leaves its stack; so many of them, host after host, leave no memory.
#[test]
fn a_stack_that_was_left_is_used_again() {
    extern "system" fn routine(_: *mut core::ffi::c_void) {
        // SAFETY: a system thread, whose routine holds nothing.
        unsafe { ndis_sys::PsTerminateSystemThread(0) };
    }
    let mappings = || {
        let maps = std::fs::read_to_string("/proc/self/maps");
        maps.expect("Linux tells them").lines().count()
    };
    let life = || {
        let host = common::host();
        host.spawn("starter", || {
            for _ in 0..10 {
                let mut thread: ndis_sys::HANDLE = core::ptr::null_mut();
                // SAFETY: a routine without an argument; the variable is this function's.
                let status = unsafe {
                    ndis_sys::PsCreateSystemThread(
                        &raw mut thread,
                        0x1F_FFFF,
                        core::ptr::null_mut(),
                        core::ptr::null_mut(),
                        core::ptr::null_mut(),
                        Some(routine),
                        core::ptr::null_mut(),
                    )
                };
                assert_eq!(status, 0);
                // SAFETY: the handle of above, once.
                assert_eq!(unsafe { ndis_sys::ZwClose(thread) }, 0);
            }
        });
        host.run();
        let _ = host.report();
    };
    life();
    let before = mappings();
    for _ in 0..40 {
        life();
    }
    // A stack takes two; 400 were left.
    let more = mappings().saturating_sub(before);
    assert!(more < 300, "{more} mappings more");
}
