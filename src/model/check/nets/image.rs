//! Layers on images: `conv 16 kernel 5 stride 2 relu`, `conv_transpose 16 kernel 4 stride 2`, `pool 2`.
//!
//! An image of h rows becomes one of `⌊(h + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1` by a
//! convolution or a pool, and of `(h − 1)·stride − 2·padding + dilation·(kernel − 1) + 1` by a transposed
//! convolution, columns likewise. Kernels lie as PyTorch's: `[out, in/groups, rows, columns]`, transposed
//! `[in, out/groups, rows, columns]`.

use super::options::option;
use super::{Chain, Stage, is_word, words};
use crate::diag::{Code, Diag};
use crate::model::check::Checker;
use crate::model::check::meaning::Scope;
use crate::model::ir::{EntryInit, LayerKind};
use crate::syntax::ast;
use crate::tape::Shape;
use crate::tape::ops::Window;

const NEEDS_IMAGE: &str = "an image comes from the input, `image[1, 8, 8]`, or from `-> reshape [1, 8, 8]`";

/// `max` or `average` behind `pool 2`.
pub(super) fn is_pooling(word: &ast::Expr) -> bool {
    is_word(word, "max") || is_word(word, "average")
}

/// What a convolution is made of.
struct Kernels {
    /// Channels, rows and columns that come in.
    image: [usize; 3],
    channels: usize,
    kernel: [usize; 2],
    window: Window,
    bias: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn conv(&mut self, chain: &mut Chain, stage: &Stage<'a>, scope: &Scope) -> Option<(LayerKind, Shape)> {
        let Kernels { image: [inputs, height, width], channels, kernel, window, bias } = self.kernels(stage, scope)?;
        let sides = [window.positions(0, height, kernel[0]), window.positions(1, width, kernel[1])];
        if sides.contains(&0) {
            return self.too_wide(stage, kernel, window);
        }
        let output = Shape::from([channels, sides[0], sides[1]]);
        let weight = Shape::from([channels, inputs / window.groups, kernel[0], kernel[1]]);
        self.fits(&output, stage.layer.span)?;
        self.fits(&weight, stage.layer.span)?;
        let taps = (kernel[0] * kernel[1]) as f64 / window.groups as f64;
        let step = (window.stride[0] * window.stride[1]) as f64;
        let init = self.init_of(stage, scope)?;
        let init = init.entry(&stage.activations, inputs as f64 * taps, channels as f64 * taps / step);
        let weight = chain.entry("weight", weight, init);
        let bias = bias.then(|| chain.entry("bias", Shape::vector(channels), EntryInit::Zeros));
        Some((LayerKind::Conv { weight, bias, window }, output))
    }

    pub(super) fn conv_transpose(
        &mut self,
        chain: &mut Chain,
        stage: &Stage<'a>,
        scope: &Scope,
    ) -> Option<(LayerKind, Shape)> {
        let Kernels { image: [inputs, height, width], channels, kernel, window, bias } = self.kernels(stage, scope)?;
        let sides = [window.extent(0, height, kernel[0]), window.extent(1, width, kernel[1])];
        let [Some(rows), Some(columns)] = sides else {
            let [down, across] = window.padding;
            return self.fail(
                Diag::new(
                    Code::NetworkWidth,
                    stage.layer.span,
                    format!("nothing is left of the image once its margins of {down} × {across} are cut off"),
                )
                .label(stage.input.from, words(&stage.input.shape))
                .help("a transposed convolution cuts off `padding` on each side: less, or none"),
            );
        };
        let output = Shape::from([channels, rows, columns]);
        let weight = Shape::from([inputs, channels / window.groups, kernel[0], kernel[1]]);
        self.fits(&output, stage.layer.span)?;
        self.fits(&weight, stage.layer.span)?;
        // A number of the result is reached by one tap in `stride` along each axis.
        let taps = (kernel[0] * kernel[1]) as f64 / window.groups as f64;
        let step = (window.stride[0] * window.stride[1]) as f64;
        let init = self.init_of(stage, scope)?;
        let init = init.entry(&stage.activations, inputs as f64 * taps / step, channels as f64 * taps);
        let weight = chain.entry("weight", weight, init);
        let bias = bias.then(|| chain.entry("bias", Shape::vector(channels), EntryInit::Zeros));
        Some((LayerKind::ConvTranspose { weight, bias, window }, output))
    }

    /// `pool 2`: the greatest of each square of 2 × 2; `pool 3 average stride 2 padding 1`.
    pub(super) fn pool(&mut self, stage: &Stage<'a>, scope: &Scope) -> Option<(LayerKind, Shape)> {
        let size = stage.layer.size.as_ref()?;
        let &[channels, height, width] = &stage.input.shape.0[..] else {
            return self.misfit(stage, "an image", NEEDS_IMAGE);
        };
        let kernel = self.pool_size(size, scope)?;
        let stride = self.pair_option(stage.layer, "stride", kernel, scope)?;
        let padding = self.pair_option(stage.layer, "padding", [0, 0], scope)?;
        if (0..2).any(|axis| 2 * padding[axis] > kernel[axis]) {
            let [down, across] = kernel;
            let (span, [above, beside]) = (option(stage.layer, "padding")?.1.span, padding);
            return self.fail(
                Diag::new(
                    Code::NetworkWidth,
                    span,
                    format!("margins of {above} × {beside} leave windows of {down} × {across} without a pixel"),
                )
                .help("the padding of a pool is at most half its size"),
            );
        }
        let window = Window { stride, padding, dilation: [1, 1], groups: 1 };
        let sides = [window.positions(0, height, kernel[0]), window.positions(1, width, kernel[1])];
        if sides.contains(&0) {
            return self.too_wide(stage, kernel, window);
        }
        let average = stage.layer.activations.iter().any(|word| is_word(word, "average"));
        Some((LayerKind::Pool { average, kernel, window }, Shape::from([channels, sides[0], sides[1]])))
    }

    /// The numbers of a convolution.
    fn kernels(&mut self, stage: &Stage<'a>, scope: &Scope) -> Option<Kernels> {
        let layer = stage.layer;
        let channels = self.width(layer.size.as_ref()?, scope, "number of channels");
        let (name, kernel) = option(layer, "kernel")?;
        let kernel = self.pair(kernel, scope, 1, [&name.text, &name.text]);
        let stride = self.pair_option(layer, "stride", [1, 1], scope);
        let padding = self.pair_option(layer, "padding", [0, 0], scope);
        let dilation = self.pair_option(layer, "dilation", [1, 1], scope);
        let groups = self.count_option(layer, "groups", scope);
        let bias = self.bias(layer);
        let &[inputs, height, width] = &stage.input.shape.0[..] else {
            return self.misfit(stage, "an image", NEEDS_IMAGE);
        };
        let (channels, groups) = (channels?, groups?);
        if inputs % groups != 0 || channels % groups != 0 {
            let span = option(layer, "groups")?.1.span;
            return self.fail(
                Diag::new(
                    Code::NetworkWidth,
                    span,
                    format!("{inputs} channels to {channels} can't be cut into {groups} groups"),
                )
                .label(stage.input.from, words(&stage.input.shape))
                .help("the number of groups divides the channels that come in and those that go out"),
            );
        }
        let window = Window { stride: stride?, padding: padding?, dilation: dilation?, groups };
        Some(Kernels { image: [inputs, height, width], channels, kernel: kernel?, window, bias: bias? })
    }

    /// A window that has no position in the image.
    fn too_wide<T>(&mut self, stage: &Stage<'a>, kernel: [usize; 2], window: Window) -> Option<T> {
        let [rows, columns] = [0, 1].map(|axis| window.dilation[axis] * (kernel[axis] - 1) + 1);
        let (name, gives) = (&stage.layer.name.text, words(&stage.input.shape));
        self.fail(
            Diag::new(
                Code::NetworkWidth,
                stage.layer.span,
                format!("a window of {rows} × {columns} does not fit into what `{name}` gets, {gives}"),
            )
            .label(stage.input.from, gives)
            .help("a smaller kernel, a smaller stride before it, or `padding`, makes room"),
        )
    }
}
