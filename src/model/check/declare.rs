//! The meaning of a declaration.

use super::meaning::{Family, Index, Meaning, Members, Scope};
use super::names::What;
use super::{Checker, Facts, shape_words};
use crate::catalogue::Signature;
use crate::diag::{Code, Diag};
use crate::model::fold::fold;
use crate::model::ir::{Data, DataId, Expr, ExprKind, Init, Leaf, Member, Var, VarId, VarKind};
use crate::source::Span;
use crate::syntax::ast::{self, Binder, TypeExpr, TypeKind};
use crate::tape::{Shape, Tensor};

const RANDOM: Signature = Signature("random(scale = 1, shift = 0, low = 0, high = 1)");

impl<'a> Checker<'a> {
    /// Gives declaration `at` its meaning.
    pub(super) fn declare(&mut self, at: usize) -> Option<Meaning> {
        let declaration = &self.declarations[at];
        let (ident, what, player) = (declaration.name, declaration.what, declaration.player);
        let scope = player.map_or_else(|| self.top(), Scope::of);
        match what {
            What::Param(value) => self.param(ident, value, &scope),
            What::Data { family: None, ty, value } => self.data(ident, ty, value, &scope),
            What::Data { family: Some(binder), ty, value } => self.data_family(ident, binder, ty, value, &scope),
            What::Let { family: Some(binder), .. } => {
                let count = self.members(binder, &scope)?;
                // Members are defined where they are asked for; the first one here, so that a fault shows.
                self.let_member(at, Index::At(1), ident.span)?;
                let (name, span) = (ident.text.clone(), ident.span);
                Some(Meaning::Family(Family { name, span, count, of: Members::Let(at) }))
            }
            What::Let { family: None, value, part: None, .. } => {
                let before = self.model.data.len();
                let meaning = self.meaning(value, &scope)?;
                self.named(meaning, ident, value.span, before)
            }
            What::Let { family: None, value, part: Some(part), first } => self.part(ident, value, part, first, &scope),
            What::Var { family, ty, init, stream } => self.var(ident, family, ty, (init, stream), &scope),
            What::Net { input, layers } => self.net(ident, input, layers, &scope),
            What::Sample { names, family, source, size, part, first } => {
                if part > 0 {
                    // The first name's declaration makes the sample.
                    return match self.resolve(first)? {
                        Meaning::Family(Family { of: Members::Sample(id, _), .. })
                        | Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Sample(id, ..)), .. }) => {
                            Some(self.sample_part(id, part as u32, ident.span))
                        }
                        _ => unreachable!("a sample means a sample"),
                    };
                }
                let id = self.sample(names, family, source, size, &scope)?;
                Some(self.sample_part(id, 0, ident.span))
            }
            What::Shows(value) => self.tensor(value, &scope).map(Meaning::Expr),
            What::Player(player) => Some(Meaning::Player(player)),
        }
    }

    fn param(&mut self, ident: &'a ast::Ident, value: &'a ast::Expr, scope: &Scope) -> Option<Meaning> {
        if let Some(set) = self.set(&ident.text, ident.span) {
            return Some(Meaning::Expr(super::names::number(set?, ident.span)));
        }
        let before = self.model.data.len();
        let meaning = self.meaning(value, scope)?;
        let expr = self.as_tensor(meaning, value.span)?;
        self.known_value(&expr)?;
        self.named(Meaning::Expr(expr), ident, value.span, before)
    }

    /// A value under a name: known ones are computed here, once.
    fn named(&mut self, meaning: Meaning, ident: &ast::Ident, span: Span, before: usize) -> Option<Meaning> {
        let meaning = match meaning {
            Meaning::Trained(named) => Meaning::Expr(self.only_tensor(&named, ident, span)?),
            other => other,
        };
        let Meaning::Expr(expr) = meaning else { return Some(meaning) };
        let expr = self.bounded(expr, span)?;
        if let ExprKind::Leaf(Leaf::Data(id, Member::None)) = expr.kind {
            if id.index() >= before {
                self.rename(id, ident);
            }
            return Some(Meaning::Expr(expr));
        }
        Some(Meaning::Expr(match fold(&self.model, &expr) {
            Some(value) if value.shape.is_scalar() => self.constant(value, ident.span),
            Some(value) => {
                let facts = Facts { net: self.params_of(&expr), ..Facts::default() };
                self.add_data(ident.text.clone(), ident.span, value, facts)
            }
            None => expr,
        }))
    }

    fn rename(&mut self, id: DataId, ident: &ast::Ident) {
        let data = &mut self.model.data[id.index()];
        data.name = ident.text.clone();
        data.span = ident.span;
    }

    /// A file that holds one tensor.
    fn only_tensor(&mut self, named: &[(String, Tensor)], ident: &ast::Ident, span: Span) -> Option<Expr> {
        if let [(_, tensor)] = named {
            return Some(self.add_data(ident.text.clone(), ident.span, tensor.clone(), Facts::default()));
        }
        let names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
        self.fail(
            Diag::new(Code::WrongKind, span, format!("the file holds {} tensors: {}", names.len(), super::index::listed(&names)))
                .help(format!("a trained network is declared with its type, `data {}: params(C) = load(…)`; `key = \"…\"` picks a tensor", ident.text)),
        )
    }

    /// One name of `let (a, b) = …`.
    fn part(
        &mut self,
        ident: &'a ast::Ident,
        value: &'a ast::Expr,
        part: usize,
        first: usize,
        scope: &Scope,
    ) -> Option<Meaning> {
        if !self.tuples.contains_key(&first) {
            let parts = self.tuple(value, first, scope);
            self.tuples.insert(first, parts);
        }
        let meaning = self.tuples[&first].as_ref()?.get(part)?.clone();
        // What is known is named after its part.
        let before = match &meaning {
            Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Data(id, _)), .. }) => id.index(),
            _ => self.model.data.len(),
        };
        self.named(meaning, ident, value.span, before)
    }

    fn tuple(&mut self, value: &'a ast::Expr, first: usize, scope: &Scope) -> Option<Vec<Meaning>> {
        let is_part = |what: &What| matches!(what, What::Let { part: Some(_), first: of, .. } if *of == first);
        let names = self.declarations.iter().filter(|other| is_part(&other.what)).count();
        let words = match self.meaning(value, scope)? {
            Meaning::Tuple(parts) if parts.len() == names => return Some(parts),
            other => other.words(),
        };
        let text = self.text(value.span);
        self.fail(
            Diag::new(Code::WrongArguments, value.span, format!("`{text}` is {words}, for {names} names"))
                .help("as many names as values stand in the parentheses: `let (train, held) = split(table, 1000)`"),
        )
    }

    /// `data A: real[200, 50] = …`
    fn data(
        &mut self,
        ident: &'a ast::Ident,
        ty: Option<&'a TypeExpr>,
        value: &'a ast::Expr,
        scope: &Scope,
    ) -> Option<Meaning> {
        let before = self.model.data.len();
        let declared = ty.map(|ty| self.type_of(ty, scope));
        let meaning = match self.replaced(&ident.text, value, scope) {
            Some(replaced) => replaced,
            None => self.meaning(value, scope),
        };
        let declared = match declared {
            Some(declared) => Some(declared?),
            None => None,
        };
        let meaning = match (meaning, &declared) {
            (Some(Meaning::Trained(named)), Some((_, VarKind::Params(net)))) => {
                let tensor = self.trained(&named, *net, value.span)?;
                Meaning::Expr(self.add_data(ident.text.clone(), ident.span, tensor, Facts::default()))
            }
            (Some(meaning), _) => meaning,
            (None, Some((shape, _))) if !self.inputs.bind => {
                let tensor = Tensor::f64(shape.clone(), vec![0.0; shape.numel()]);
                let facts = Facts { header: Some(format!("declared {shape}")), ..Facts::default() };
                Meaning::Expr(self.add_data(ident.text.clone(), ident.span, tensor, facts))
            }
            (None, _) => return None,
        };
        if let Meaning::Expr(expr) = &meaning {
            self.known_value(expr)?;
        }
        // Even one number is data here, and not a parameter.
        let meaning = match self.named(meaning, ident, value.span, before)? {
            Meaning::Expr(Expr { kind: ExprKind::Number(number), .. }) if declared.is_none() => {
                Meaning::Expr(super::names::number(number, ident.span))
            }
            other => other,
        };
        let expr = self.as_tensor(meaning, value.span)?;
        if let (Some(ty), Some((shape, kind))) = (ty, declared) {
            self.as_declared(ident, &expr, ty, &shape)?;
            if let (VarKind::Params(net), ExprKind::Leaf(Leaf::Data(id, _))) = (kind, &expr.kind) {
                self.facts[id.index()].net = Some(net);
            }
        }
        Some(Meaning::Expr(expr))
    }

    /// Whether a value has its declared shape.
    fn as_declared(&mut self, ident: &ast::Ident, expr: &Expr, ty: &TypeExpr, shape: &Shape) -> Option<()> {
        if expr.shape == *shape {
            return Some(());
        }
        let message =
            format!("`{}` is declared as {} and is {}", ident.text, shape_words(shape), shape_words(&expr.shape));
        let mut diag = Diag::new(Code::ShapeMismatch, ty.span, message).here(format!("declared {shape}"));
        diag = self.with_sources(diag, &[expr]);
        self.fail(diag.help("one of the two is not what was meant; without the type, the file decides"))
    }

    /// `data As[i in 1 to 8] = shard(A, i, 8)`: members of one width, stacked; shorter ones are filled
    /// with zeros below.
    fn data_family(
        &mut self,
        ident: &'a ast::Ident,
        binder: &'a Binder,
        ty: Option<&'a TypeExpr>,
        value: &'a ast::Expr,
        scope: &Scope,
    ) -> Option<Meaning> {
        /// Members of data are made one by one.
        const MOST: usize = 100_000;
        let count = self.members(binder, scope)?;
        if count > MOST {
            return self.fail(Diag::new(
                Code::NotYet,
                binder.span,
                format!("more than {MOST} members of data are not executed yet"),
            ));
        }
        let mut members: Vec<Tensor> = Vec::new();
        for i in 1..=count {
            let inside = scope.with(&binder.name.key, Index::At(i as i64));
            let member = self.known(value, &inside)?;
            let shape = |tensor: &Tensor| tensor.shape.0.get(1..).map(<[usize]>::to_vec);
            if members.first().is_some_and(|first| shape(first) != shape(&member)) {
                let message = format!(
                    "`{0}[1]` is {1} and `{0}[{i}]` is {2}",
                    ident.text,
                    shape_words(&members[0].shape),
                    shape_words(&member.shape)
                );
                return self.fail(
                    Diag::new(Code::ShapeMismatch, value.span, message)
                        .help("members of a family differ in their rows at most"),
                );
            }
            if let Some(ty) = ty {
                let (declared, _) = self.type_of(ty, &inside)?;
                if declared != member.shape {
                    let message = format!(
                        "`{}[{i}]` is declared as {} and is {}",
                        ident.text,
                        shape_words(&declared),
                        shape_words(&member.shape)
                    );
                    return self.fail(Diag::new(Code::ShapeMismatch, ty.span, message).label(value.span, "made here"));
                }
            }
            members.push(member);
        }
        let (tensor, rows) = stack(&members);
        let id = DataId(self.model.data.len() as u32);
        self.model.data.push(Data {
            name: ident.text.clone(),
            span: ident.span,
            tensor: tensor.into(),
            family: Some(count),
            rows,
        });
        self.facts.push(Facts::default());
        Some(Meaning::Family(Family { name: ident.text.clone(), span: ident.span, count, of: Members::Data(id) }))
    }

    /// Shape and kind of a declared type.
    fn type_of(&mut self, ty: &'a TypeExpr, scope: &Scope) -> Option<(Shape, VarKind)> {
        let (shape, kind) = match &ty.kind {
            TypeKind::Real(extents) => {
                let extents: Vec<Option<usize>> =
                    extents.iter().map(|extent| self.count(extent, scope, 1, "rows or columns")).collect();
                (Shape(extents.into_iter().collect::<Option<_>>()?), VarKind::Real)
            }
            TypeKind::Symmetric(n) => {
                let n = self.count(n, scope, 1, "rows")?;
                (Shape::matrix(n, n), VarKind::Symmetric)
            }
            TypeKind::Params(name) => {
                let net = match self.find(&name.key, scope) {
                    Some(at) => self.resolve(at)?,
                    None => {
                        let nets: Vec<String> = self
                            .declarations
                            .iter()
                            .filter(|other| matches!(other.what, What::Net { .. }))
                            .map(|other| other.name.text.clone())
                            .collect();
                        let near = crate::diag::closest(&name.text, nets.iter().map(String::as_str)).map(str::to_owned);
                        let diag =
                            Diag::new(Code::UnknownName, name.span, format!("there is no network `{}`", name.text));
                        let help = format!("declared are {}", super::index::listed(&nets));
                        return self.fail(super::names::suggest(diag, name.span, near, &help));
                    }
                };
                let Meaning::Net(net) = net else {
                    let words = net.words();
                    return self.fail(
                        Diag::new(Code::WrongKind, name.span, format!("`{}` is {words}, not a network", name.text))
                            .help("`params(D)` are the parameters of `net D(θ): …`"),
                    );
                };
                (Shape::vector(self.model.nets[net.index()].numel), VarKind::Params(net))
            }
        };
        self.fits(&shape, ty.span)?;
        Some((shape, kind))
    }

    /// `var x: real[n], init = …`
    fn var(
        &mut self,
        ident: &'a ast::Ident,
        family: Option<&'a Binder>,
        ty: &'a TypeExpr,
        (init, stream): (Option<&'a ast::Expr>, u32),
        scope: &Scope,
    ) -> Option<Meaning> {
        let members = match family {
            Some(binder) => Some(self.members(binder, scope)?),
            None => None,
        };
        let (shape, kind) = self.type_of(ty, scope)?;
        self.fits(&Shape(members.into_iter().chain(shape.0.iter().copied()).collect()), ty.span)?;
        let init = match init {
            Some(init) => self.init(ident, init, &shape, kind, members, scope)?,
            None if matches!(kind, VarKind::Params(_)) => Init::Layers,
            None => Init::Zeros,
        };
        let id = VarId(self.model.vars.len() as u32);
        let player = scope.player.unwrap_or(crate::model::ir::PlayerId(0));
        let (name, span) = (ident.text.clone(), ident.span);
        self.model.vars.push(Var {
            name: name.clone(),
            span,
            player,
            shape: shape.clone(),
            kind,
            family: members,
            stream,
            init,
        });
        self.player(player).vars.push(id);
        Some(match members {
            Some(count) => Meaning::Family(Family { name, span, count, of: Members::Var(id) }),
            None => Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Var(id, Member::None)), shape, span }),
        })
    }

    /// Where a variable starts.
    fn init(
        &mut self,
        ident: &ast::Ident,
        init: &'a ast::Expr,
        shape: &Shape,
        kind: VarKind,
        members: Option<usize>,
        scope: &Scope,
    ) -> Option<Init> {
        if let ast::ExprKind::Call { callee, args, .. } = &init.bare().kind
            && callee.key == "random"
        {
            return self.random(callee, args, scope);
        }
        let meaning = match (self.meaning(init, scope)?, kind) {
            (Meaning::Trained(named), VarKind::Params(net)) => {
                return Some(Init::Given(self.trained(&named, net, init.span)?.into()));
            }
            (Meaning::Trained(named), _) => Meaning::Expr(self.only_tensor(&named, ident, init.span)?),
            (meaning, _) => meaning,
        };
        let expr = self.as_tensor(meaning, init.span)?;
        let value = self.known_value(&expr)?;
        let all = members.map(|count| Shape(std::iter::once(count).chain(shape.0.iter().copied()).collect()));
        if value.shape == *shape || Some(&value.shape) == all.as_ref() {
            return Some(Init::Given(value.into()));
        }
        if let Some(number) = value.item().filter(|_| value.shape.is_scalar()) {
            return Some(Init::Given(Tensor::f64(shape.clone(), vec![number; shape.numel()]).into()));
        }
        let message = format!("`{}` is {} and starts as {}", ident.text, shape_words(shape), shape_words(&value.shape));
        let mut diag = Diag::new(Code::ShapeMismatch, init.span, message).label(ident.span, shape.to_string());
        diag = self.with_sources(diag, &[&expr]);
        self.fail(diag.help("a start has the shape of the variable, or is one number for every element"))
    }

    /// `random(scale = 0.1)`, `random(low = -1, high = 1)`
    fn random(&mut self, callee: &'a ast::Ident, args: &'a [ast::Arg], scope: &Scope) -> Option<Init> {
        let named = args.iter().map(|arg| (arg.name.as_ref().map(|name| name.key.as_str()), arg)).collect();
        let slots: Vec<Option<&'a ast::Arg>> = match RANDOM.arrange(named) {
            Ok(slots) => slots,
            Err(misuse) => return self.misuse(callee, &[RANDOM], Some(misuse), args),
        };
        let mut numbers = Vec::new();
        for (slot, parameter) in slots.iter().zip(RANDOM.parameters()) {
            numbers.push(match slot {
                Some(arg) => self.known_number(&arg.value, scope)?,
                None => parameter.default.unwrap_or(0.0),
            });
        }
        let uniform = slots[2].is_some() || slots[3].is_some();
        if uniform && (slots[0].is_some() || slots[1].is_some()) {
            return self.fail(
                Diag::new(
                    Code::WrongArguments,
                    callee.span,
                    "`scale` and `shift` make it normal, `low` and `high` uniform; both are given",
                )
                .help(format!("it is written `{}`", RANDOM.0)),
            );
        }
        Some(match numbers[..] {
            [_, _, low, high] if uniform => Init::Uniform { low, high },
            [scale, shift, ..] => Init::Normal { scale, shift },
            _ => unreachable!("`random` has four parameters"),
        })
    }
}

/// Tensors one above another along a new first axis, and their rows where these differ.
fn stack(members: &[Tensor]) -> (Tensor, Option<Vec<usize>>) {
    let rows: Vec<usize> = members.iter().map(|member| member.shape.0.first().copied().unwrap_or(1)).collect();
    let most = rows.iter().copied().max().unwrap_or(0);
    let mut shape = members[0].shape.clone();
    if let Some(first) = shape.0.first_mut() {
        *first = most;
    }
    let size = shape.numel();
    let mut elements = Vec::with_capacity(size * members.len());
    for member in members {
        elements.extend(member.to_f64());
        elements.resize(elements.len().div_ceil(size.max(1)) * size, 0.0);
    }
    shape.0.insert(0, members.len());
    let uneven = rows.iter().any(|&n| n != most);
    (Tensor::f64(shape, elements), uneven.then_some(rows))
}
