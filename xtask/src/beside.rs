//! Steps that run beside the others, in a process of their own.
//!
//! Half of the steps keep one processor busy, and half the time none: a compiler that links, Wine that
//! waits. So what builds in folders of its own runs at the same time. It is another run of this program,
//! which is told by a hidden option where to write how its steps ended; what it prints comes in one
//! piece when it has ended.

use std::{
    fs::{self, File},
    num::NonZero,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
};

use anyhow::{Context, Result};

use crate::{say::say, summary::Done, workspace};

/// The option, without its dashes.
pub const OPTION: &str = "beside";

/// Whether there is a processor for it.
pub fn worth_it() -> bool {
    thread::available_parallelism().is_ok_and(|processors| processors > NonZero::<usize>::MIN)
}

/// The other process.
pub struct Beside {
    child: Child,
    said: PathBuf,
    report: PathBuf,
}

impl Beside {
    /// Starts it, for the steps whose names contain one of the words, or for all.
    pub fn start(only: &[String]) -> Result<Self> {
        let folder = workspace::target();
        fs::create_dir_all(&folder)?;
        let name = format!("beside-{}", std::process::id());
        let said = folder.join(format!("{name}.txt"));
        let report = folder.join(format!("{name}.json"));
        let output = File::create(&said)?;
        let child = Command::new(std::env::current_exe()?)
            .args(["test", &format!("--{OPTION}")])
            .arg(&report)
            .args(only)
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start the steps that run beside the others")?;
        Ok(Self {
            child,
            said,
            report,
        })
    }

    /// Waits for its end, and tells how its steps ended.
    pub fn finish(mut self) -> Result<Vec<Done>> {
        say!("\nwaiting for the steps that run beside these");
        let status = self.child.wait()?;
        say!("{}", workspace::read(&self.said)?.trim_end());
        let text = workspace::read(&self.report)
            .with_context(|| format!("the steps beside the others ended with {status}"))?;
        Ok(serde_json::from_str(&text)?)
    }
}

impl Drop for Beside {
    /// Whoever reads may have gone: nothing goes on for nobody.
    fn drop(&mut self) {
        // That it has ended already, or a file is not there, is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.said);
        let _ = fs::remove_file(&self.report);
    }
}

/// What the other process writes at its end.
pub fn write(report: &Path, done: &[Done]) -> Result<()> {
    fs::write(report, serde_json::to_string(done)?)?;
    Ok(())
}
