//! All tests of this crate but four are one program: each program more is compiled with the same
//! drivers and linked with the same host once more, which takes longer than most of its tests do.

#[path = "../../ndis-host/tests/common/mod.rs"]
mod raw;
#[path = "support/talker.rs"]
mod talker;

mod between;
#[path = "co_miniport/main.rs"]
mod co_miniport;
mod configuration;
mod device;
mod device_at_once;
mod device_pending;
#[path = "ended/main.rs"]
mod ended;
mod entry_names;
mod forward;
#[path = "joined/main.rs"]
mod joined;
#[path = "life/main.rs"]
mod life;
#[path = "oids/main.rs"]
mod oids;
mod own_packets;
mod packets;
mod telephony;
#[path = "wan/main.rs"]
mod wan;
