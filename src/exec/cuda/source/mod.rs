//! A plan as device code: a `.cu` text, and the launches that run it.
//!
//! Every step becomes statements of a *team* (`kernels/common.cuh`). A step with work for many blocks is a
//! kernel of its own, and its team is the grid. Neighbouring steps that are small become one kernel of a
//! single block, which does them one after the other with a barrier between: a launch costs more than they
//! do. A family's members lie along the second axis of the grid.
//!
//! | file | writes |
//! |---|---|
//! | `sweep` | elementwise instructions, broadcasts, whole sums |
//! | `step` | the ops that have a header in `kernels/` |
//! | `linear` | those of them that factor, take apart, transform or fit |
//! | `routine` | what cuBLAS and cuSOLVER do where it is large |
//! | `iterate` | loops, in the lanes of a sweep or by one block |
//! | `writer` | names, literals, places |

mod iterate;
mod linear;
mod routine;
mod step;
mod sweep;
mod writer;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use self::routine::Part;
use self::writer::{Writer, base_name, table_name};
use crate::exec::plan::{Plan, Step};

pub(super) use self::routine::{Routine, takes as takes_routine};
pub(super) use self::step::workspace;
pub(super) use self::sweep::TILE;
pub(super) use self::writer::Table;

/// Threads of a block; `common.cuh` says the same.
pub(super) const THREADS: usize = 256;

/// Most blocks of a launch: every device is full with fewer, and each takes more than one piece then.
const MOST_BLOCKS: usize = 4096;

/// Device code and its launches.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Source {
    /// The text; empty where no kernel is needed.
    pub text: String,
    /// What is launched, in order.
    pub launches: Vec<Launch>,
    /// The steps of the plan that each launch is of.
    pub steps: Vec<Vec<usize>>,
    /// Tables that kernels read.
    pub tables: Vec<Table>,
}

/// Something that the device is told to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Launch {
    /// A kernel of the text. Its arguments: the bases, the tables, the counters of arrivals if it has any,
    /// and what the launch is told.
    Kernel { name: String, bases: Vec<u32>, tables: Vec<usize>, arrives: bool, blocks: usize },
    /// A call of a library.
    Routine(Routine),
}

/// A step as statements of a team.
struct Piece {
    w: Writer,
    /// Blocks that find work in it.
    blocks: usize,
    /// Whether one block does it as soon as many.
    small: bool,
}

/// The device code of a plan. `strides` says by how many bytes each base moves from a member to the next:
/// 0 for what they share.
pub(super) fn source(name: &str, plan: &Plan, strides: &[usize]) -> Source {
    let mut source = Source::default();
    let mut kernels = Kernels { strides, text: String::new(), headers: BTreeSet::new(), count: 0 };
    // Small pieces, and the steps that they are of.
    let mut together: (Vec<Piece>, Vec<usize>) = (Vec::new(), Vec::new());
    for (at, step) in plan.steps.iter().enumerate() {
        for part in parts(step, &mut source.tables) {
            match part {
                Part::Piece(piece) if piece.small => {
                    together.0.push(piece);
                    together.1.push(at);
                }
                Part::Piece(piece) => {
                    source.close(&mut kernels, &mut together);
                    source.push(kernels.alone_or_grid(vec![piece]), vec![at]);
                }
                Part::Routine(routine) => {
                    source.close(&mut kernels, &mut together);
                    source.push(Launch::Routine(routine), vec![at]);
                }
            }
        }
    }
    source.close(&mut kernels, &mut together);
    if kernels.count > 0 {
        source.text = kernels.whole(name);
    }
    source
}

impl Source {
    fn push(&mut self, launch: Launch, steps: Vec<usize>) {
        self.launches.push(launch);
        self.steps.push(steps);
    }

    /// Makes one kernel of the small pieces so far.
    fn close(&mut self, kernels: &mut Kernels, (pieces, steps): &mut (Vec<Piece>, Vec<usize>)) {
        if !pieces.is_empty() {
            self.push(kernels.alone_or_grid(std::mem::take(pieces)), std::mem::take(steps));
        }
    }
}

/// A step as parts, in order: with routines where it is large.
fn parts(step: &Step, tables: &mut Vec<Table>) -> Vec<Part> {
    routine::parts(step).unwrap_or_else(|| pieces(step, tables).into_iter().map(Part::Piece).collect())
}

/// A step as pieces, in order.
fn pieces(step: &Step, tables: &mut Vec<Table>) -> Vec<Piece> {
    match step {
        Step::Sweep(it) => {
            let mut w = Writer::default();
            sweep::write(it, &mut w);
            let elements = if it.folds.is_empty() { THREADS } else { TILE };
            vec![Piece { w, blocks: it.len.div_ceil(elements), small: it.len <= sweep::SMALL }]
        }
        Step::Iterate(it) => vec![iterate::write(it, tables)],
        step => step::write(step, tables),
    }
}

/// The kernels of a text under way.
struct Kernels<'a> {
    strides: &'a [usize],
    text: String,
    headers: BTreeSet<&'static str>,
    count: usize,
}

impl Kernels<'_> {
    /// A kernel of these pieces: of one block where all are small, or where there is one block of work.
    fn alone_or_grid(&mut self, pieces: Vec<Piece>) -> Launch {
        let alone = pieces.len() > 1 || pieces[0].blocks <= 1;
        let blocks = if alone { 1 } else { pieces[0].blocks.min(MOST_BLOCKS) };
        let mut bases = BTreeSet::new();
        let mut tables = BTreeSet::new();
        let mut arrives = false;
        for piece in &pieces {
            bases.extend(&piece.w.bases);
            tables.extend(&piece.w.tables);
            self.headers.extend(&piece.w.headers);
            arrives |= piece.w.arrives;
        }
        let name = format!("k{}", self.count);
        self.count += 1;
        let parameters = bases.iter().map(|&base| format!("u8 *{}", base_name(base)));
        let parameters = parameters.chain(tables.iter().map(|&table| format!("const u32 *{}", table_name(table))));
        let parameters = parameters.chain(arrives.then(|| "u32 *arrived".to_owned()));
        let parameters: Vec<String> = parameters.chain(["const Call call".to_owned()]).collect();
        let mut w = Writer::default();
        w.line(format!(
            "extern \"C\" __global__ void __launch_bounds__(THREADS, 2) {name}({}) {{",
            parameters.join(", ")
        ));
        // What is declared and not used is warned of.
        if pieces.iter().any(|piece| piece.w.text.contains("shared")) {
            w.line("__shared__ __align__(16) u8 shared[SHARED];");
        }
        w.line("u32 first;");
        w.line("if (!begins(call, first)) return;");
        w.line(format!("const {} team{{}};", if alone { "Alone" } else { "Grid" }));
        for &base in &bases {
            let member = if base == 0 { "blockIdx.y" } else { "(first + blockIdx.y)" };
            match self.strides[base as usize] {
                0 => {}
                stride => w.line(format!("{} += (u64){member} * {stride};", base_name(base))),
            }
        }
        if arrives {
            w.line("arrived += blockIdx.y;");
        }
        let several = pieces.len();
        for (k, piece) in pieces.into_iter().enumerate() {
            w.line("{");
            w.include(&piece.w);
            w.line("}");
            if k + 1 < several {
                w.line("__syncthreads();");
            }
        }
        w.line("}");
        writeln!(self.text, "\n{}", w.text.trim_end()).expect("a string takes it");
        Launch::Kernel {
            name,
            bases: bases.into_iter().collect(),
            tables: tables.into_iter().collect(),
            arrives,
            blocks,
        }
    }

    /// The text with its head.
    fn whole(&self, name: &str) -> String {
        let mut text = format!("// {}\n#include \"common.cuh\"\n", name.replace('\n', " "));
        for header in &self.headers {
            writeln!(text, "#include \"{header}\"").expect("a string takes it");
        }
        text.push_str(&self.text);
        text
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::exec::cuda::needs::Needs;
    use crate::exec::{Buffer, Slot, plan};
    use crate::tape::{Builder, Dtype, Op, Program, Type};

    /// The device code of a program whose inputs and outputs have buffers of their own.
    fn code(program: &Program) -> Source {
        let slot = |at: usize| -> Slot { Buffer(at as u32).into() };
        let inputs: Vec<Slot> = (0..program.inputs.len()).map(slot).collect();
        let outputs: Vec<Slot> = (0..program.outputs.len()).map(|at| slot(inputs.len() + at)).collect();
        let plan = plan::plan(program, &inputs, &outputs, &Needs);
        source(&program.name, &plan, &vec![0; 1 + inputs.len() + outputs.len()])
    }

    #[test]
    fn a_step_and_its_residual_are_one_kernel() {
        let mut b = Builder::new("shrink");
        let ty = Type::new(Dtype::F64, [5000]);
        let (x, z) = (b.input("x", ty.clone()), b.input("z", ty));
        let step = b.sub(x, z);
        let residual = b.sum_squares(step);
        b.output("step", step);
        b.output("residual", residual);
        let source = code(&b.finish());
        expect![[r#"
            // shrink
            #include "common.cuh"
            #include "fold.cuh"
            #include "math.cuh"

            extern "C" __global__ void __launch_bounds__(THREADS, 2) k0(u8 *arena, u8 *slot1, u8 *slot2, u8 *slot3, u8 *slot4, u32 *arrived, const Call call) {
                __shared__ __align__(16) u8 shared[SHARED];
                u32 first;
                if (!begins(call, first)) return;
                const Grid team{};
                arrived += blockIdx.y;
                {
                    for (i64 tile = team.block(); tile < 3; tile += team.blocks()) {
                        double lane1 = Sum::start<double>();
                        const i64 start = tile * 2048 + threadIdx.x / WARP * BLOCK + threadIdx.x % WARP;
                        for (i64 i = start; i < start + BLOCK && i < 5000; i += WARP) {
                            const double x2 = ((double *)slot1)[i];
                            const double x3 = ((double *)slot2)[i];
                            const double x4 = op_sub(x2, x3);
                            ((double *)slot3)[i] = x4;
                            const double x5 = op_square(x4);
                            lane1 = Sum::join(lane1, x5);
                        }
                        const double part6 = tile_node<Sum>(shared, lane1);
                        if (threadIdx.x == 0) ((double *)arena)[tile] = part6;
                    }
                    if (arrive_last(team, shared, arrived)) {
                        finish_fold<Sum>((double *)slot4, (double *)arena, 3);
                    }
                }
            }
        "#]].assert_eq(&source.text);
        let [Launch::Kernel { bases, arrives, blocks, .. }] = &source.launches[..] else { panic!("{source:?}") };
        assert_eq!((bases.as_slice(), *arrives, *blocks), (&[0, 1, 2, 3, 4][..], true, 3));
    }

    #[test]
    fn what_is_small_is_one_kernel_of_one_block() {
        let mut b = Builder::new("small");
        let a = b.input("A", Type::new(Dtype::F32, [8, 8]));
        let x = b.input("x", Type::new(Dtype::F32, [8, 1]));
        let l = b.push(Op::Cholesky, vec![a], Type::new(Dtype::F32, [8, 8]));
        let y = b.matmul(a, x, false, false);
        let y = b.push(Op::CholeskySolve, vec![l, y], Type::new(Dtype::F32, [8, 1]));
        let total = b.sum(y);
        b.output("total", total);
        let source = code(&b.finish());
        assert_eq!(source.launches.len(), 1, "{}", source.text);
        assert!(matches!(source.launches[0], Launch::Kernel { blocks: 1, .. }), "{source:?}");
    }

    #[test]
    fn what_is_large_is_a_librarys() {
        let mut b = Builder::new("large");
        let n = 600;
        let a = b.input("A", Type::new(Dtype::F64, [n, n]));
        let product = b.matmul(a, a, false, true);
        let values = b.push(Op::SymmetricEigenvalues, vec![product], Type::new(Dtype::F64, [n]));
        b.output("values", values);
        let source = code(&b.finish());
        let kinds = source.launches.iter().map(|launch| match launch {
            Launch::Kernel { .. } => "kernel",
            Launch::Routine(Routine::Product(_)) => "product",
            Launch::Routine(_) => "routine",
        });
        // Before it the matrix is copied and looked through, behind it the values are brought home.
        let kinds: Vec<&str> = kinds.collect();
        assert_eq!(kinds, ["product", "kernel", "kernel", "kernel", "routine", "kernel"]);
    }
}
