//! A Windows of Wine's, in a folder of its own: services installed, started, stopped.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// No single command takes that long on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(900);
/// How often is looked whether something has come. (There is nothing to wait for it with.)
pub const GLANCE: Duration = Duration::from_millis(5);

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
    session: Option<Session>,
}

/// The `Parameters` of a service, as lines of a `.reg` file.
pub struct Parameters {
    service: String,
    lines: String,
}

impl Parameters {
    pub fn of(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            lines: String::new(),
        }
    }

    pub fn number(mut self, name: &str, value: u32) -> Self {
        let _ = writeln!(self.lines, "\"{name}\"=dword:{value:08x}");
        self
    }

    pub fn string(mut self, name: &str, value: &str) -> Self {
        let value = value.replace('\\', "\\\\");
        let _ = writeln!(self.lines, "\"{name}\"=\"{value}\"");
        self
    }

    pub fn list(mut self, name: &str, values: &[&str]) -> Self {
        // A list is each string with its zero, and one zero more, in UTF-16.
        let mut bytes = Vec::new();
        for unit in values.join("\0").encode_utf16().chain([0, 0]) {
            let [low, high] = unit.to_le_bytes();
            bytes.push(format!("{low:02x},{high:02x}"));
        }
        let _ = writeln!(self.lines, "\"{name}\"=hex(7):{}", bytes.join(","));
        self
    }
}

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
            session: None,
        };
        File::create(&prefix.log)?;
        prefix.wine(&["wineboot", "-i"], QUIET)?;
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

    /// Copies images to where Windows has its drivers, and makes each one a service that is started
    /// on demand only, also where Wine has one of that name. The next session knows them.
    pub fn install(&mut self, images: &BTreeMap<String, PathBuf>) -> Result<()> {
        let mut sections = Vec::new();
        for service in images.keys() {
            let values = format!(
                "\"Type\"=dword:00000001\n\"Start\"=dword:00000003\n\"ErrorControl\"=dword:00000001\n\
                 \"ImagePath\"=\"C:\\\\{}\\\\{service}.sys\"\n",
                DRIVERS.replace('/', "\\\\")
            );
            sections.push((service.clone(), values));
        }
        self.import(&sections, QUIET)?;
        // Until it ends, this session starts Wine's own services, by whatever image is there.
        self.end()?;
        for (service, image) in images {
            workspace::copy(image, &self.image(service))?;
        }
        Ok(())
    }

    /// Writes values under the `Parameters` of services.
    pub fn set(&self, parameters: &[Parameters]) -> Result<()> {
        let sections: Vec<_> = parameters
            .iter()
            .map(|of| (format!("{}\\Parameters", of.service), of.lines.clone()))
            .collect();
        // As all that comes after `begin`: whichever program is the first starts the services, and
        // they have its log.
        self.import(&sections, LOADS)
    }

    /// Writes values under keys of the services.
    fn import(&self, sections: &[(String, String)], debug: &str) -> Result<()> {
        let name = "settings.reg";
        let mut text = String::from("Windows Registry Editor Version 5.00\n");
        for (key, values) in sections {
            let _ = write!(text, "\n[{SERVICES}\\{key}]\n{values}");
        }
        // With the byte order mark that says UTF-16: a list's bytes are taken as such only then.
        let bytes: Vec<u8> = "\u{FEFF}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        fs::write(self.file(name), bytes)?;
        self.wine(&["reg", "import", &format!("C:\\{name}")], debug)
    }

    /// Starts a service.
    pub fn start(&self, service: &str) -> Result<()> {
        self.wine(&["net", "start", service], LOADS)
    }

    /// Stops a service.
    pub fn stop(&self, service: &str) -> Result<()> {
        self.wine(&["net", "stop", service], LOADS)
    }

    /// Whether some process has the image of a service in its memory; also where that cannot be
    /// known. (Wine's own word of a service does not change when the process of a driver ends.)
    pub fn is_mapped(&self, service: &str) -> bool {
        let (Ok(image), Ok(processes)) =
            (self.image(service).canonicalize(), fs::read_dir("/proc"))
        else {
            return true;
        };
        let image = image.to_string_lossy();
        processes.flatten().any(|process| {
            let maps = fs::read(process.path().join("maps")).unwrap_or_default();
            String::from_utf8_lossy(&maps)
                .lines()
                .any(|line| line.ends_with(&*image))
        })
    }

    /// Begins a session that lasts until this value goes. All services of the
    /// runs are started in it: Wine ends a session, and with it the services, some seconds after
    /// the last user program has ended, under load in the middle of a run.
    pub fn begin(&mut self) -> Result<()> {
        let log = File::options().append(true).open(&self.log)?;
        let mut command = self.command(&["cmd"], LOADS);
        let program = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        self.session = Some(Session(program));
        Ok(())
    }

    /// Fails unless the session that was begun still lasts.
    pub fn lasts(&mut self) -> Result<()> {
        if self.session.as_mut().is_some_and(Session::is_alive) {
            return Ok(());
        }
        bail!(
            "Wine's session has ended under the services; see {}",
            self.log.display()
        )
    }

    /// Ends the session and waits until no program of this Windows runs.
    pub fn end(&mut self) -> Result<()> {
        self.kill()?;
        self.session = None;
        let mut server = self.server();
        server.arg("-w");
        self.run(&mut server)
    }

    /// Ends every program of this Windows.
    fn kill(&self) -> Result<()> {
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
            thread::sleep(GLANCE);
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

/// A running user program, see [`Prefix::begin`]: it waits for input.
struct Session(Child);

impl Session {
    /// Whether the program still runs.
    fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The shell ends with its input, or has been ended with everything else.
        drop(self.0.stdin.take());
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
