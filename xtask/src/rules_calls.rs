//! What the images of this tree ask of Windows: the functions that the safe crates call, those that
//! they reach through inline functions of `ndis-sys`, what the compiler calls, and the callbacks that
//! the safe crates register. [`rules_functions`](crate::rules_functions) wants a row for each.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::{
    sources::{self, type_name},
    workspace::{self, SAFE_CRATES},
};

/// The routine that the loader calls; no structure registers it.
const ENTRY: (&str, &str) = ("driver_entry", "DRIVER_INITIALIZE");

/// What `ndis-sys` declares.
#[derive(Default)]
pub struct Interface {
    /// The imports of an image for x64 and arm64.
    pub imports: BTreeMap<String, Import>,
    /// The inline functions, with the names that their bodies use.
    inline: BTreeMap<String, BTreeSet<String>>,
    /// What no source names and the compiler calls.
    compiler: BTreeSet<String>,
    /// The types of callbacks, a nullable one's name to the function type's.
    callbacks: BTreeMap<String, String>,
    /// Members that hold a callback: their name, then the structure's, to the callback.
    members: BTreeMap<String, BTreeMap<String, String>>,
}

/// One import.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// `ndis.sys`, `ntoskrnl.exe`.
    pub module: String,
    /// The names of the parameters' types, where they have one.
    parameters: Vec<String>,
}

/// What is used, with the files that do.
#[derive(Default)]
pub struct Used {
    pub functions: BTreeMap<String, BTreeSet<String>>,
    pub callbacks: BTreeMap<String, BTreeSet<String>>,
}

impl Interface {
    /// Reads the sources of `ndis-sys` under `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for path in workspace::rust_files(&root.join("ndis-sys/src"))? {
            files.push((workspace::shown(root, &path), sources::parse(&path)?));
        }
        Ok(Self::of(&files))
    }

    fn of(files: &[(String, syn::File)]) -> Self {
        let mut found = Self::default();
        // A type may be named before it is declared.
        let mut types = BTreeMap::new();
        for (_, file) in files {
            for item in &file.items {
                if let syn::Item::Type(item) = item {
                    types.insert(item.ident.to_string(), &*item.ty);
                }
            }
        }
        for name in types.keys() {
            if let Some(callback) = callback(name, &types) {
                found.callbacks.insert(name.clone(), callback);
            }
        }
        for (shown, file) in files {
            for item in &file.items {
                found.item(item, shown.ends_with("/rt.rs"));
            }
        }
        found
    }

    fn item(&mut self, item: &syn::Item, for_the_compiler: bool) {
        match item {
            syn::Item::ForeignMod(block) if !only_x86(&block.attrs) => {
                let module = block.attrs.iter().find_map(link_name).unwrap_or_default();
                for item in &block.items {
                    let syn::ForeignItem::Fn(function) = item else {
                        continue;
                    };
                    let name = function.sig.ident.to_string();
                    if for_the_compiler {
                        self.compiler.insert(name);
                        continue;
                    }
                    let parameters = function.sig.inputs.iter();
                    let parameters = parameters.filter_map(|input| match input {
                        syn::FnArg::Typed(typed) => type_name(&typed.ty),
                        syn::FnArg::Receiver(_) => None,
                    });
                    let import = Import {
                        module: module.clone(),
                        parameters: parameters.collect(),
                    };
                    self.imports.insert(name, import);
                }
            }
            syn::Item::Fn(function) if !only_x86(&function.attrs) => {
                let mut names = Names::default();
                names.visit_block(&function.block);
                let name = function.sig.ident.to_string();
                self.inline.entry(name).or_default().extend(names.0);
            }
            // `same! { NdisMCmX = NdisCmX(...) -> ...; }` makes the one as a call of the other.
            syn::Item::Macro(item) if item.ident.is_none() => {
                for (name, target) in pairs(item.mac.tokens.clone()) {
                    self.inline.entry(name).or_default().insert(target);
                }
            }
            syn::Item::Struct(item) => {
                for field in &item.fields {
                    let callback = type_name(&field.ty).and_then(|ty| self.callbacks.get(&ty));
                    if let (Some(field), Some(callback)) = (&field.ident, callback) {
                        let holders = self.members.entry(field.to_string()).or_default();
                        holders.insert(item.ident.to_string(), callback.clone());
                    }
                }
            }
            _ => {}
        }
    }

    /// Does the name mean something that pages are about?
    pub fn declares(&self, small: &str) -> bool {
        let all = self.imports.keys().chain(self.inline.keys());
        let mut all = all.chain(self.callbacks.values());
        all.any(|name| name.eq_ignore_ascii_case(small))
    }

    fn is_function(&self, name: &str) -> bool {
        self.imports.contains_key(name)
            // Helpers of the crate's own have small names and no page.
            || (self.inline.contains_key(name) && name.starts_with(|c: char| c.is_ascii_uppercase()))
    }

    /// The imports that the inline function `name` reaches.
    fn reached(&self, name: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut left = vec![name];
        while let Some(name) = left.pop() {
            if !seen.insert(name) {
                continue;
            }
            if let Some((import, _)) = self.imports.get_key_value(name) {
                reached.insert(import.as_str());
                continue;
            }
            left.extend(
                self.inline
                    .get(name)
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            );
        }
        reached
    }
}

/// Scans the tree at `root`.
pub fn scan(root: &Path, interface: &Interface) -> Result<Used> {
    let mut used = Used::default();
    for krate in SAFE_CRATES {
        for path in workspace::rust_files(&root.join(krate).join("src"))? {
            let file = sources::parse(&path)?;
            used.file(interface, &workspace::shown(root, &path), &file);
        }
    }
    for name in &interface.compiler {
        let by = used.functions.entry(name.clone()).or_default();
        by.insert("ndis-sys/src/rt.rs".to_owned());
    }
    Ok(used)
}

impl Used {
    fn file(&mut self, interface: &Interface, shown: &str, file: &syn::File) {
        let mut uses = Uses {
            interface,
            names: Names::default(),
            callbacks: BTreeSet::new(),
            locals: BTreeMap::new(),
            made: None,
        };
        uses.visit_file(file);
        for name in &uses.names.0 {
            // An inline function without an import has demands, too; one that is only a way to an
            // import is there with it.
            let direct = interface.is_function(name).then_some(name.as_str());
            for function in direct.into_iter().chain(interface.reached(name)) {
                let by = self.functions.entry(function.to_owned()).or_default();
                by.insert(shown.to_owned());
            }
        }
        for callback in uses.callbacks {
            self.callbacks
                .entry(callback)
                .or_default()
                .insert(shown.to_owned());
        }
    }
}

/// Every name that a path or a macro call uses.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    self.0.insert(ident.to_string());
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(last) = path.segments.last() {
            self.0.insert(last.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// What a file of a safe crate uses.
struct Uses<'i> {
    interface: &'i Interface,
    names: Names,
    callbacks: BTreeSet<String>,
    /// The structures that the variables of the function at hand are, or point to.
    locals: BTreeMap<String, String>,
    /// The structure that it returns.
    made: Option<String>,
}

impl Uses<'_> {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.locals.clear();
        for input in &signature.inputs {
            if let syn::FnArg::Typed(typed) = input {
                self.local(&typed.pat, type_name(&typed.ty));
            }
        }
        self.made = match &signature.output {
            syn::ReturnType::Type(_, ty) => type_name(ty),
            syn::ReturnType::Default => None,
        };
        self.visit_block(block);
    }

    fn local(&mut self, pattern: &syn::Pat, structure: Option<String>) {
        if let (syn::Pat::Ident(name), Some(structure)) = (pattern, structure) {
            self.locals.insert(name.ident.to_string(), structure);
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.ident.as_ref().is_some_and(|name| name == ENTRY.0) {
            self.callbacks.insert(ENTRY.1.to_owned());
        }
        syn::visit::visit_item_macro(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let syn::Pat::Type(typed) = &local.pat {
            self.local(&typed.pat, type_name(&typed.ty));
        }
        syn::visit::visit_local(self, local);
    }

    fn visit_expr_field(&mut self, field: &'ast syn::ExprField) {
        if let syn::Member::Named(name) = &field.member
            && let Some(holders) = self.interface.members.get(&name.to_string())
        {
            let known = base(&field.base).and_then(|name| self.locals.get(&name));
            let holder = known.or(self.made.as_ref());
            match holder.and_then(|holder| holders.get(holder)) {
                Some(callback) => {
                    self.callbacks.insert(callback.clone());
                }
                // Which structure it is cannot be seen: each that has such a member counts.
                None if known.is_none() => self.callbacks.extend(holders.values().cloned()),
                None => {}
            }
        }
        syn::visit::visit_expr_field(self, field);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
            && let Some(import) = self.interface.imports.get(&last.ident.to_string())
        {
            let types = import.parameters.iter();
            let callbacks = types.filter_map(|ty| self.interface.callbacks.get(ty));
            self.callbacks.extend(callbacks.cloned());
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.names.visit_path(path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.names.visit_macro(call);
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// The variable that a member is taken of: `x.m`, `(*x).m`.
fn base(expr: &syn::Expr) -> Option<String> {
    match expr {
        syn::Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        syn::Expr::Paren(inner) => base(&inner.expr),
        syn::Expr::Unary(inner) => base(&inner.expr),
        _ => None,
    }
}

/// The function type behind the nullable callback type `name`.
fn callback(name: &str, types: &BTreeMap<String, &syn::Type>) -> Option<String> {
    let syn::Type::Path(path) = types.get(name)? else {
        return None;
    };
    let last = path.path.segments.last()?;
    if last.ident != "Option" {
        return callback(&last.ident.to_string(), types);
    }
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(syn::Type::BareFn(_)) => Some(name.to_owned()),
        syn::GenericArgument::Type(inner) => {
            let inner = type_name(inner)?;
            matches!(types.get(&inner)?, syn::Type::BareFn(_)).then_some(inner)
        }
        _ => None,
    }
}

/// `A = B(...)` in a macro call.
fn pairs(tokens: TokenStream) -> Vec<(String, String)> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let pair = |window: &[TokenTree]| match window {
        [
            TokenTree::Ident(name),
            TokenTree::Punct(equals),
            TokenTree::Ident(target),
            TokenTree::Group(_),
        ] if equals.as_char() == '=' => Some((name.to_string(), target.to_string())),
        _ => None,
    };
    tokens.windows(4).filter_map(pair).collect()
}

/// Is the item for 32-bit images alone, of which there are none?
fn only_x86(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string() == "target_arch = \"x86\"")
    })
}

/// The module of `link(name = "...")`, also within a `cfg_attr`.
fn link_name(attribute: &syn::Attribute) -> Option<String> {
    let text = attribute.meta.require_list().ok()?.tokens.to_string();
    let (_, rest) = text.split_once("name = \"")?;
    rest.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (String, syn::File) {
        (
            name.to_owned(),
            syn::parse_file(text).expect("the text parses"),
        )
    }

    fn interface() -> Interface {
        Interface::of(&[
            file(
                "ndis-sys/src/generated/functions.rs",
                "#[cfg_attr(windows, link(name = \"ndis.sys\", kind = \"raw-dylib\"))]\n\
                 unsafe extern \"system\" {\n\
                 pub fn NdisCmDo(af: NDIS_HANDLE); pub fn NdisQueue(item: NDIS_HANDLE, f: ROUTINE); }\n\
                 #[cfg(target_arch = \"x86\")]\n\
                 unsafe extern \"system\" { pub fn NdisOnlyX86(); }",
            ),
            file(
                "ndis-sys/src/macros.rs",
                "same! { /// Doc.\n NdisMCmDo = NdisCmDo(af: NDIS_HANDLE) -> NDIS_STATUS; }\n\
                 pub unsafe fn NdisOver(x: PVOID) { unsafe { helper(x) } }\n\
                 unsafe fn helper(x: PVOID) { unsafe { NdisCmDo(x) } }\n\
                 pub fn NdisNothing() {}\n\
                 #[cfg(target_arch = \"x86\")] pub fn NdisNothing() { NdisOnlyX86() }",
            ),
            file(
                "ndis-sys/src/generated/common.rs",
                "pub type OPEN = unsafe extern \"system\" fn(NDIS_HANDLE);\n\
                 pub type OPEN_HANDLER = Option<OPEN>;\n\
                 pub type FILTER_HANDLER = Option<unsafe extern \"system\" fn()>;\n\
                 pub type ROUTINE = OPEN_HANDLER;\n\
                 pub struct TABLE { pub OpenHandler: OPEN_HANDLER }\n\
                 pub struct OTHER { pub OpenHandler: FILTER_HANDLER }",
            ),
            file(
                "ndis-sys/src/rt.rs",
                "#[link(name = \"ntoskrnl.exe\")] unsafe extern \"C\" { fn memcpy(); }",
            ),
        ])
    }

    fn used(text: &str) -> (Vec<String>, Vec<String>) {
        let (name, text) = file("ndis-co/src/x.rs", text);
        let mut used = Used::default();
        used.file(&interface(), &name, &text);
        (
            used.functions.into_keys().collect(),
            used.callbacks.into_keys().collect(),
        )
    }

    #[test]
    fn what_the_raw_crate_declares_is_found() {
        let interface = interface();
        let imports: Vec<_> = interface.imports.keys().collect();
        assert_eq!(imports, ["NdisCmDo", "NdisQueue"]);
        assert_eq!(interface.imports["NdisCmDo"].module, "ndis.sys");
        assert_eq!(Vec::from_iter(&interface.compiler), ["memcpy"]);
        assert!(interface.declares("ndismcmdo") && !interface.declares("ndisonlyx86"));
    }

    #[test]
    fn a_call_counts_with_all_imports_behind_it() {
        let (functions, _) = used("fn f() { unsafe { ndis_sys::NdisMCmDo(x) } }");
        assert_eq!(functions, ["NdisCmDo", "NdisMCmDo"]);
        // Through a helper of the raw crate, and from within a macro.
        let (functions, _) = used("fn f() { say!(unsafe { NdisOver(x) }) }");
        assert_eq!(functions, ["NdisCmDo", "NdisOver"]);
        let (functions, _) = used("fn f() { unsafe { ndis_sys::NdisNothing() } }");
        assert_eq!(functions, ["NdisNothing"]);
        // Documentation and tests call nothing.
        let (functions, _) = used(
            "#[doc(alias = \"NdisCmDo\")] fn f() {}\n mod tests { fn t() { ndis_sys::NdisCmDo(x) } }",
        );
        assert!(functions.is_empty(), "{functions:?}");
    }

    #[test]
    fn a_callback_is_told_by_the_structure_or_the_parameter() {
        let of = |text: &str| used(text).1;
        assert_eq!(
            of("fn f() { let mut t: TABLE = zeroed(); t.OpenHandler = Some(g); }"),
            ["OPEN"]
        );
        assert_eq!(
            of("fn f() -> OTHER { let mut t = base(); t.OpenHandler = Some(g); t }"),
            ["FILTER_HANDLER"]
        );
        assert_eq!(
            of("fn f(t: *mut TABLE) { let m = unsafe { &raw mut (*t).OpenHandler }; }"),
            ["OPEN"]
        );
        // In doubt, all of them.
        assert_eq!(
            of("fn f() { let t = base(); t.OpenHandler = Some(g); }"),
            ["FILTER_HANDLER", "OPEN"]
        );
        assert_eq!(
            of("fn f() { unsafe { ndis_sys::NdisQueue(i, Some(g)) } }"),
            ["OPEN"]
        );
        assert_eq!(
            of("macro_rules! driver_entry { () => {} }"),
            ["DRIVER_INITIALIZE"]
        );
    }
}
