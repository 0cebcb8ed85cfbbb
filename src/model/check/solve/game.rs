//! The program of a game: repeats, players' turns, what is recorded.

use super::settings::General;
use crate::catalogue::Signature;
use crate::diag::{Code, Diag, closest};
use crate::model::check::Checker;
use crate::model::check::call::argument;
use crate::model::check::meaning::{Meaning, Members, Scope};
use crate::model::check::names::suggest;
use crate::model::check::shape_words;
use crate::model::ir::{Expr, ExprKind, Leaf, PlayerId, SampleId, SampleSource, Step, StepKind, Unit, When};
use crate::syntax::ast::{self, Applied, Ident};

/// How the images of a picture lie.
const GRID: Signature = Signature("grid(rows, columns)");

impl<'a> Checker<'a> {
    /// Statements in order; settings that hold for the whole solve go to `general`.
    pub(super) fn steps(&mut self, steps: &'a [ast::Step], scope: &Scope, general: &mut General) -> Option<Vec<Step>> {
        let mut typed = Vec::new();
        let mut sound = true;
        for step in steps {
            if let ast::StepKind::Setting(setting) = &step.kind {
                sound &= self.general_setting(setting, general).is_some();
                continue;
            }
            match self.step(step, scope, general) {
                Some(kind) => typed.push(Step { kind, span: step.span }),
                None => sound = false,
            }
        }
        self.tracked_twice(&typed);
        sound.then_some(typed)
    }

    fn general_setting(&mut self, setting: &'a ast::Setting, general: &mut General) -> Option<()> {
        let name = &setting.name;
        if matches!(name.key.as_str(), "precision" | "losses") {
            return self.general(&name.key, &setting.value, general);
        }
        let near = closest(&name.text, ["precision", "losses"]).map(str::to_owned);
        let diag = Diag::new(Code::UnknownName, name.span, format!("a game has no setting `{}`", name.text));
        self.fail(suggest(diag, name.span, near, "it has `precision` and `losses`; others belong to a player's method"))
    }

    fn step(&mut self, step: &'a ast::Step, scope: &Scope, general: &mut General) -> Option<StepKind> {
        use ast::StepKind as Kind;
        Some(match &step.kind {
            Kind::Setting(_) => unreachable!("settings are taken out before"),
            Kind::RepeatEpochs { count, sample, body } => {
                let count = self.count(count, scope, 1, "epochs");
                let sample = self.epochs_of(sample, scope);
                let body = self.steps(body, scope, general);
                StepKind::Epochs { count: count?, sample: sample?, body: body? }
            }
            Kind::RepeatTimes { count, body } => {
                let count = self.count(count, scope, 1, "times");
                let body = self.steps(body, scope, general);
                StepKind::Times { count: count?, body: body? }
            }
            Kind::EachBatch { body } => StepKind::EachBatch { body: self.steps(body, scope, general)? },
            Kind::Method { method, player, settings } => {
                let player = self.the_player(player);
                // What a step states is in the names of the player.
                let own = player.map_or_else(|| scope.clone(), Scope::of);
                let method = self.turn(method, settings, &own);
                StepKind::Method { player: player?, method: method? }
            }
            Kind::Restart { player } => StepKind::Restart { player: self.the_player(player)? },
            Kind::Track { name, value } => {
                let typed = self.scalar(value, scope)?;
                let name = if name.text.is_empty() { self.text(value.span) } else { name.text.clone() };
                StepKind::Track { name, value: typed }
            }
            Kind::SaveImages { value, grid, name } => self.images(value, grid, &name.value, scope)?,
            Kind::When { when, body } => {
                let when = self.when(when, scope);
                if let Kind::Setting(setting) = &body.kind {
                    return self.fail(
                        Diag::new(
                            Code::WrongKind,
                            setting.name.span,
                            format!("`{}` holds for the whole run", setting.name.text),
                        )
                        .help("a setting is not changed on the way; write it by itself"),
                    );
                }
                let kind = self.step(body, scope, general);
                StepKind::When { when: when?, body: Box::new(Step { kind: kind?, span: body.span }) }
            }
        })
    }

    /// A name that must be a sample with epochs.
    fn epochs_of(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<SampleId> {
        let meaning = self.meaning(ast, scope)?;
        let sample = match &meaning {
            Meaning::Family(family) => match family.of {
                Members::Sample(id, _) => Some(id),
                _ => None,
            },
            Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Sample(id, ..)), .. }) => Some(*id),
            _ => None,
        };
        let text = self.text(ast.span);
        let Some(id) = sample else {
            let words = meaning.words();
            return self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is {words}, not a sample")));
        };
        let sample = &self.model.samples[id.index()];
        let span = sample.span;
        if sample.fixed || !matches!(sample.source, SampleSource::Rows(_)) {
            return self.fail(
                Diag::new(Code::WrongKind, ast.span, format!("`{text}` has no epochs"))
                    .label(span, "drawn anew each time, or once for all")
                    .help("an epoch is one pass over rows: `sample digit ~ draw(train) batch 64`"),
            );
        }
        Some(id)
    }

    fn when(&mut self, when: &'a ast::When, scope: &Scope) -> Option<When> {
        Some(match when {
            ast::When::Every { count, unit } => {
                let count = match count {
                    Some(count) => self.count(count, scope, 1, &unit.text)?,
                    None => 1,
                };
                When::Every { count, unit: unit_of(unit) }
            }
            ast::When::At { points, unit } => {
                let points: Vec<Option<usize>> =
                    points.iter().map(|point| self.count(point, scope, 1, &unit.text)).collect();
                When::At { points: points.into_iter().collect::<Option<_>>()?, unit: unit_of(unit) }
            }
        })
    }

    /// `save images G(probe; φ) as grid(8, 8) "samples"`: a square image a row, or images
    /// as a network of images gives them.
    fn images(&mut self, value: &'a ast::Expr, grid: &'a ast::Expr, name: &str, scope: &Scope) -> Option<StepKind> {
        let images = self.tensor(value, scope);
        let Some(Applied { name: callee, args, params }) = grid.applied().filter(|a| a.name.key == GRID.name()) else {
            let text = self.text(grid.span);
            return self.fail(
                Diag::new(Code::WrongArguments, grid.span, format!("`{text}` is no grid"))
                    .help("it is written `grid(8, 8)`: rows and columns of images"),
            );
        };
        self.no_parameters(callee, params)?;
        let slots = self.arranged(callee, GRID, args)?;
        let mut side = |at: usize, what: &str| self.count(&argument(&slots, at).value, scope, 1, what);
        let (rows, columns) = (side(0, "rows")?, side(1, "columns")?);
        let images = images?;
        let (count, flat) = match images.shape.0[..] {
            [count, pixels] => (count, Some(pixels)),
            [count, _, _] | [count, 1, _, _] => (count, None),
            _ => {
                let (text, words) = (self.text(value.span), shape_words(&images.shape));
                let message = format!("`{text}` is {words}; images are the rows of a matrix, or grey ones");
                return self.fail(
                    Diag::new(Code::WrongKind, value.span, message)
                        .help("a batch through a generator gives one image a row, or of one channel: `G(probe; φ)`"),
                );
            }
        };
        if let Some(pixels) = flat
            && pixels.isqrt().pow(2) != pixels
        {
            let mut diag = Diag::new(Code::WrongKind, value.span, format!("{pixels} numbers are no square image"));
            diag = self.with_sources(diag, &[&images]);
            return self.fail(diag);
        }
        if rows.saturating_mul(columns) > count {
            let mut diag = Diag::new(
                Code::ShapeMismatch,
                grid.span,
                format!(
                    "a grid of {rows} × {columns} needs {} images; there are {count}",
                    rows.saturating_mul(columns)
                ),
            );
            diag = self.with_sources(diag, &[&images]);
            return self.fail(diag);
        }
        Some(StepKind::SaveImages { value: images, rows, columns, name: name.to_owned() })
    }

    fn the_player(&mut self, name: &Ident) -> Option<PlayerId> {
        if let Some(player) = self.player_named(&name.key) {
            return Some(player);
        }
        let names: Vec<String> = self.model.players.iter().filter_map(|player| player.name.clone()).collect();
        let near = closest(&name.text, names.iter().map(String::as_str)).map(str::to_owned);
        let diag = Diag::new(Code::UnknownName, name.span, format!("there is no player `{}`", name.text));
        let help = format!("there are {}", crate::model::check::index::listed(&names));
        self.fail(suggest(diag, name.span, near, &help))
    }

    /// A tracked name is a column of the trace, and stands for one number.
    fn tracked_twice(&mut self, steps: &[Step]) {
        let mut seen: Vec<(&str, crate::source::Span)> = Vec::new();
        for step in steps {
            let mut kind = &step.kind;
            while let StepKind::When { body, .. } = kind {
                kind = &body.kind;
            }
            let StepKind::Track { name, .. } = kind else { continue };
            match seen.iter().find(|(other, _)| other == name) {
                Some(&(_, first)) => self.diags.push(
                    Diag::new(Code::DuplicateName, step.span, format!("`{name}` is tracked twice"))
                        .label(first, "first here"),
                ),
                None => seen.push((name, step.span)),
            }
        }
    }
}

fn unit_of(unit: &Ident) -> Unit {
    if unit.key.starts_with("epoch") { Unit::Epochs } else { Unit::Iterations }
}
