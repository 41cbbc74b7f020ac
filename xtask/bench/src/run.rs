//! Loads both objects, and has the rounds run.

use std::{
    env,
    ffi::{CStr, CString, c_char, c_int, c_void},
    mem,
};

use crate::pair::{Pair, Round};

unsafe extern "C" {
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(object: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}

/// Resolve everything now.
const NOW: c_int = 2;
/// What comes later may use its symbols.
const GLOBAL: c_int = 0x100;

/// What the stub counts besides; its own type has the same layout.
#[repr(C)]
#[derive(Clone, Copy)]
struct Counts {
    locks: u64,
    allocations: u64,
    live: u64,
}

/// The drivers' functions that give a pair.
type Give = unsafe extern "C" fn() -> *const Pair;
/// The stub's function within which is counted.
type Window = unsafe extern "C" fn(Round, usize, usize);

/// An object that stays loaded.
struct Object(*mut c_void);

impl Object {
    fn load(path: &str) -> Self {
        let path = CString::new(path).expect("a path");
        // SAFETY: a string; the objects' initializers are Rust's.
        let object = unsafe { dlopen(path.as_ptr(), NOW | GLOBAL) };
        if object.is_null() {
            // SAFETY: nothing is demanded.
            let message = unsafe { dlerror() };
            // SAFETY: the call before has failed, so there is a message.
            let message = unsafe { CStr::from_ptr(message) };
            panic!("{}", message.to_string_lossy());
        }
        Self(object)
    }

    /// The function `name`.
    ///
    /// # Safety
    ///
    /// `F` is the type of a function, and the function's own.
    unsafe fn function<F: Copy>(&self, name: &str) -> F {
        assert_eq!(size_of::<F>(), size_of::<*mut c_void>());
        let symbol = CString::new(name).expect("a name");
        // SAFETY: a loaded object and a string.
        let found = unsafe { dlsym(self.0, symbol.as_ptr()) };
        assert!(!found.is_null(), "there is no {name}");
        // SAFETY: a pointer to a function of that type, as the caller says.
        unsafe { mem::transmute_copy(&found) }
    }
}

pub fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let [stub, drivers, pair, operation, argument, times] = args.as_slice() else {
        panic!("six arguments: STUB DRIVERS PAIR OPERATION ARGUMENT TIMES");
    };
    let argument: usize = argument.parse().expect("a number");
    let times: usize = times.parse().expect("a number");
    let stub = Object::load(stub);
    let drivers = Object::load(drivers);
    // SAFETY: the stub defines it so.
    let start: unsafe extern "C" fn() = unsafe { stub.function("stub_start") };
    // SAFETY: as above.
    let offer: unsafe extern "C" fn() = unsafe { stub.function("stub_offer") };
    // SAFETY: as above.
    let drain: unsafe extern "C" fn() = unsafe { stub.function("stub_drain") };
    // SAFETY: as above.
    let window: Window = unsafe { stub.function("stub_window") };
    // SAFETY: as above.
    let counts: unsafe extern "C" fn() -> Counts = unsafe { stub.function("stub_counts") };
    // SAFETY: the drivers define it so.
    let give: Give = unsafe { drivers.function(&format!("{pair}_pair")) };
    // SAFETY: nothing is demanded.
    let pair = unsafe { give() };
    // SAFETY: it is a static.
    let pair: &Pair = unsafe { &*pair };

    let call = |round: Round, argument: usize| {
        // SAFETY: on the one thread, at what the stub says is PASSIVE_LEVEL, no lock held.
        unsafe { round(argument) };
        // SAFETY: as above.
        unsafe { drain() };
    };
    // SAFETY: once.
    unsafe { (pair.load)() };
    // SAFETY: once, after both were loaded.
    unsafe { start() };
    let round = match operation.as_str() {
        "send" => pair.send,
        "receive" => pair.receive,
        "read" => pair.read,
        "allocate" => pair.allocate,
        "call" | "crowd" => pair.call,
        "call_later" => pair.call_later,
        "call_in" => pair.call_in,
        "idle" => pair.crowd,
        "close_family" => pair.close_family.expect("this pair does so"),
        "close_family_later" => pair.close_family_later.expect("this pair does so"),
        _ => panic!("there is no operation {operation}"),
    };
    match operation.as_str() {
        "send" | "receive" | "read" => {
            call(pair.up, 0);
            call(pair.fill, argument);
            call(round, argument);
        }
        "crowd" => {
            call(pair.crowd, argument);
            call(round, argument);
        }
        "close_family" | "close_family_later" => {
            // What is made once is there before.
            call(round, argument);
            // SAFETY: the family is closed.
            unsafe { offer() };
            call(pair.crowd, argument);
        }
        // What is measured is all that there is of it.
        "idle" => {}
        _ => call(round, argument),
    }
    // SAFETY: it counts.
    let before = unsafe { counts() };
    // SAFETY: as the rounds before.
    unsafe { window(round, argument, times) };
    // SAFETY: it counts.
    let after = unsafe { counts() };
    println!(
        "locks {} allocations {} live {}",
        after.locks - before.locks,
        after.allocations - before.allocations,
        after.live as i64 - before.live as i64
    );
    // The drivers stay loaded, with what they have: the process ends.
}
