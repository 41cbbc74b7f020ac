//! The function-like macros and inline functions of the headers, re-made by
//! hand; `macros.tsv` accounts for every one of them.
