//! A Windows of Wine's, in a folder of its own: services installed, started, stopped.

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// No single step takes longer on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Drivers' images on Wine's drive `C:`.
const DRIVERS: &str = "windows/system32/drivers";

/// Where the services have their settings.
const SERVICES: &str = "HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services";

/// Wine's programs.
pub struct Wine {
    wine: PathBuf,
    /// When it is not where Wine looks for it.
    server: Option<PathBuf>,
}

impl Wine {
    /// Finds a 64-bit Wine: the one that `NDIS_WINE` names, the one of Debian's package `wine64`,
    /// or one in the path.
    pub fn find() -> Option<Self> {
        if let Some(wine) = std::env::var_os("NDIS_WINE") {
            return Some(Self {
                wine: wine.into(),
                server: None,
            });
        }
        let debian = Path::new("/usr/lib/wine");
        if debian.join("wine64").is_file() {
            return Some(Self {
                wine: debian.join("wine64"),
                server: Some(debian.join("wineserver64")),
            });
        }
        let path = std::env::var_os("PATH")?;
        let wine = std::env::split_paths(&path)
            .flat_map(|folder| [folder.join("wine64"), folder.join("wine")])
            .find(|file| file.is_file())?;
        Some(Self { wine, server: None })
    }

    /// `wine-8.0 (...)`.
    pub fn version(&self) -> String {
        let output = Command::new(&self.wine).arg("--version").output();
        output.map_or_else(
            |error| error.to_string(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    }
}

/// A fresh Windows.
pub struct Prefix {
    wine: Wine,
    folder: PathBuf,
    log: PathBuf,
}

/// A number under a service's `Parameters`.
pub type Parameter<'a> = (&'a str, u32);

impl Prefix {
    /// Makes one in `folder`, over what was there.
    pub fn create(wine: Wine, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(folder)?;
        let prefix = Self {
            wine,
            folder: folder.join("prefix"),
            log: folder.join("wine.log"),
        };
        File::create(&prefix.log)?;
        prefix.wine(&["wineboot", "-i"], QUIET)?;
        prefix.settle()?;
        Ok(prefix)
    }

    /// The file of what Wine says.
    pub fn log(&self) -> &Path {
        &self.log
    }

    fn image(&self, service: &str) -> PathBuf {
        self.file(DRIVERS).join(service).with_extension("sys")
    }

    /// A file on drive `C:`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join("drive_c").join(name)
    }

    /// Puts an image in the place of one of Wine's own, whose service it takes over: from now on
    /// that is started on demand only.
    pub fn replace(&self, service: &str, image: &Path) -> Result<()> {
        workspace::copy(image, &self.image(service))?;
        self.import(service, "\"Start\"=dword:00000003\n")
    }

    /// Copies an image to where Windows has its drivers, and makes it a service.
    pub fn install(&self, service: &str, image: &Path) -> Result<()> {
        workspace::copy(image, &self.image(service))?;
        let name = format!("{service}.sys");
        let path = format!("C:\\{}\\{name}", DRIVERS.replace('/', "\\"));
        let words = [
            "sc", "create", service, "type=", "kernel", "start=", "demand", "binPath=", &path,
        ];
        self.wine(&words, QUIET)
    }

    /// Writes values under the `Parameters` of a service.
    pub fn set(&self, service: &str, values: &[Parameter<'_>]) -> Result<()> {
        let mut text = String::new();
        for (name, value) in values {
            writeln!(text, "\"{name}\"=dword:{value:08x}")?;
        }
        self.import(&format!("{service}\\Parameters"), &text)
    }

    /// As [`set`](Self::set), for a list of strings and a string.
    pub fn set_strings(
        &self,
        service: &str,
        list: (&str, &[&str]),
        one: (&str, &str),
    ) -> Result<()> {
        // A list is each string with its zero, and one zero more, in UTF-16.
        let mut bytes = Vec::new();
        for unit in list.1.join("\0").encode_utf16().chain([0, 0]) {
            let [low, high] = unit.to_le_bytes();
            bytes.push(format!("{low:02x},{high:02x}"));
        }
        let text = format!(
            "\"{}\"=hex(7):{}\n\"{}\"=\"{}\"\n",
            list.0,
            bytes.join(","),
            one.0,
            one.1.replace('\\', "\\\\")
        );
        self.import(&format!("{service}\\Parameters"), &text)
    }

    /// Writes values under a key of the services.
    fn import(&self, key: &str, values: &str) -> Result<()> {
        let name = "settings.reg";
        let text = format!("Windows Registry Editor Version 5.00\n\n[{SERVICES}\\{key}]\n{values}");
        // With the byte order mark that says UTF-16: a list's bytes are taken as such only then.
        let bytes: Vec<u8> = "\u{FEFF}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        fs::write(self.file(name), bytes)?;
        self.wine(&["reg", "import", &format!("C:\\{name}")], QUIET)
    }

    /// Starts a service.
    pub fn start(&self, service: &str) -> Result<()> {
        self.wine(&["net", "start", service], LOADS)
    }

    /// Stops a service.
    pub fn stop(&self, service: &str) -> Result<()> {
        self.wine(&["net", "stop", service], LOADS)
    }

    /// Waits until no program of this Windows runs, so that the next one finds it as new.
    pub fn settle(&self) -> Result<()> {
        let mut server = self.server();
        server.arg("-w");
        self.run(&mut server)
    }

    /// Ends every program of this Windows.
    pub fn kill(&self) -> Result<()> {
        let mut server = self.server();
        server.arg("-k");
        // It fails when there is none.
        self.run(&mut server).or(Ok(()))
    }

    fn server(&self) -> Command {
        let program = self.wine.server.as_deref();
        let mut command = Command::new(program.unwrap_or(Path::new("wineserver")));
        command.env("WINEPREFIX", &self.folder);
        command
    }

    /// A user program that runs until the value is dropped. Wine ends a session, and with it the
    /// services, some seconds after the last user program has ended.
    pub fn session(&self) -> Result<Session> {
        // The services are started by the first program, with its messages and its log.
        let log = File::options().append(true).open(&self.log)?;
        let mut command = self.command(&["cmd"], LOADS);
        let program = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        Ok(Session(program))
    }

    fn wine(&self, words: &[&str], debug: &str) -> Result<()> {
        self.run(&mut self.command(words, debug))
    }

    fn command(&self, words: &[&str], debug: &str) -> Command {
        let mut command = Command::new(&self.wine.wine);
        command
            .args(words)
            .env("WINEPREFIX", &self.folder)
            .env("WINEARCH", "win64")
            // Ours, not Wine's own; and no component that wants to be downloaded.
            .env("WINEDLLOVERRIDES", "ndis.sys=n;mscoree,mshtml=")
            .env("WINEDEBUG", debug)
            .env_remove("DISPLAY");
        if let Some(server) = &self.wine.server {
            command
                .env("WINESERVER", server)
                .env("WINELOADER", &self.wine.wine);
        }
        command
    }

    /// Runs a command; what it and the programs that it starts print goes to the log.
    fn run(&self, command: &mut Command) -> Result<()> {
        let log = File::options().append(true).open(&self.log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if Instant::now() > end {
                child.kill()?;
                bail!("{command:?} does not end; see {}", self.log.display());
            }
            thread::sleep(Duration::from_millis(20));
        };
        if !status.success() {
            bail!(
                "{command:?} ended with {status}; see {}",
                self.log.display()
            );
        }
        Ok(())
    }
}

/// A running user program, see [`Prefix::session`].
pub struct Session(Child);

impl Session {
    /// Whether the program still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The shell ends with its input; one that hangs is ended with everything else.
        drop(self.0.stdin.take());
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        // Nothing is left running; that it could not be ended changes nothing here.
        let _ = self.kill();
    }
}

const QUIET: &str = "-all";
/// Errors, and a line for each module that is loaded or unloaded.
const LOADS: &str = "err+all,fixme-all,+loaddll";

/// Waits for a file that is written by a program of Wine's, if it is `patient`; gives its content
/// once `whole` accepts it.
pub fn wait_for<T>(path: &Path, patient: bool, whole: impl Fn(&[u8]) -> Option<T>) -> Result<T> {
    let patience = if patient { PATIENCE } else { Duration::ZERO };
    let end = Instant::now() + patience;
    loop {
        if let Ok(data) = fs::read(path)
            && let Some(content) = whole(&data)
        {
            return Ok(content);
        }
        if Instant::now() > end {
            bail!("{} does not come", path.display());
        }
        thread::sleep(Duration::from_millis(50));
    }
}
