//! A kernel's body to code: registers, symbols, labels, and calls, which are expanded where they stand.
//!
//! A called function gets fresh registers; its parameters and results are the caller's stack variables, so
//! `.param` space inside a body is memory of the thread. Recursion is refused.

use super::ParseError;
use super::decode::decode;
use super::ir::*;
use super::lexer::{Lexeme, Token};
use super::operand::number;
use super::parser::{Declaration, Function, Items, declaration};
use std::collections::HashMap;

/// How deeply calls may nest before it is taken for recursion.
const DEPTH: usize = 24;

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Symbol {
    Register(Register),
    Memory(Space, u64, Base),
}

#[derive(Default)]
struct Scope<'a> {
    registers: HashMap<&'a str, Register>,
    /// `%r<5>`: the first of them and how many.
    ranges: HashMap<&'a str, (Register, u32)>,
    memory: HashMap<&'a str, (Space, u64)>,
}

pub(crate) struct Builder<'a, 'i> {
    pub items: &'i Items<'a>,
    pub kernel: Kernel,
    places: &'i mut Vec<Place>,
    place_ids: HashMap<Place, u32>,
    scopes: Vec<Scope<'a>>,
    constants: HashMap<(u64, Base), Register>,
    specials: HashMap<Special, Register>,
    /// Shared variables of functions, which all their calls have in common.
    statics: HashMap<(&'a str, &'a str), u64>,
    dynamic_align: usize,
    depth: usize,
    pub line: u32,
    place: u32,
}

/// A function's labels, and the branches that wait for them.
#[derive(Default)]
pub(crate) struct Frame<'a> {
    labels: HashMap<&'a str, usize>,
    tables: HashMap<&'a str, Vec<&'a str>>,
    pub branches: Vec<(usize, &'a str)>,
    pub indexed: Vec<(usize, &'a str)>,
    pub returns: Vec<usize>,
}

pub(crate) fn build_kernel<'a>(
    items: &Items<'a>,
    function: &Function<'a>,
    places: &mut Vec<Place>,
) -> Result<Kernel, ParseError> {
    let kernel = Kernel { name: function.name.to_string(), max_threads: function.max_threads, ..Default::default() };
    let place_ids = places.iter().enumerate().map(|(i, p)| (*p, i as u32)).collect();
    let mut builder = Builder {
        items,
        kernel,
        places,
        place_ids,
        scopes: Vec::new(),
        constants: HashMap::new(),
        specials: HashMap::new(),
        statics: HashMap::new(),
        dynamic_align: 16,
        depth: 0,
        line: 0,
        place: 0,
    };
    // Register 0 is zero: what an absent operand refers to.
    builder.constant(0, Base::None);
    let mut scope = Scope::default();
    let mut offset = 0usize;
    for p in &function.parameters {
        offset = offset.next_multiple_of(p.align);
        builder.kernel.parameters.push(Parameter { offset, size: p.size, pointer: p.pointer });
        scope.memory.insert(p.name, (Space::Parameter, offset as u64));
        offset += p.size;
    }
    builder.kernel.parameter_bytes = offset;
    builder.function(function, scope).map_err(|text| ParseError { line: builder.line, text })?;
    builder.emit(Op::Exit, None);
    let mut kernel = builder.kernel;
    kernel.shared = kernel.shared.next_multiple_of(builder.dynamic_align);
    Ok(kernel)
}

impl<'a> Builder<'a, '_> {
    pub fn emit(&mut self, op: Op, guard: Option<Guard>) {
        self.kernel.code.push(Instruction { op, guard, line: self.line, place: self.place });
    }

    pub fn fresh(&mut self) -> Register {
        self.kernel.registers += 1;
        self.kernel.registers as Register - 1
    }

    pub fn constant(&mut self, value: u64, base: Base) -> Register {
        if let Some(r) = self.constants.get(&(value, base)) {
            return *r;
        }
        let register = self.fresh();
        self.constants.insert((value, base), register);
        self.kernel.constants.push(Constant { register, value, base });
        register
    }

    pub fn special(&mut self, special: Special) -> Register {
        if let Some(r) = self.specials.get(&special) {
            return *r;
        }
        let register = self.fresh();
        self.specials.insert(special, register);
        self.kernel.specials.push((register, special));
        register
    }

    pub fn symbol(&mut self, name: &'a str) -> Option<Symbol> {
        let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (stem, index) = (&name[..digits], name[digits..].parse::<u32>());
        for scope in self.scopes.iter().rev() {
            if let (Some((first, count)), Ok(index)) = (scope.ranges.get(stem), &index)
                && index < count
            {
                return Some(Symbol::Register(first + index));
            }
            if let Some(r) = scope.registers.get(name) {
                return Some(Symbol::Register(*r));
            }
            if let Some((space, offset)) = scope.memory.get(name) {
                return Some(Symbol::Memory(*space, *offset, Base::None));
            }
        }
        if let Some(align) = self.items.dynamic_shared.get(name) {
            self.dynamic_align = self.dynamic_align.max(*align);
            return Some(Symbol::Memory(Space::Shared, 0, Base::DynamicShared));
        }
        if let Some((size, align)) = self.items.shared.get(name) {
            let offset = self.shared_offset("", name, *size, *align);
            return Some(Symbol::Memory(Space::Shared, offset, Base::None));
        }
        let (variable, space) = self.items.variables.get(name)?;
        Some(Symbol::Memory(*space, 0, Base::Variable(*variable)))
    }

    fn shared_offset(&mut self, function: &'a str, name: &'a str, size: usize, align: usize) -> u64 {
        if let Some(offset) = self.statics.get(&(function, name)) {
            return *offset;
        }
        let offset = self.kernel.shared.next_multiple_of(align);
        self.kernel.shared = offset + size;
        self.statics.insert((function, name), offset as u64);
        offset as u64
    }

    fn local_offset(&mut self, d: &Declaration) -> u64 {
        let offset = self.kernel.local.next_multiple_of(d.align);
        self.kernel.local = offset + d.size;
        offset as u64
    }

    fn function(&mut self, function: &Function<'a>, scope: Scope<'a>) -> Result<(), String> {
        if self.depth > DEPTH {
            return Err(format!("`{}` calls itself, which is not supported", function.name));
        }
        let outer = std::mem::replace(&mut self.scopes, vec![scope]);
        let mut frame = Frame::default();
        let tokens = &function.body;
        let mut at = 0;
        while at < tokens.len() {
            self.line = tokens[at].line;
            match tokens[at].token {
                Token::Mark('{') => {
                    self.scopes.push(Scope::default());
                    at += 1;
                    continue;
                }
                Token::Mark('}') => {
                    self.scopes.pop();
                    at += 1;
                    continue;
                }
                Token::Word(label) if tokens.get(at + 1).is_some_and(|t| t.token == Token::Mark(':')) => {
                    frame.labels.insert(label, self.kernel.code.len());
                    at += 2;
                    if let Some(targets) = branch_targets(&tokens[at..]) {
                        at += targets.len() * 2 + 1;
                        frame.tables.insert(label, targets);
                    }
                    continue;
                }
                Token::Word(".loc") => {
                    at += self.location(&tokens[at..])?;
                    continue;
                }
                _ => {}
            }
            let end = tokens[at..].iter().position(|t| t.token == Token::Mark(';')).ok_or("`;` is missing")? + at;
            self.statement(function, &mut frame, &tokens[at..end])?;
            at = end + 1;
        }
        self.resolve(frame, self.depth > 0)?;
        self.scopes = outer;
        Ok(())
    }

    fn resolve(&mut self, frame: Frame<'a>, called: bool) -> Result<(), String> {
        let end = self.kernel.code.len();
        let find = |label: &str| frame.labels.get(label).copied().ok_or_else(|| format!("no label `{label}`"));
        for (at, label) in frame.branches {
            self.kernel.code[at].op = Op::Branch(find(label)?);
        }
        for (at, table) in frame.indexed {
            let labels = frame.tables.get(table).ok_or_else(|| format!("no table of branches `{table}`"))?;
            let found: Result<Vec<usize>, String> = labels.iter().map(|l| find(l)).collect();
            let found = found?;
            if let Op::BranchIndexed { targets, .. } = &mut self.kernel.code[at].op {
                *targets = found.into();
            }
        }
        if called {
            for at in frame.returns {
                self.kernel.code[at].op = Op::Branch(end);
            }
        }
        Ok(())
    }

    /// `.loc file line column, function_name label, inlined_at file line column`, which has no end mark.
    fn location(&mut self, tokens: &[Lexeme<'a>]) -> Result<usize, String> {
        let numbers = |at: usize| -> Option<(u32, u32)> {
            match (tokens.get(at)?.token, tokens.get(at + 1)?.token) {
                (Token::Word(file), Token::Word(line)) => Some((number(file)? as u32, number(line)? as u32)),
                _ => None,
            }
        };
        let (file, line) = numbers(1).ok_or("a `.loc` without file and line")?;
        let (mut length, mut inlined_at) = (4, None);
        while tokens.get(length).is_some_and(|t| t.token == Token::Mark(',')) {
            match tokens.get(length + 1).map(|t| t.token) {
                Some(Token::Word("function_name")) => {
                    length += 3;
                    while tokens.get(length).is_some_and(|t| t.token == Token::Mark('+')) {
                        length += 2;
                    }
                }
                Some(Token::Word("inlined_at")) => {
                    inlined_at = numbers(length + 2);
                    length += 5;
                }
                _ => return Err("what follows a `.loc`".into()),
            }
        }
        let place = Place { file, line, inlined_at };
        let next = self.places.len() as u32;
        self.place = *self.place_ids.entry(place).or_insert(next);
        if self.place == next {
            self.places.push(place);
        }
        Ok(length)
    }

    fn statement(
        &mut self,
        function: &Function<'a>,
        frame: &mut Frame<'a>,
        tokens: &[Lexeme<'a>],
    ) -> Result<(), String> {
        let Some(Lexeme { token, .. }) = tokens.first() else { return Ok(()) };
        let scope = self.scopes.last_mut().ok_or("a `}` too many")?;
        match token {
            Token::Word(".reg") => {
                for name in tokens[2..].split(|t| t.token == Token::Mark(',')) {
                    let first = self.kernel.registers as Register;
                    match name.iter().map(|t| t.token).collect::<Vec<_>>()[..] {
                        [Token::Word(stem), Token::Mark('<'), Token::Word(count), Token::Mark('>')] => {
                            let count = number(count).ok_or("a count of registers")? as u32;
                            scope.ranges.insert(stem, (first, count));
                            self.kernel.registers += count as usize;
                        }
                        [Token::Word(name)] => {
                            scope.registers.insert(name, first);
                            self.kernel.registers += 1;
                        }
                        _ => return Err("a declaration of registers".into()),
                    }
                }
                Ok(())
            }
            Token::Word(".shared") => {
                let d = declaration(tokens)?;
                let offset = self.shared_offset(function.name, d.name, d.size, d.align);
                self.declare(d.name, Space::Shared, offset);
                Ok(())
            }
            Token::Word(".local" | ".param") => {
                let d = declaration(tokens)?;
                let offset = self.local_offset(&d);
                self.declare(d.name, Space::Local, offset);
                Ok(())
            }
            Token::Word(".pragma") => Ok(()),
            Token::Word(word) if word.starts_with('.') => Err(format!("the directive `{word}` is not supported")),
            _ => decode(self, frame, tokens),
        }
    }

    fn declare(&mut self, name: &'a str, space: Space, offset: u64) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.memory.insert(name, (space, offset));
        }
    }

    /// Expands a call: the arguments and the result are the caller's variables.
    pub fn call(&mut self, name: &'a str, results: &[&'a str], arguments: &[&'a str]) -> Result<(), String> {
        let items = self.items;
        let function = items.functions.get(name).ok_or_else(|| format!("`{name}` is not in this module"))?;
        if function.parameters.len() != arguments.len() || function.results.len() != results.len() {
            return Err(format!("a call of `{name}` with the wrong number of arguments"));
        }
        let mut scope = Scope::default();
        let declared = function.parameters.iter().chain(&function.results);
        for (d, given) in declared.zip(arguments.iter().chain(results)) {
            match self.symbol(given) {
                Some(Symbol::Memory(space, offset, Base::None)) => {
                    scope.memory.insert(d.name, (space, offset));
                }
                _ => return Err(format!("the argument `{given}` of a call")),
            }
        }
        let (line, place) = (self.line, self.place);
        self.depth += 1;
        self.function(function, scope)?;
        self.depth -= 1;
        (self.line, self.place) = (line, place);
        Ok(())
    }
}

/// The labels of `.branchtargets a, b;`, if that is what stands here.
fn branch_targets<'a>(tokens: &[Lexeme<'a>]) -> Option<Vec<&'a str>> {
    if tokens.first()?.token != Token::Word(".branchtargets") {
        return None;
    }
    tokens[1..]
        .iter()
        .take_while(|t| t.token != Token::Mark(';'))
        .filter_map(|t| match t.token {
            Token::Word(label) => Some(Some(label)),
            Token::Mark(',') => None,
            _ => Some(None),
        })
        .collect()
}
