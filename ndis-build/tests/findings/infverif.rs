//! What Microsoft's InfVerif finds as well, each with the number that it has there.

use crate::broken::Case;

pub fn cases() -> Vec<Case> {
    vec![]
}
