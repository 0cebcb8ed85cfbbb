//! Networks: `net G(φ): 16 -> dense 64 relu -> dense 64 sigmoid`.

use super::{Build, Children, Pair};
use crate::syntax::ast::*;
use crate::syntax::grammar::Rule;

impl Build<'_> {
    /// `net`
    pub(super) fn net(&mut self, pair: Pair<'_>) -> ItemKind {
        let mut children = Children::of(pair);
        let name = self.ident(&children.expect());
        let params = self.ident(&children.expect());
        let _colon = children.optional(Rule::colon);
        let input = children.expect();
        let input = match input.as_rule() {
            Rule::image => {
                let span = self.span(&input);
                NetInput::Image(self.list(Children::of(input).expect()), span)
            }
            _ => NetInput::Width(self.expr(input)),
        };
        ItemKind::Net { name, params, input, layers: children.map(|layer| self.layer(layer)).collect() }
    }

    fn layer(&mut self, pair: Pair<'_>) -> Layer {
        let span = self.span(&pair);
        let mut children = Children::of(pair);
        let name = self.ident(&children.expect());
        let mut layer =
            Layer { name, size: None, options: Vec::new(), activations: Vec::new(), inner: Vec::new(), span };
        for child in children {
            match child.as_rule() {
                Rule::inner => layer.inner = Children::of(child).map(|inner| self.layer(inner)).collect(),
                Rule::layer_size => layer.size = Some(self.expr(Children::of(child).expect())),
                Rule::layer_option => {
                    let mut parts = Children::of(child);
                    let name = self.ident(&parts.expect());
                    layer.options.push((name, self.expr(parts.expect())));
                }
                _ => layer.activations.push(self.expr(Children::of(child).expect())),
            }
        }
        layer
    }
}
