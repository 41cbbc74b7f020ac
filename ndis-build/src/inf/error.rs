//! Why a manifest does not make a [`Driver`](super::Driver).

use std::{io, path::PathBuf};

/// What is wrong with a driver's `Cargo.toml`. Each names the file, and the
/// key where there is one, and says all there is to say: what the system or the
/// parser said is part of it, and not a source besides.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The manifest.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is not TOML, has a key that nothing reads, lacks one, or has a
    /// value of the wrong type. The message shows the line.
    #[error("{}: {error}", path.display())]
    Toml {
        /// The manifest.
        path: PathBuf,
        /// What the parser said.
        error: Box<toml::de::Error>,
    },
    /// A key is missing.
    #[error("{}: `{key}` is missing{why}", path.display())]
    Missing {
        /// The manifest.
        path: PathBuf,
        /// The key, from the top of the file.
        key: &'static str,
        /// When it is needed; empty when always.
        why: &'static str,
    },
    /// A key has a value that cannot go into an INF.
    #[error("{}: `{key}`: {why}", path.display())]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// The key, from the top of the file.
        key: String,
        /// What is wrong with its value.
        why: String,
    },
    /// A key is inherited, and no folder above has the workspace.
    #[error("{}: `{key}` is inherited, but no workspace was found", path.display())]
    NoWorkspace {
        /// The manifest.
        path: PathBuf,
        /// The inherited key.
        key: &'static str,
    },
}
