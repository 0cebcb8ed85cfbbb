//! `data A: real[200, 50] = csv("A.csv")`, and families of data.

use super::meaning::{Family, Index, Meaning, Members, Scope};
use super::{Checker, Facts, shape_words};
use crate::diag::{Code, Diag};
use crate::model::ir::{Data, Expr, ExprKind, Leaf, Member, VarKind};
use crate::syntax::ast::{self, Binder, TypeExpr};
use crate::tape::{Shape, Tensor};

impl<'a> Checker<'a> {
    /// `data A: real[200, 50] = …`
    pub(super) fn data(
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
                let facts = Facts { header: Some(format!("declared {shape}")), ..Facts::default() };
                Meaning::Expr(self.zeros(ident, shape, facts)?)
            }
            (None, _) => return None,
        };
        if let Meaning::Expr(expr) = &meaning
            && expr.factored().is_none()
        {
            self.known_value(expr)?;
        }
        // Even one number is data here, and not a parameter.
        let meaning = match self.named(meaning, ident, value.span, before)? {
            Meaning::Expr(Expr { kind: ExprKind::Number(number), .. }) if declared.is_none() => {
                Meaning::Expr(super::names::number(number, ident.span))
            }
            other => other,
        };
        let mut expr = self.as_tensor(meaning, value.span)?;
        if let (Some(ty), Some((shape, kind))) = (ty, declared) {
            self.as_declared(ident, &mut expr, ty, &shape)?;
            if let (VarKind::Params(net), ExprKind::Leaf(Leaf::Data(id, _))) = (kind, &expr.kind) {
                self.facts[id.index()].net = Some(net);
            }
        }
        Some(Meaning::Expr(expr))
    }

    /// Whether a value has its declared shape. A table of one column or one row is a vector where nothing
    /// else is said, and the matrix where that is declared.
    fn as_declared(&mut self, ident: &ast::Ident, expr: &mut Expr, ty: &TypeExpr, shape: &Shape) -> Option<()> {
        if expr.shape == *shape {
            return Some(());
        }
        let line = |shape: &Shape| matches!(shape.0[..], [_] | [_, 1] | [1, _]);
        if line(shape)
            && line(&expr.shape)
            && shape.numel() == expr.shape.numel()
            && let ExprKind::Leaf(Leaf::Data(id, Member::None)) = expr.kind
            && self.model.data[id.index()].name == ident.text
        {
            let lined = |tensor: &Tensor| Tensor { shape: shape.clone(), elements: tensor.elements.clone() };
            let data = &mut self.model.data[id.index()];
            data.tensor = lined(&data.tensor).into();
            let facts = &mut self.facts[id.index()];
            facts.known = facts.known.as_ref().map(lined);
            expr.shape = shape.clone();
            return Some(());
        }
        let message =
            format!("`{}` is declared as {} and is {}", ident.text, shape_words(shape), shape_words(&expr.shape));
        let mut diag = Diag::new(Code::ShapeMismatch, ty.span, message).here(format!("declared {shape}"));
        diag = self.with_sources(diag, &[&*expr]);
        self.fail(diag.help("one of the two is not what was meant; without the type, the file decides"))
    }

    /// `data As[i in 1 to 8] = shard(A, i, 8)`: members of one width, stacked; shorter ones are filled
    /// with zeros below.
    pub(super) fn data_family(
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
                self.fits(&declared, ty.span)?;
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
        let (name, span) = (ident.text.clone(), ident.span);
        let data = Data { name, span, tensor: tensor.into(), family: Some(count), rows };
        let id = self.push(data, Facts::default());
        Some(Meaning::Family(Family { name: ident.text.clone(), span: ident.span, count, of: Members::Data(id) }))
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
