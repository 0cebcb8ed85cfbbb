//! `var x: real[n], init = …`, and the types that variables and data are declared with.

use super::meaning::{Family, Meaning, Members, Scope};
use super::names::What;
use super::{Checker, shape_words};
use crate::catalogue::Signature;
use crate::diag::{Code, Diag};
use crate::model::ir::{Expr, ExprKind, Init, Leaf, Member, Var, VarId, VarKind};
use crate::syntax::ast::{self, Binder, TypeExpr, TypeKind};
use crate::tape::{Shape, Tensor};

const RANDOM: Signature = Signature("random(scale = 1, shift = 0, low = 0, high = 1)");

impl<'a> Checker<'a> {
    /// Shape and kind of a declared type.
    pub(super) fn type_of(&mut self, ty: &'a TypeExpr, scope: &Scope) -> Option<(Shape, VarKind)> {
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
        Some((shape, kind))
    }

    /// `var x: real[n], init = …`
    pub(super) fn var(
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
        let slots = self.arranged(callee, RANDOM, args)?;
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
