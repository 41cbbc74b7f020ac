use crate::{arch::Arch, steps::Outcome};
pub const BROKEN_RULE: &str = "REG-31";
pub fn build(_: Arch, _: bool, _: &std::path::Path) -> anyhow::Result<Option<Outcome>> {
    Ok(Some(Outcome::Missing("soon".into())))
}
