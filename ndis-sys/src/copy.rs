//! Which records are `Copy`, said by a list and not by a `derive` at each: a
//! derived `clone` names the type of every member again, and each build that
//! has 900 of them to expand and to check takes a sixth longer.

/// `copy! { Record; ... }`
macro_rules! copy {
    ($($record:ident;)*) => {
        $(
            impl Clone for $record {
                #[inline]
                fn clone(&self) -> $record {
                    *self
                }
            }
            impl Copy for $record {}
        )*
    };
}
