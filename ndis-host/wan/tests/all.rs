//! All tests of this crate are one program: each program more is compiled with the same
//! drivers and linked with the same host once more, which takes longer than most of its tests do.

mod support;

mod asked;
mod calls;
mod ends;
mod odd;
