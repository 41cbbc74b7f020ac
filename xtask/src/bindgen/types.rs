//! Types as bindgen writes them.

use quote::ToTokens;
use syn::Type;

/// The words of a type, as written.
pub fn words(ty: &Type) -> Vec<String> {
    ty.to_token_stream()
        .to_string()
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// C's name of an integer (or of nothing) as Rust's, as wide as on Windows.
pub fn plain_integer(name: &str) -> Option<&'static str> {
    Some(match name {
        "c_char" | "c_schar" => "i8",
        "c_uchar" => "u8",
        "c_short" => "i16",
        "c_ushort" => "u16",
        "c_int" | "c_long" => "i32",
        "c_uint" | "c_ulong" => "u32",
        "c_longlong" => "i64",
        "c_ulonglong" => "u64",
        "c_void" => "c_void",
        _ => return None,
    })
}
