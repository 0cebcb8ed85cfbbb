//! The items of a module: version, files, variables, functions. Bodies are left to the builder.

use super::ParseError;
use super::builder::build_kernel;
use super::ir::{Kernel, Module, Space, Type, Variable};
use super::lexer::{Lexeme, Token, lex};
use super::operand::number;
use std::collections::HashMap;

/// A declared name with its space in memory: a parameter, a variable, a stack frame.
#[derive(Clone, Debug)]
pub(crate) struct Declaration<'a> {
    pub name: &'a str,
    pub kind: Type,
    pub size: usize,
    pub align: usize,
    pub pointer: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Function<'a> {
    pub name: &'a str,
    pub entry: bool,
    pub results: Vec<Declaration<'a>>,
    pub parameters: Vec<Declaration<'a>>,
    pub body: Vec<Lexeme<'a>>,
    pub max_threads: u32,
}

/// What a body may refer to.
#[derive(Default)]
pub(crate) struct Items<'a> {
    pub functions: HashMap<&'a str, Function<'a>>,
    /// Names of dynamic shared memory and their alignments.
    pub dynamic_shared: HashMap<&'a str, usize>,
    /// Shared memory declared outside functions: size and alignment.
    pub shared: HashMap<&'a str, (usize, usize)>,
    pub variables: HashMap<&'a str, (u32, Space)>,
}

pub(crate) fn parse(source: &str) -> Result<Module, ParseError> {
    let tokens = lex(source)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let mut module = Module::default();
    let mut items = Items::default();
    let mut order = Vec::new();
    // Place 0 is "unknown".
    module.places.push(Default::default());
    while parser.at < tokens.len() {
        parser.item(&mut module, &mut items, &mut order)?;
    }
    let mut kernels: Vec<Kernel> = Vec::new();
    for name in order {
        if items.functions[name].entry {
            kernels.push(build_kernel(&items, &items.functions[name], &mut module.places)?);
        }
    }
    module.kernels = kernels;
    Ok(module)
}

struct Parser<'a, 't> {
    tokens: &'t [Lexeme<'a>],
    at: usize,
}

impl<'a> Parser<'a, '_> {
    fn fail<T>(&self, text: impl Into<String>) -> Result<T, ParseError> {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        Err(ParseError { line: self.tokens.get(at).map_or(0, |t| t.line), text: text.into() })
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).map(|t| t.token)
    }

    fn next(&mut self) -> Result<Token<'a>, ParseError> {
        match self.peek() {
            Some(token) => {
                self.at += 1;
                Ok(token)
            }
            None => self.fail("the text ends inside an item"),
        }
    }

    fn word(&mut self) -> Result<&'a str, ParseError> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => self.fail(format!("a word was expected, not {other:?}")),
        }
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(Token::Mark(mark));
        self.at += found as usize;
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), ParseError> {
        if self.take(mark) { Ok(()) } else { self.fail(format!("`{mark}` is missing")) }
    }

    fn item(&mut self, module: &mut Module, items: &mut Items<'a>, order: &mut Vec<&'a str>) -> Result<(), ParseError> {
        let first = self.at;
        match self.word()? {
            ".version" => {
                let version = self.word()?;
                let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
                match (major.parse(), minor.parse()) {
                    (Ok(major), Ok(minor)) => module.version = (major, minor),
                    _ => return self.fail(format!("the version `{version}`")),
                }
            }
            ".target" => {
                module.target = self.word()?.to_string();
                while self.take(',') {
                    self.word()?;
                }
            }
            ".address_size" => {
                if self.word()? != "64" {
                    return self.fail("addresses of other than 64 bits");
                }
            }
            ".file" => {
                let id = self.word()?;
                let Some(id) = number(id) else { return self.fail("the number of a file") };
                let Token::Text(name) = self.next()? else { return self.fail("the name of a file") };
                module.files.push((id as u32, name.to_string()));
                // Time and size may follow.
                while self.take(',') {
                    self.word()?;
                }
            }
            ".section" => self.skip_section()?,
            ".pragma" => {
                self.next()?;
                self.expect(';')?;
            }
            _ => {
                self.at = first;
                let head = self.linking();
                match head {
                    Some(".entry") | Some(".func") => self.function(items, order)?,
                    Some(".global") | Some(".const") | Some(".shared") | Some(".alias") => {
                        self.variable(module, items)?
                    }
                    _ => return self.fail("what begins here is not supported at the top of a module"),
                }
            }
        }
        Ok(())
    }

    /// The directive after `.visible`, `.extern` and so on, without moving.
    fn linking(&self) -> Option<&'a str> {
        self.tokens[self.at..].iter().find_map(|t| match t.token {
            Token::Word(".visible" | ".extern" | ".weak" | ".common") => None,
            Token::Word(word) => Some(Some(word)),
            _ => Some(None),
        })?
    }

    fn skip_section(&mut self) -> Result<(), ParseError> {
        self.word()?;
        self.expect('{')?;
        while !self.take('}') {
            self.next()?;
        }
        Ok(())
    }

    fn function(&mut self, items: &mut Items<'a>, order: &mut Vec<&'a str>) -> Result<(), ParseError> {
        let mut entry = false;
        let name = loop {
            match self.word() {
                Ok(".entry") => entry = true,
                Ok(word) if word.starts_with('.') => {}
                Ok(word) => break word,
                Err(error) => {
                    // The results of a function stand before its name.
                    self.at -= 1;
                    if self.peek() != Some(Token::Mark('(')) {
                        return Err(error);
                    }
                    let results = self.declarations()?;
                    let name = self.word()?;
                    return self.function_rest(items, order, name, false, results);
                }
            }
        };
        self.function_rest(items, order, name, entry, Vec::new())
    }

    fn function_rest(
        &mut self,
        items: &mut Items<'a>,
        order: &mut Vec<&'a str>,
        name: &'a str,
        entry: bool,
        results: Vec<Declaration<'a>>,
    ) -> Result<(), ParseError> {
        let parameters = if self.peek() == Some(Token::Mark('(')) { self.declarations()? } else { Vec::new() };
        let mut max_threads = 0;
        loop {
            match self.next()? {
                // Announced here, written elsewhere.
                Token::Mark(';') => return Ok(()),
                Token::Mark('{') => break,
                Token::Word(".maxntid" | ".reqntid") => {
                    max_threads = 1;
                    loop {
                        let size = self.word()?;
                        let Some(n) = number(size) else { return self.fail("the size of a block") };
                        max_threads *= n as u32;
                        if !self.take(',') {
                            break;
                        }
                    }
                }
                Token::Word(".minnctapersm" | ".maxnreg") => {
                    self.word()?;
                }
                Token::Word(".noreturn") => {}
                other => return self.fail(format!("{other:?} in the head of a function")),
            }
        }
        let first = self.at;
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') => depth -= 1,
                _ => {}
            }
        }
        let body = self.tokens[first..self.at - 1].to_vec();
        order.push(name);
        items.functions.insert(name, Function { name, entry, results, parameters, body, max_threads });
        Ok(())
    }

    fn declarations(&mut self) -> Result<Vec<Declaration<'a>>, ParseError> {
        self.expect('(')?;
        let mut out = Vec::new();
        while !self.take(')') {
            let first = self.at;
            while !matches!(self.peek(), Some(Token::Mark(',' | ')')) | None) {
                self.at += 1;
            }
            match declaration(&self.tokens[first..self.at]) {
                Ok(d) => out.push(d),
                Err(text) => return self.fail(text),
            }
            self.take(',');
        }
        Ok(out)
    }

    fn variable(&mut self, module: &mut Module, items: &mut Items<'a>) -> Result<(), ParseError> {
        let first = self.at;
        while !matches!(self.peek(), Some(Token::Mark(';' | '=')) | None) {
            self.at += 1;
        }
        let head = &self.tokens[first..self.at];
        let has = |w: &str| head.iter().any(|t| t.token == Token::Word(w));
        if has(".alias") {
            return self.fail("aliases are not supported");
        }
        let d = match declaration(head) {
            Ok(d) => d,
            Err(text) => return self.fail(text),
        };
        if has(".shared") {
            if d.size == 0 {
                items.dynamic_shared.insert(d.name, d.align);
            } else {
                items.shared.insert(d.name, (d.size, d.align));
            }
            return self.expect(';');
        }
        if has(".extern") {
            return self.fail(format!("the variable `{}` is defined elsewhere", d.name));
        }
        let mut bytes = vec![0; d.size];
        if self.take('=') {
            self.initialiser(&d, &mut bytes)?;
        }
        self.expect(';')?;
        let constant = has(".const");
        let space = if constant { Space::Constant } else { Space::Global };
        items.variables.insert(d.name, (module.variables.len() as u32, space));
        module.variables.push(Variable { name: d.name.to_string(), align: d.align, bytes, constant });
        Ok(())
    }

    fn initialiser(&mut self, d: &Declaration, bytes: &mut [u8]) -> Result<(), ParseError> {
        let mut index = 0;
        loop {
            match self.next()? {
                Token::Mark('{' | '}' | ',') => {}
                Token::Mark(';') => {
                    self.at -= 1;
                    return Ok(());
                }
                token => {
                    let (negative, word) = match token {
                        Token::Mark('-') => (true, self.word()?),
                        Token::Word(word) => (false, word),
                        _ => return self.fail("an initial value"),
                    };
                    let Some(n) = number(word) else {
                        return self.fail(format!("the initial value `{word}` is not a number"));
                    };
                    let n = if negative { n.wrapping_neg() } else { n };
                    let size = d.kind.size();
                    if (index + 1) * size > bytes.len() {
                        return self.fail("more initial values than elements");
                    }
                    bytes[index * size..(index + 1) * size].copy_from_slice(&n.to_le_bytes()[..size]);
                    index += 1;
                }
            }
        }
    }
}

/// `.param .align 8 .b8 name[24]`, `.param .u64 .ptr .global .align 16 name`, `.shared .f32 name`.
pub(crate) fn declaration<'a>(tokens: &[Lexeme<'a>]) -> Result<Declaration<'a>, String> {
    let (mut kind, mut align, mut pointer, mut name, mut count) = (None, 0, false, None, 1);
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].token {
            Token::Word(".align") => {
                at += 1;
                let Some(Token::Word(n)) = tokens.get(at).map(|t| t.token) else { return Err("an alignment".into()) };
                // After `.ptr` it is that of what the address points to.
                if !pointer {
                    align = number(n).ok_or("an alignment")? as usize;
                }
            }
            Token::Word(".ptr") => pointer = true,
            Token::Word(word) if word.starts_with('.') => kind = Type::parse(&word[1..]).or(kind),
            Token::Word(word) if name.is_none() => name = Some(word),
            Token::Word(word) => {
                count *= number(word).ok_or_else(|| format!("the length `{word}`"))? as usize;
            }
            Token::Mark('[') if tokens.get(at + 1).is_some_and(|t| t.token == Token::Mark(']')) => count = 0,
            Token::Mark('[' | ']') => {}
            other => return Err(format!("{other:?} in a declaration")),
        }
        at += 1;
    }
    let kind: Type = kind.ok_or("a declaration without a type")?;
    let name = name.ok_or("a declaration without a name")?;
    Ok(Declaration { name, kind, size: kind.size() * count, align: align.max(kind.size()), pointer })
}
