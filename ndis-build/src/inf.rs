//! The INF file of a network driver: how Windows installs it.
//!
//! An author describes the driver in its `Cargo.toml`, under
//! `[package.metadata.ndis]` (the README has the keys); the rest follows from
//! the kind of driver and from rules that are easy to get wrong by hand.
//!
//! ```no_run
//! use ndis_build::inf::{Arch, Driver, check_for};
//!
//! let driver = Driver::from_manifest("Cargo.toml".as_ref())?;
//! let text = driver.render(Arch::X64);
//! assert!(check_for(&text, Arch::X64).is_empty());
//! std::fs::write(driver.inf_name(), text)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the INF says, and why
//!
//! | a miniport | a protocol | decided by |
//! |---|---|---|
//! | class `Net` | class `NetTrans`, which connection-oriented clients belong to | version-section-in-a-network-inf-file.md |
//! | the image runs from the driver store (directory id 13) | the same since build 25319; before, it is put into `System32\drivers` (12) | inf-destinationdirs-section.md, manufacturer-section-in-a-network-inf-file.md |
//! | `NCF_VIRTUAL` on the root bus, else `NCF_PHYSICAL` and a `BusType` | no such flag | ddinstall-section-in-a-network-inf-file.md |
//! | binds upwards as `ndiscowan` and downwards as `wan` (ATM: `ndisatm`, `atm`), if the author does not say | upper edge `noupper`; the lower range is the author's choice | specifying-binding-interfaces.md |
//! | `*IfType`, `*MediaType`, `*PhysicalMediaType`, as `ndis-mcm` reports them | none | standardized-inf-keywords-for-network-devices.md |
//! | `WanEndpoints` | none | specifying-wan-endpoints-for-a-wan-adapter.md |
//! | settings for the page of advanced properties, with `NCF_HAS_UI`, and their defaults as values | none | specifying-configuration-parameters-for-the-advanced-properties-page.md |
//! | started on demand, as the device's function driver | started by the service control manager: no device does it | specifying-driver-load-order.md, inf-addservice-directive.md |
//! | `Ndi` names the service | and lists it among `CoServices`, and has a `HelpText` | adding-service-related-values-to-the-ndi-key.md, adding-a-helptext-value.md |
//!
//! The pages are those of the driver documentation, by their file names in its
//! source.
//!
//! The file is ASCII, because one in another encoding than UTF-16 is read in
//! the code page of the system (general-guidelines-for-inf-files.md).
//!
//! # Checking
//!
//! [`check`] reads any INF of these classes and returns [`Finding`]s, each with
//! its line, its [`Severity`] and the [`Rule`] that it breaks. It does not
//! replace Microsoft's
//! InfVerif, which knows every class and what a signature demands; it runs
//! wherever the driver is built.

mod arch;
mod check;
mod driver;
mod encoding;
mod error;
mod finding;
mod keyword;
mod manifest;
mod param;
mod parse;
mod render;

pub use arch::{Arch, UnknownArch};
pub use check::{check, check_file, check_for};
pub use driver::Driver;
pub use error::Error;
pub use finding::{Finding, Rule, Severity};
