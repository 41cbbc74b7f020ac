//! A file that is written at the end of a run, and opened before it: a run of minutes should not
//! end with "permission denied".

use std::{
    fs::{File, OpenOptions},
    io::{Error, Write as _},
    path::{Path, PathBuf},
};

/// A file that can be written.
pub struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Opens or makes the file; what is in it stays until [`write`](Self::write).
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| failed(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Makes `text` all that is in the file.
    pub fn write(mut self, text: &str) -> Result<(), String> {
        self.replace(text)
            .map_err(|error| failed(&self.path, &error))
    }

    fn replace(&mut self, text: &str) -> Result<(), Error> {
        // A pipe or a terminal has no length.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(text.as_bytes())
    }
}

fn failed(path: &Path, error: &Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, process};

    #[test]
    fn what_was_there_stays_until_the_end_and_then_goes() {
        let path = env::temp_dir().join(format!("ndis-demo-output-{}", process::id()));
        fs::write(&path, "something longer").unwrap();
        let output = Output::open(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "something longer");
        output.write("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let path = env::temp_dir().join("ndis-demo-no-such-folder/figures.json");
        let error = Output::open(&path).map(drop).unwrap_err();
        assert!(error.contains("figures.json"), "{error}");
    }
}
