//! `ndis.sys` is linked like any driver.

fn main() {
    ndis_build::link();
}
