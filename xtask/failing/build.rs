//! The driver is linked as Windows loads it.

fn main() {
    ndis_build::link();
}
