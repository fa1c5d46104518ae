//! The public names in a crate's sources, by their tokens: also those in macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The names of functions, types, constants, flags and variants that some sources declare public:
/// `function`, `Type`, `Type::method`, `Type::FLAG`, `Enum::Variant`; `module::function` where a
/// source is that of a module.
///
/// What traits make of a type is not among them, nor are the variants of errors.
pub fn names<'a>(sources: impl IntoIterator<Item = (String, Option<&'a str>)>) -> BTreeSet<String> {
    let mut found = Found::default();
    for (source, module) in sources {
        let tokens: TokenStream = source.parse().expect("it is Rust");
        found.items(tokens, module);
    }
    found.expanded()
}

#[derive(Default)]
struct Found {
    names: BTreeSet<(Option<String>, String)>,
    /// The first arguments that each macro is called with.
    calls: BTreeMap<String, BTreeSet<String>>,
    /// The macro that is being declared.
    macro_rules: Option<String>,
}

/// Begins the name of a type that is the argument of the macro after it.
const ARGUMENT_OF: char = '$';

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}

/// The next group in braces, unless the item ends before it.
fn body(tokens: &[TokenTree]) -> Option<TokenStream> {
    let end = |token: &&TokenTree| !is_punct(Some(*token), ';');
    let mut groups = tokens.iter().take_while(end);
    groups.find_map(|token| group(Some(token), Delimiter::Brace))
}

impl Found {
    fn add(&mut self, owner: Option<&str>, name: &str) {
        self.names
            .insert((owner.map(str::to_owned), name.to_owned()));
    }

    /// What is declared among `tokens`, in an `impl` of `owner` if there is one.
    fn items(&mut self, tokens: TokenStream, owner: Option<&str>) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            at += 1;
            match (token, ident(Some(token)).as_deref()) {
                (_, Some("pub")) if ident(rest.first()).as_deref() == Some("use") => {
                    let end = rest.iter().position(|token| is_punct(Some(token), ';'));
                    self.uses(rest[1..end.expect("it ends")].iter().cloned().collect());
                }
                (_, Some("pub")) if group(rest.first(), Delimiter::Parenthesis).is_none() => {
                    self.public(rest, owner);
                }
                (_, Some("impl")) => at += self.inherent(rest),
                (_, Some("enum" | "trait")) => {
                    // That of a public one was seen already.
                    at += rest
                        .iter()
                        .position(|token| group(Some(token), Delimiter::Brace).is_some())
                        .map_or(0, |brace| brace + 1);
                }
                (_, Some("macro_rules")) => {
                    self.macro_rules = ident(rest.get(1));
                    if let Some(TokenTree::Group(group)) = rest.get(2) {
                        self.items(group.stream(), None);
                    }
                    self.macro_rules = None;
                    at += 3;
                }
                (_, Some(name)) if is_punct(rest.first(), '!') => {
                    if let Some(TokenTree::Group(group)) = rest.get(1)
                        && let Some(argument) = ident(group.stream().into_iter().next().as_ref())
                    {
                        let calls = self.calls.entry(name.to_owned()).or_default();
                        calls.insert(argument);
                    }
                }
                (TokenTree::Punct(punct), _) if punct.as_char() == '#' => {
                    let attribute = group(rest.first(), Delimiter::Bracket);
                    if attribute.is_some_and(|tokens| is_for_tests(&tokens)) {
                        // To the end of what it is of.
                        at += rest
                            .iter()
                            .position(|token| {
                                is_punct(Some(token), ';')
                                    || group(Some(token), Delimiter::Brace).is_some()
                            })
                            .map_or(0, |end| end + 1);
                    }
                }
                (TokenTree::Group(group), _) => self.items(group.stream(), owner),
                _ => {}
            }
        }
    }

    /// What comes after `pub`.
    fn public(&mut self, tokens: &[TokenTree], owner: Option<&str>) {
        let mut at = 0;
        while let Some(word) = ident(tokens.get(at)) {
            at += 1;
            let Some(name) = ident(tokens.get(at)) else {
                return;
            };
            let after = &tokens[at + 1..];
            match word.as_str() {
                "fn" => return self.add(owner, &name),
                "const" if is_punct(after.first(), ':') => return self.add(owner, &name),
                "const" | "unsafe" | "async" => {}
                "struct" => {
                    self.add(None, &name);
                    // A set of flags, in a macro.
                    if is_punct(after.first(), ':') {
                        self.flags(after, &name);
                    }
                    return;
                }
                "enum" => {
                    self.add(None, &name);
                    if name != "Error" {
                        self.variants(after, &name);
                    }
                    return;
                }
                "trait" => {
                    self.add(None, &name);
                    let body: Vec<_> = body(after).into_iter().flatten().collect();
                    for pair in body.windows(2) {
                        if ident(pair.first()).as_deref() == Some("fn") {
                            let method = ident(pair.get(1)).expect("a name");
                            self.add(Some(&name), &method);
                        }
                    }
                    return;
                }
                "type" | "union" => return self.add(None, &name),
                _ => return,
            }
        }
    }

    /// What is handed on: the last name of each path.
    fn uses(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.uses(group.stream()),
                TokenTree::Ident(name)
                    if matches!(tokens.get(at + 1), None | Some(TokenTree::Punct(_)))
                        && !is_punct(tokens.get(at + 1), ':') =>
                {
                    self.add(None, &name.to_string());
                }
                _ => {}
            }
        }
    }

    /// `const NAME = ...;` or `NAME;`
    fn flags(&mut self, tokens: &[TokenTree], owner: &str) {
        let mut begins = true;
        for token in body(tokens).into_iter().flatten() {
            match (&token, ident(Some(&token)).as_deref()) {
                (_, Some("const" | "_")) => {}
                (_, Some(name)) if begins => {
                    self.add(Some(owner), name);
                    begins = false;
                }
                (TokenTree::Punct(punct), _) if punct.as_char() == ';' => begins = true,
                _ => {}
            }
        }
    }

    /// `Name = ...,`, with attributes before it.
    fn variants(&mut self, tokens: &[TokenTree], owner: &str) {
        let mut begins = true;
        for token in body(tokens).into_iter().flatten() {
            match (&token, ident(Some(&token)).as_deref()) {
                (_, Some(name)) if begins => {
                    self.add(Some(owner), name);
                    begins = false;
                }
                (TokenTree::Punct(punct), _) if punct.as_char() == ',' => begins = true,
                _ => {}
            }
        }
    }

    /// What comes after `impl`; returns how many tokens that is.
    fn inherent(&mut self, tokens: &[TokenTree]) -> usize {
        let (mut depth, mut owner, mut is_of_trait) = (0, None, false);
        for (at, token) in tokens.iter().enumerate() {
            match (token, ident(Some(token)).as_deref()) {
                (TokenTree::Punct(punct), _) if punct.as_char() == '<' => depth += 1,
                // Not of an arrow.
                (TokenTree::Punct(punct), _)
                    if punct.as_char() == '>' && !is_punct(tokens.get(at.wrapping_sub(1)), '-') =>
                {
                    depth -= 1;
                }
                (_, Some("for")) if depth == 0 => is_of_trait = true,
                (_, Some("where")) if depth == 0 => depth += 1,
                (_, Some(name)) if depth == 0 => {
                    owner = Some(if is_punct(tokens.get(at.wrapping_sub(1)), '$') {
                        let of = self.macro_rules.as_deref().unwrap_or_default();
                        format!("{ARGUMENT_OF}{of}")
                    } else {
                        name.to_owned()
                    });
                }
                (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => {
                    if !is_of_trait {
                        self.items(group.stream(), owner.as_deref());
                    }
                    return at + 1;
                }
                (TokenTree::Punct(punct), _) if punct.as_char() == ';' => return at,
                _ => {}
            }
        }
        tokens.len()
    }

    /// The names, where the argument of a macro stands for all that it is called with.
    fn expanded(self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (owner, name) in self.names {
            match owner {
                None => {
                    names.insert(name);
                }
                Some(owner) => match owner.strip_prefix(ARGUMENT_OF) {
                    None => {
                        names.insert(format!("{owner}::{name}"));
                    }
                    Some(of) => {
                        for argument in self.calls.get(of).into_iter().flatten() {
                            names.insert(format!("{argument}::{name}"));
                        }
                    }
                },
            }
        }
        names
    }
}

fn is_for_tests(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text == "cfg(test)" || text == "test"
}

#[cfg(test)]
mod tests {
    use super::names;

    fn of(source: &str) -> Vec<String> {
        names([(source.to_owned(), None)]).into_iter().collect()
    }

    #[test]
    fn functions_methods_and_constants() {
        let source = "
            pub fn a() { pub_fn() } fn b() {} pub(crate) fn c() {}
            pub const unsafe fn d() {}
            pub struct S<T>(T); struct P;
            impl<'a, T: Into<u8>> S<T> where T: Copy { pub fn e(&self) -> u8 { 0 } fn f(&self) {} }
            impl<T> Clone for S<T> { fn clone(&self) -> Self { todo!() } }
            impl S<u8> { pub const G: u8 = 1; pub async fn h() {} }
            pub trait R { fn i(&self); }
            trait Q { fn j(&self); }
            pub type U = u8;
            pub use other::k; pub use m::{L, n::{O as V, W}, x::*}; use y::z;
        ";
        assert_eq!(
            of(source),
            [
                "L", "R", "R::i", "S", "S::G", "S::e", "S::h", "U", "V", "W", "a", "d", "k"
            ]
        );
    }

    #[test]
    fn variants_and_flags() {
        let source = "
            pub enum E { #[doc(alias = \"x\")] A, B(u8), C { d: u8 }, F = G, }
            pub enum Error { H }
            enum Private { I }
            bitflags! { #[derive(Clone)] pub struct S: u8 { #[x] const J = K; const _ = !0; } }
            flags!( pub struct T: u8 { #[cfg(x)] L; M as N; } );
        ";
        let all = [
            "E", "E::A", "E::B", "E::C", "E::F", "Error", "S", "S::J", "T", "T::L", "T::M",
        ];
        assert_eq!(of(source), all);
    }

    #[test]
    fn macros_and_tests() {
        let source = "
            macro_rules! methods { ($t:ident, $u:expr) => {
                impl $t { pub fn a(&self) {} }
                impl<A: B> $t<A> { pub fn b(&self) {} }
            } }
            methods!(S, 1); methods! { T, 2 } other!(U);
            #[cfg(test)] mod tests { pub fn c() {} }
            #[cfg(unix)] mod more { pub fn d() {} }
        ";
        assert_eq!(of(source), ["S::a", "S::b", "T::a", "T::b", "d"]);
    }

    #[test]
    fn the_functions_of_a_module() {
        let source = "pub fn a() {} pub struct S; impl S { pub fn b() {} }".to_owned();
        let names = names([(source, Some("m"))]);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["S", "S::b", "m::a"]);
    }
}
