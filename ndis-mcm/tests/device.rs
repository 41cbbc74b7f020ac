//! A control device in safe code: opened, asked, closed, and taken away while programs use it.

use ndis_co::{
    delay::delay,
    lock::SpinLock,
    mem::{Arc, Tag},
};
use ndis_host::{Adapter as Card, Driver as Loaded, EventMode, Host, OpenFile};
use ndis_mcm::{
    Entry,
    device::{
        Access, Control, ControlCode, ControlDevice, Device, DeviceAttributes, DeviceParent,
        Security,
    },
    prelude::*,
};
use ndis_sys as n;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};

const TAG: Tag = Tag::new(*b"Brd ");
const ECHO: ControlCode = ControlCode::new::<0x800>(Access::Any);
const SHOUT: ControlCode = ControlCode::new::<0x801>(Access::Any);
const COUNTS: ControlCode = ControlCode::new::<0x802>(Access::Read);
const NOTE: ControlCode = ControlCode::new::<0x803>(Access::Write);
const NOTED: ControlCode = ControlCode::new::<0x804>(Access::Any);
const FORGET: ControlCode = ControlCode::new::<0x805>(Access::Any);
const LIE: ControlCode = ControlCode::new::<0x806>(Access::Any);
const PEEK: ControlCode = ControlCode::new::<0x807>(Access::Any);
const WRONG: ControlCode = ControlCode::new::<0x808>(Access::Any);
const NAME: &str = r"\\.\Board";

#[derive(Default)]
struct Counts {
    opened: AtomicU32,
    closed: AtomicU32,
    dropped: AtomicU32,
    boards: AtomicU32,
    refuses: AtomicBool,
    /// Opening takes a while.
    slow: AtomicBool,
    /// Outside of every adapter.
    kept: Mutex<Option<Device<Board>>>,
    /// The initialization keeps the device there, and fails.
    fails: AtomicBool,
}

type Shared = std::sync::Arc<Counts>;

/// What is kept for a file: a note.
struct Note {
    text: SpinLock<Option<Arc<u32>>>,
    counts: Shared,
}

impl Drop for Note {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, SeqCst);
    }
}

struct Board {
    counts: Shared,
}

impl Drop for Board {
    fn drop(&mut self) {
        self.counts.boards.fetch_sub(1, SeqCst);
    }
}

impl ControlDevice for Board {
    type File = Note;

    fn open(&self, irql: &mut Passive) -> Result<Note, Status> {
        if self.counts.slow.load(SeqCst) {
            delay(1_000_000, irql);
        }
        if self.counts.refuses.load(SeqCst) {
            return Err(Status::SUCCESS);
        }
        self.counts.opened.fetch_add(1, SeqCst);
        Ok(Note {
            text: SpinLock::new(None),
            counts: self.counts.clone(),
        })
    }

    fn device_control<'r>(
        &self,
        note: &Note,
        request: Control<'r>,
        irql: &mut Passive,
    ) -> Answer<'r> {
        let code = request.code();
        if code == ECHO {
            let Ok(copy) = ndis_co::mem::Vec::try_from_slice(request.input(), TAG) else {
                return request.refuse(Status::RESOURCES);
            };
            request.reply(&copy)
        } else if code == SHOUT {
            let length = request.input().len();
            request.reply_in_place(|text| {
                text.make_ascii_uppercase();
                Ok(length)
            })
        } else if code == COUNTS {
            let counts = [
                &self.counts.opened,
                &self.counts.closed,
                &self.counts.dropped,
            ];
            let list: Vec<u8> = counts
                .into_iter()
                .flat_map(|count| count.load(SeqCst).to_le_bytes())
                .collect();
            request.reply(&list)
        } else if code == NOTE {
            let Ok(bytes) = <[u8; 4]>::try_from(request.input()) else {
                return request.refuse(Status::INVALID_PARAMETER);
            };
            match Arc::try_new(u32::from_le_bytes(bytes), TAG) {
                Ok(text) => {
                    note.text.set(Some(text));
                    request.done()
                }
                Err(_) => request.refuse(Status::RESOURCES),
            }
        } else if code == NOTED {
            let noted = note.text.with(irql, |text, _| text.clone());
            let noted = noted.map_or(0, |noted| *noted);
            request.reply(&noted.to_le_bytes())
        } else if code == FORGET {
            note.text.set(None);
            request.done()
        } else if code == LIE {
            // More than there is room for.
            let room = request.room();
            request.reply_in_place(|_| Ok(room + 1))
        } else if code == PEEK {
            // All of the memory, of which nothing was written.
            let room = request.room();
            request.reply_in_place(|_| Ok(room))
        } else if code == WRONG {
            // No refusals, so they become one.
            request.refuse(Status::PENDING)
        } else {
            request.not_supported()
        }
    }

    fn closed(&self, note: &Note, _irql: &mut Passive) {
        assert!(std::ptr::eq(&*note.counts, &*self.counts));
        self.counts.closed.fetch_add(1, SeqCst);
    }
}

/// What an adapter keeps.
struct Slot {
    device: SpinLock<Option<Device<Board>>>,
}

struct Driver {
    counts: Shared,
    /// Adapters after the first go without a device.
    late: bool,
    /// Taken away by the driver, in its halt.
    explicit: bool,
    security: Security<'static>,
}

impl Driver {
    fn board(
        &self,
        parent: &impl DeviceParent,
        irql: &mut Passive,
    ) -> Result<Device<Board>, Status> {
        self.counts.boards.fetch_add(1, SeqCst);
        let board = Board {
            counts: self.counts.clone(),
        };
        let attributes = DeviceAttributes::new("Board").security(self.security);
        Device::register(parent, &attributes, board, irql)
    }
}

impl Miniport for Driver {
    type Adapter = Slot;
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let device = match self.late {
            true => None,
            false => Some(self.board(&init, irql)?),
        };
        if self.counts.fails.load(SeqCst) {
            *self.counts.kept.lock().unwrap() = device;
            return Err(Status::FAILURE);
        }
        let slot = Slot {
            device: SpinLock::new(device),
        };
        Ok(init.adapter(slot)?.finish())
    }

    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        if self.late {
            adapter.device.set(self.board(adapter, irql).ok());
        }
    }

    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        if self.explicit
            && let Some(device) = adapter.device.replace(None)
        {
            assert!(device.with(|board| board.counts.boards.load(SeqCst)) > Some(0));
            device.deregister(irql);
            assert_eq!(self.counts.boards.load(SeqCst), 0);
        }
    }
}

fn driver(counts: &Shared) -> Driver {
    Driver {
        counts: counts.clone(),
        late: false,
        explicit: false,
        security: Security::Administrators,
    }
}

fn load(host: &Host, driver: Driver) -> Loaded {
    let entry = Entry::new(driver);
    host.load_with("board", |object, path| {
        // SAFETY: the host calls this as Windows calls a DriverEntry.
        unsafe { entry.run(object, path) }
    })
    .expect("the driver loads")
}

fn up(host: &Host, counts: &Shared) -> (Loaded, Card) {
    let loaded = load(host, driver(counts));
    let card = host.add_adapter(&loaded).expect("the adapter starts");
    (loaded, card)
}

fn down(host: Host, loaded: &Loaded, counts: &Counts) {
    host.unload(loaded);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
    assert_eq!(counts.boards.load(SeqCst), 0);
    assert_eq!(counts.opened.load(SeqCst), counts.dropped.load(SeqCst));
}

fn host() -> Host {
    Host::builder().seed(3).build()
}

#[test]
fn asked_and_answered() {
    let (host, counts) = (host(), Shared::default());
    let (loaded, card) = up(&host, &counts);
    let file = host.open(NAME).expect("it is there");
    let ask =
        |code: ControlCode, input: &[u8], room| host.device_control(&file, code.raw(), input, room);
    assert_eq!(ask(ECHO, b"hello", 8).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(ask(ECHO, b"", 0).as_deref(), Ok(&b""[..]));
    assert_eq!(ask(ECHO, b"hello", 4), Err(n::STATUS_BUFFER_TOO_SMALL));
    assert_eq!(ask(ECHO, b"hello", 0), Err(n::STATUS_BUFFER_TOO_SMALL));
    assert_eq!(ask(SHOUT, b"hello", 5).as_deref(), Ok(&b"HELLO"[..]));
    assert_eq!(ask(SHOUT, b"hello", 3), Err(n::STATUS_BUFFER_TOO_SMALL));
    let list = ask(COUNTS, &[], 12).expect("a list");
    assert_eq!(list, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(ask(NOTE, &[1, 2, 3], 0), Err(n::STATUS_INVALID_PARAMETER));
    assert_eq!(ask(NOTE, &[7, 0, 0, 0], 0).as_deref(), Ok(&[][..]));
    assert_eq!(ask(NOTED, &[], 4).as_deref(), Ok(&[7, 0, 0, 0][..]));
    assert_eq!(ask(FORGET, &[], 0).as_deref(), Ok(&[][..]));
    assert_eq!(ask(LIE, &[], 4), Err(n::STATUS_BUFFER_TOO_SMALL));
    assert_eq!(ask(WRONG, &[], 4), Err(n::NDIS_STATUS_FAILURE));
    // What the driver has not written is zero, and not what was in memory before.
    assert_eq!(ask(PEEK, &[9], 4).as_deref(), Ok(&[9, 0, 0, 0][..]));
    let unknown = ControlCode::new::<0xFFF>(Access::Any);
    assert_eq!(ask(unknown, &[], 4), Err(n::STATUS_INVALID_DEVICE_REQUEST));
    for method in 1..=3 {
        let code = ControlCode::from_raw(ECHO.raw() | method);
        assert_eq!(ask(code, b"x", 4), Err(n::STATUS_INVALID_DEVICE_REQUEST));
    }
    host.close(file);
    assert_eq!(counts.closed.load(SeqCst), 1);
    assert_eq!(counts.dropped.load(SeqCst), 1);
    host.remove_adapter(&card);
    down(host, &loaded, &counts);
}

#[test]
fn each_file_has_its_own() {
    let (host, counts) = (host(), Shared::default());
    let (loaded, card) = up(&host, &counts);
    let one = host.open(NAME).expect("it is there");
    let other = host.open(r"\\.\bOARD").expect("in any case");
    let note = |file, value: u32| {
        host.device_control(file, NOTE.raw(), &value.to_le_bytes(), 0)
            .expect("it is noted");
    };
    note(&one, 1);
    note(&other, 2);
    let noted = |file: &OpenFile| host.device_control(file, NOTED.raw(), &[], 4);
    assert_eq!(noted(&one).as_deref(), Ok(&[1, 0, 0, 0][..]));
    host.close(one);
    assert_eq!(noted(&other).as_deref(), Ok(&[2, 0, 0, 0][..]));
    host.close(other);
    host.remove_adapter(&card);
    down(host, &loaded, &counts);
}

#[test]
fn who_may_not() {
    let (host, counts) = (host(), Shared::default());
    let (loaded, card) = up(&host, &counts);
    assert_eq!(
        host.open(r"\\.\Bored"),
        Err(n::STATUS_OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(host.open(r"\\.\Board\x"), Err(n::STATUS_INVALID_PARAMETER));
    let reader = host.open_for(NAME, 1).expect("it is there");
    assert!(host.device_control(&reader, COUNTS.raw(), &[], 12).is_ok());
    let written = host.device_control(&reader, NOTE.raw(), &[0; 4], 0);
    assert_eq!(written, Err(n::STATUS_ACCESS_DENIED));
    host.close(reader);
    counts.refuses.store(true, SeqCst);
    // A refusal with a success is one all the same.
    assert_eq!(host.open(NAME), Err(n::NDIS_STATUS_FAILURE));
    host.remove_adapter(&card);
    assert_eq!(host.open(NAME), Err(n::STATUS_OBJECT_NAME_NOT_FOUND));
    down(host, &loaded, &counts);
}

#[test]
fn taken_away_while_a_file_is_open() {
    for explicit in [false, true] {
        let (host, counts) = (host(), Shared::default());
        let loaded = load(
            &host,
            Driver {
                explicit,
                ..driver(&counts)
            },
        );
        let card = host.add_adapter(&loaded).expect("the adapter starts");
        let file = host.open(NAME).expect("it is there");
        let other = host.open(NAME).expect("it is there");
        host.remove_adapter(&card);
        // What the driver had for the files went with the device.
        assert_eq!(counts.boards.load(SeqCst), 0);
        assert_eq!(counts.dropped.load(SeqCst), 2);
        let answer = host.device_control(&file, ECHO.raw(), b"x", 4);
        assert_eq!(answer, Err(n::STATUS_DEVICE_REMOVED));
        // The name is free: the next adapter's device is another one.
        let card = host.add_adapter(&loaded).expect("the adapter starts");
        let next = host.open(NAME).expect("it is there");
        let answer = host.device_control(&next, ECHO.raw(), b"x", 4);
        assert_eq!(answer.as_deref(), Ok(&b"x"[..]));
        let answer = host.device_control(&other, ECHO.raw(), b"x", 4);
        assert_eq!(answer, Err(n::STATUS_DEVICE_REMOVED));
        host.close(file);
        host.close(next);
        assert_eq!(counts.closed.load(SeqCst), 1, "the first is no longer told");
        host.remove_adapter(&card);
        // One is still open: its program ends before the driver is unloaded.
        down(host, &loaded, &counts);
    }
}

#[test]
fn later_and_once() {
    let (host, counts) = (host(), Shared::default());
    let loaded = load(
        &host,
        Driver {
            late: true,
            security: Security::Sddl("D:P(A;;GA;;;SY)(A;;GRGW;;;NS)"),
            ..driver(&counts)
        },
    );
    let first = host.add_adapter(&loaded).expect("the adapter starts");
    // The name is taken: this one has none.
    let second = host.add_adapter(&loaded).expect("the adapter starts");
    assert_eq!(counts.boards.load(SeqCst), 1);
    host.remove_adapter(&second);
    let file = host.open(NAME).expect("the first one's");
    host.close(file);
    host.remove_adapter(&first);
    down(host, &loaded, &counts);
}

#[test]
fn descriptors_that_are_none() {
    for security in [Security::Sddl("O:SY"), Security::Sddl("")] {
        let (host, counts) = (host(), Shared::default());
        let loaded = load(
            &host,
            Driver {
                security,
                ..driver(&counts)
            },
        );
        host.add_adapter(&loaded).expect_err("no device");
        host.unload(&loaded);
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
        assert_eq!(counts.boards.load(SeqCst), 0);
    }
}

#[test]
fn without_memory() {
    let mut failures = 0;
    for nth in 1..80 {
        let (host, counts) = (host(), Shared::default());
        let loaded = load(&host, driver(&counts));
        host.fail_allocation(nth);
        match host.add_adapter(&loaded) {
            Ok(card) => {
                host.remove_adapter(&card);
                down(host, &loaded, &counts);
                break;
            }
            Err(_) => failures += 1,
        }
        down(host, &loaded, &counts);
    }
    assert!(failures > 10, "{failures}");
    assert!(failures < 79, "{failures}");
    let mut failures = 0;
    for nth in 1..20 {
        let (host, counts) = (host(), Shared::default());
        let (loaded, card) = up(&host, &counts);
        host.fail_allocation(nth);
        match host.open(NAME) {
            Ok(file) => host.close(file),
            Err(status) => {
                assert_eq!(status, n::NDIS_STATUS_RESOURCES);
                failures += 1;
            }
        }
        host.remove_adapter(&card);
        down(host, &loaded, &counts);
    }
    assert_eq!(failures, 4);
}

/// A file that is not open yet has no handle that could be closed: the unload waits until the
/// driver has answered.
#[test]
fn unloaded_while_a_program_opens() {
    for seed in 0..if cfg!(miri) { 1 } else { 10 } {
        let host = Host::builder().seed(seed).events(EventMode::All).build();
        let counts = Shared::default();
        let (loaded, card) = up(&host, &counts);
        counts.slow.store(true, SeqCst);
        let refused = std::sync::Arc::new(AtomicBool::new(false));
        let answer = refused.clone();
        host.spawn("a program", move || {
            let gone = OpenFile::open(NAME).err() == Some(n::STATUS_DEVICE_REMOVED);
            answer.store(gone, SeqCst);
        });
        host.run_for(500);
        host.remove_adapter(&card);
        host.unload(&loaded);
        let closes = ["DispatchCleanup", "DispatchClose"];
        assert!(!host.events().iter().any(|it| closes.contains(&it.name)));
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
        assert_eq!(counts.opened.load(SeqCst), counts.dropped.load(SeqCst));
        assert!(refused.load(SeqCst), "seed {seed}");
    }
}

/// Programs come and go while adapters do.
#[test]
fn under_many_schedules() {
    let seeds = if cfg!(miri) { 2 } else { 150 };
    let mut answered = 0;
    for seed in 0..seeds {
        let host = Host::builder().seed(seed).preemption(1, 3).build();
        let counts = Shared::default();
        let (loaded, card) = up(&host, &counts);
        let answers = std::sync::Arc::new(AtomicU32::new(0));
        for program in 0..3 {
            let answers = answers.clone();
            host.spawn("a program", move || {
                for _ in 0..3 {
                    let Ok(file) = OpenFile::open(NAME) else {
                        continue;
                    };
                    for value in 0..2u32 {
                        let value = value + program;
                        if file
                            .device_control(NOTE.raw(), &value.to_le_bytes(), 0)
                            .is_ok()
                            && let Ok(noted) = file.device_control(NOTED.raw(), &[], 4)
                        {
                            assert_eq!(noted, value.to_le_bytes());
                            answers.fetch_add(1, SeqCst);
                        }
                    }
                    file.close();
                }
            });
        }
        host.remove_adapter(&card);
        let card = host.add_adapter(&loaded).expect("the adapter starts");
        host.run();
        host.remove_adapter(&card);
        answered += answers.load(SeqCst);
        down(host, &loaded, &counts);
    }
    assert!(answered > seeds as u32, "{answered}");
}

/// A device that is kept outside of the adapter holds up an initialization that fails: the host
/// says which one it is, and when it is dropped all goes on.
#[test]
fn a_device_that_is_kept_when_the_initialization_fails() {
    let (host, counts) = (host(), Shared::default());
    counts.fails.store(true, SeqCst);
    let loaded = load(&host, driver(&counts));
    let stuck = catch_unwind(AssertUnwindSafe(|| host.add_adapter(&loaded).is_err()));
    let stuck = stuck.unwrap_err().downcast::<String>().unwrap();
    for part in [
        "in MiniportInitializeEx of board",
        "still open: device 1 of board (registered, made in MiniportInitializeEx",
    ] {
        assert!(stuck.contains(part), "{stuck}");
    }
    let kept = counts.kept.lock().unwrap().take();
    host.spawn_of(&loaded, "drops", move || drop(kept));
    host.run();
    host.unload(&loaded);
    let mut report = host.finish();
    assert_eq!(report.deadlocks.len(), 1, "{report}");
    report.deadlocks.clear();
    assert!(report.is_clean(), "{report}");
    assert_eq!(counts.boards.load(SeqCst), 0);
}
