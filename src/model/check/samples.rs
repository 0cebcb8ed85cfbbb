//! `sample (Xb, yb) ~ draw(X, y) batch 64`

use super::Checker;
use super::meaning::{Family, Index, Meaning, Members, Scope};
use super::names::suggest;
use crate::catalogue::Signature;
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{DataId, Expr, ExprKind, Leaf, Member, Sample, SampleId, SampleSource};
use crate::source::Span;
use crate::syntax::ast::{self, Arg, Binder, Ident, SampleSize};
use crate::tape::Shape;

/// What can be drawn; extents are those of one row.
const SOURCES: &[Signature] = &[
    Signature("draw(A, …)"),
    Signature("normal(n, …)"),
    Signature("uniform(n, …, low = 0, high = 1)"),
    Signature("bernoulli(n, …, p = 0.5)"),
    Signature("categorical(k)"),
];

impl<'a> Checker<'a> {
    pub(super) fn sample(
        &mut self,
        names: &'a [Ident],
        family: Option<&'a Binder>,
        source: &'a ast::Expr,
        size: &'a SampleSize,
        scope: &Scope,
    ) -> Option<SampleId> {
        let members = match family {
            Some(binder) => Some((binder, self.members(binder, scope)?)),
            None => None,
        };
        let (size, keep, fixed) = match size {
            SampleSize::Batch { size, keep } => (size, *keep, false),
            SampleSize::Fixed(size) => (size, false, true),
        };
        let batch = self.count(size, scope, 1, "rows");
        let ast::ExprKind::Call { callee, args, .. } = &source.bare().kind else {
            let text = self.text(source.span);
            return self.fail(
                Diag::new(Code::WrongKind, source.span, format!("`{text}` says not how to draw"))
                    .help("write `draw(A)` for rows of data, `normal(16)` for random vectors"),
            );
        };
        let Some(&signature) = SOURCES.iter().find(|signature| signature.name() == callee.key) else {
            let near = closest(&callee.text, SOURCES.iter().map(|signature| signature.name())).map(str::to_owned);
            let diag = Diag::new(Code::UnknownName, callee.span, format!("nothing is drawn by `{}`", callee.text));
            let help = "there are `draw`, `normal`, `uniform`, `bernoulli` and `categorical`";
            return self.fail(suggest(diag, callee.span, near, help));
        };
        let slots = self.arranged(callee, signature, args)?;
        let (source, rows) = if signature.name() == "draw" {
            self.rows(names, &slots, members, scope)?
        } else {
            if let Some(extra) = names.get(1) {
                return self.fail(
                    Diag::new(
                        Code::WrongArguments,
                        extra.span,
                        format!("`{}` draws one tensor, for {} names", callee.text, names.len()),
                    )
                    .help("only `draw(X, y)` draws several, rows that belong together"),
                );
            }
            let mut numbers = Vec::new();
            let mut extents = Vec::new();
            let parameters = signature.parameters();
            for (at, slot) in slots.iter().enumerate() {
                match (slot, parameters.get(at)) {
                    (Some(arg), None) => extents.push(self.count(&arg.value, scope, 1, "numbers")?),
                    (Some(arg), Some(parameter)) if !parameter.optional => {
                        extents.insert(0, self.count(&arg.value, scope, 1, "numbers")?);
                    }
                    (Some(arg), Some(_)) => numbers.push(self.known_number(&arg.value, scope)?),
                    (None, parameter) => numbers.push(parameter.and_then(|parameter| parameter.default).unwrap_or(0.0)),
                }
            }
            let source = match (signature.name(), &numbers[..]) {
                ("uniform", &[low, high]) => SampleSource::Uniform { low, high },
                ("bernoulli", &[p]) if (0.0..=1.0).contains(&p) => SampleSource::Bernoulli { p },
                ("bernoulli", _) => {
                    return self.fail(Diag::new(
                        Code::WrongArguments,
                        source.span,
                        "a probability lies between 0 and 1",
                    ));
                }
                ("categorical", _) => SampleSource::Categorical { k: extents.pop().unwrap_or(1) },
                _ => SampleSource::Normal,
            };
            (source, vec![Shape(extents)])
        };
        let batch = batch?;
        self.enough_rows(&source, batch, size.span)?;
        let shapes: Vec<Shape> =
            rows.iter().map(|row| Shape(std::iter::once(batch).chain(row.0.iter().copied()).collect())).collect();
        for shape in &shapes {
            let members = members.map(|(_, count)| count);
            self.fits(&Shape(members.into_iter().chain(shape.0.iter().copied()).collect()), size.span)?;
        }
        let id = SampleId(self.model.samples.len() as u32);
        self.model.samples.push(Sample {
            names: names.iter().map(|name| name.text.clone()).collect(),
            span: names[0].span,
            source,
            batch,
            keep,
            fixed,
            family: members.map(|(_, count)| count),
            shapes,
        });
        Some(id)
    }

    /// A part of a sample.
    pub(super) fn sample_part(&self, id: SampleId, part: u32, span: Span) -> Meaning {
        let sample = &self.model.samples[id.index()];
        match sample.family {
            Some(count) => Meaning::Family(Family {
                name: sample.names[part as usize].clone(),
                span: sample.span,
                count,
                of: Members::Sample(id, part),
            }),
            None => Meaning::Expr(Expr {
                kind: ExprKind::Leaf(Leaf::Sample(id, part, Member::None)),
                shape: sample.shapes[part as usize].clone(),
                span,
            }),
        }
    }

    /// Rows of data, the same of each: the data, and the shape of a row of each.
    fn rows(
        &mut self,
        names: &'a [Ident],
        slots: &[Option<&'a Arg>],
        members: Option<(&'a Binder, usize)>,
        scope: &Scope,
    ) -> Option<(SampleSource, Vec<Shape>)> {
        let args: Vec<&'a Arg> = slots.iter().flatten().copied().collect();
        if args.len() != names.len() {
            let span = args[0].value.span.to(args[args.len() - 1].value.span);
            return self.fail(
                Diag::new(
                    Code::WrongArguments,
                    span,
                    format!("{} tensors are drawn from, for {} names", args.len(), names.len()),
                )
                .label(names[0].span.to(names[names.len() - 1].span), "as many names as tensors are needed")
                .help("`sample (Xb, yb) ~ draw(X, y) batch 64` draws rows that belong together"),
            );
        }
        let parts: Vec<Option<DataId>> = args.iter().map(|arg| self.drawn(&arg.value, members, scope)).collect();
        let parts: Vec<DataId> = parts.into_iter().collect::<Option<_>>()?;
        let lead = usize::from(members.is_some());
        let shapes: Vec<Shape> = parts.iter().map(|id| self.model.data[id.index()].tensor.shape.clone()).collect();
        for (arg, shape) in args.iter().zip(&shapes) {
            if shape.rank() <= lead {
                let text = self.text(arg.value.span);
                return self.fail(Diag::new(
                    Code::WrongKind,
                    arg.value.span,
                    format!("`{text}` is a number; it has no rows to draw"),
                ));
            }
        }
        let count = |at: usize| (shapes[at].0[lead], self.model.data[parts[at].index()].rows.clone());
        if let Some(other) = (1..parts.len()).find(|&at| count(at) != count(0)) {
            let texts =
                [0, other].map(|at| format!("`{}` has {} rows", self.text(args[at].value.span), shapes[at].0[lead]));
            let [first, second] = [0, other].map(|at| self.model.data[parts[at].index()].span);
            return self.fail(
                Diag::new(Code::ShapeMismatch, args[other].value.span, texts.join(", "))
                    .label(first, "the first")
                    .label(second, "the other")
                    .help("rows drawn together belong together, one of each"),
            );
        }
        let rows = shapes.iter().map(|shape| Shape(shape.0[lead + 1..].to_vec())).collect();
        Some((SampleSource::Rows(parts), rows))
    }

    /// The data that a part draws from: in a family, the family that its index picks from.
    fn drawn(&mut self, ast: &'a ast::Expr, members: Option<(&'a Binder, usize)>, scope: &Scope) -> Option<DataId> {
        let Some((binder, count)) = members else {
            let expr = self.tensor(ast, scope)?;
            if let ExprKind::Leaf(Leaf::Data(id, Member::None)) = expr.kind {
                return Some(id);
            }
            let value = self.known_value(&expr)?;
            let name = self.text(ast.span);
            let data = self.add_data(name, ast.span, value, super::Facts::default());
            let ExprKind::Leaf(Leaf::Data(id, _)) = data.kind else { unreachable!("data is a leaf") };
            return Some(id);
        };
        if let ast::ExprKind::Index { base, at } = &ast.bare().kind
            && let [ast::IndexItem::At(index)] = at.as_slice()
            && let ast::ExprKind::Name(index) = &index.bare().kind
            && index.key == binder.name.key
            && let Meaning::Family(Family { of: Members::Data(id), count: all, .. }) = self.meaning(base, scope)?
            && all == count
        {
            return Some(id);
        }
        // Any other use of the index: each member's data is computed, and the family made of them.
        let mut tensors = Vec::new();
        for i in 1..=count {
            tensors.push(self.known(ast, &scope.with(&binder.name.key, Index::At(i as i64)))?);
        }
        if tensors.iter().any(|tensor| tensor.shape != tensors[0].shape) {
            return self.fail(
                Diag::new(
                    Code::NotYet,
                    ast.span,
                    "a family that draws from members of different shapes is not executed yet",
                )
                .help("give the parts a name, `data parts[i in 1 to m] = …`, and draw from `parts[i]`"),
            );
        }
        let mut shape = tensors[0].shape.clone();
        shape.0.insert(0, count);
        let all = tensors.iter().flat_map(crate::tape::Tensor::to_f64).collect();
        let tensor = crate::tape::Tensor::f64(shape, all).into();
        let (name, span) = (self.text(ast.span), ast.span);
        let data = crate::model::ir::Data { name, span, tensor, family: Some(count), rows: None };
        Some(self.push(data, super::Facts::default()))
    }

    /// A batch without replacement needs as many rows.
    fn enough_rows(&mut self, source: &SampleSource, batch: usize, span: Span) -> Option<()> {
        let SampleSource::Rows(parts) = source else { return Some(()) };
        let data = &self.model.data[parts[0].index()];
        let rows = match (&data.rows, data.family) {
            (Some(rows), _) => rows.iter().copied().min().unwrap_or(0),
            (None, Some(_)) => data.tensor.shape.0[1],
            (None, None) => data.tensor.shape.0[0],
        };
        if batch <= rows {
            return Some(());
        }
        let (name, declared) = (data.name.clone(), data.span);
        self.fail(
            Diag::new(
                Code::ShapeMismatch,
                span,
                format!("a batch of {batch} can't be drawn from the {rows} rows of `{name}`"),
            )
            .label(declared, format!("{rows} rows"))
            .help("rows are drawn without replacement; a smaller batch, or all rows, can be"),
        )
    }
}
