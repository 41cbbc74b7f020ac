//! All tests of this crate are one program: each program more is compiled with the same
//! drivers and linked with the same host once more, which takes longer than most of its tests do.

mod common;

mod account;
mod alone;
mod announcements;
mod binding;
mod blame;
mod call_id;
mod configuration;
mod hostile;
mod indications;
mod instance_name;
mod joined;
mod kernel;
mod kernel_calls;
mod life;
mod lock_order;
mod offers;
mod oid;
mod oid_header;
mod packets;
mod power;
mod registry;
mod reset;
mod shutdown;
mod spin_lock;
mod status;
mod strands;
mod verifier_alone;
mod verifier_answers;
mod verifier_client;
mod verifier_co_miniport;
mod verifier_device;
mod verifier_halt;
mod verifier_mcm;
mod verifier_oid;
mod verifier_tapi;
mod verifier_wan;
mod withdrawn;
