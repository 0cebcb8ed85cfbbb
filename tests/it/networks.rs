//! Networks through the language: against PyTorch, in every form of input, with and without dropout.

use std::path::{Path, PathBuf};

use admmc::data::{Disk, read_named};
use admmc::exec::reference::{Rounding, evaluate, gradcheck};
use admmc::exec::{Cpu, Executor, Nobody, Slot, Status, run};
use admmc::host::Still;
use admmc::model::ir::SampleSource;
use admmc::model::{Lower, Model, fold};
use admmc::tape::{Dtype, Program, Tensor, gradient, passes};
use expect_test::expect;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/networks")
}

/// A text whose data lies in `tests/cases/networks/`.
fn model(text: &str) -> Model {
    crate::compile::model(&folder().join("made.admm"), text, &Disk)
}

/// The network of `conv.py`.
const NETWORK: &str = "
net C(θ): image[2, 6, 7]
    -> conv 4 kernel [3, 2] stride [1, 2] padding [1, 0] leaky_relu(0.2)
    -> residual (conv 4 kernel 3 padding 2 dilation 2 groups 2 bias none tanh -> layer_norm) gelu
    -> pool 2 stride 1
    -> conv_transpose 3 kernel 3 stride 2 padding 1 silu
    -> pool 3 average stride 2 padding 1
    -> flatten
    -> dense 3 log_softmax
data x = safetensors(\"conv_expected.safetensors\", key = \"x\")
";

const LOSS: &str = "
let y = C(x; θ)
minimize sum([1, -2, 0.5; 0.25, 3, -1].*y) + sum_squares(y)
";

/// Value and gradient by the parameters, as the CPU computes them.
fn value_and_gradient(model: &Model, start: &Tensor) -> [Tensor; 2] {
    let mut lower = Lower::new(model, "loss", Dtype::F64);
    let terms: Vec<_> = model.players[0].terms.iter().map(|term| lower.expr(&term.expr)).collect();
    let loss = terms.into_iter().reduce(|sum, term| lower.b.add(sum, term)).expect("there is a term");
    let params = lower.b.program().inputs.iter().find(|input| input.name == "θ").expect("θ is read").value;
    let slope = gradient(&mut lower.b, loss, &[params])[0];
    lower.b.output("loss", loss);
    lower.b.output("slope", slope);
    let (program, _) = lower.finish();
    let program = passes::optimise(&program);
    let inputs: Vec<Tensor> = program
        .inputs
        .iter()
        .map(|input| match model.data.iter().find(|data| data.name == input.name) {
            Some(data) => (*data.tensor).clone(),
            None => start.clone(),
        })
        .collect();
    let got = on_the_cpu(&program, &inputs);
    let truth = evaluate(&program, &inputs, Rounding::Outputs);
    for (got, truth) in got.iter().zip(&truth) {
        close(&got.to_f64(), &truth.to_f64(), 1e-11);
    }
    got.try_into().expect("two outputs")
}

fn on_the_cpu(program: &Program, inputs: &[Tensor]) -> Vec<Tensor> {
    let mut cpu = Cpu::new(2);
    let slots: Vec<Slot> = inputs.iter().map(|tensor| cpu.buffer(&tensor.ty()).into()).collect();
    slots.iter().zip(inputs).for_each(|(slot, tensor)| cpu.write(slot.buffer, tensor));
    let outputs: Vec<Slot> = program.outputs.iter().map(|output| cpu.buffer(program.ty(output.value)).into()).collect();
    let call = cpu.bind(program, &slots, &outputs);
    cpu.run(call, 0);
    outputs.iter().map(|slot| cpu.read(slot.buffer)).collect()
}

fn close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{at}: {a} and {b}");
    }
}

/// Both compute in doubles, some hundred operations each: 1e-11 is far above their rounding, and far below any
/// mistake.
#[test]
fn a_network_has_the_value_and_the_gradient_of_pytorch() {
    let expected = read_named(&Disk, &folder().join("conv_expected.safetensors")).expect("it was written by PyTorch");
    let named = |name: &str| {
        expected.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("`{name}` is there")).1.to_f64()
    };
    // The parameters come by PyTorch's names, in the order of its layers.
    let known = model(&format!("{NETWORK}data θ: params(C) = load(\"conv.safetensors\")\nminimize sum(C(x; θ))\n"));
    let start = known.data.iter().find(|data| data.name == "θ").expect("θ is data").tensor.clone();
    let y = fold(&known, &known.players[0].terms[0].expr).and_then(|sum| sum.item()).expect("all is known");
    close(&[y], &[named("y").iter().sum()], 1e-11);

    let free = model(&format!("{NETWORK}var θ: params(C)\n{LOSS}"));
    let [loss, slope] = value_and_gradient(&free, &start);
    close(&loss.to_f64(), &named("loss"), 1e-11);
    let theirs = ["0.weight", "0.bias", "2.layers.0.weight", "2.layers.2.weight", "2.layers.2.bias"];
    let theirs = theirs.into_iter().chain(["5.weight", "5.bias", "9.weight", "9.bias"]);
    for (entry, name) in free.nets[0].entries.iter().zip(theirs) {
        let ours = &slope.to_f64()[entry.offset..][..entry.shape.numel()];
        close(ours, &named(name), 1e-11);
    }
    let names: Vec<String> =
        free.nets[0].entries.iter().map(|entry| format!("{}.{} {}", entry.layer, entry.name, entry.shape)).collect();
    expect![[r#"
        layer1.weight [4, 2, 3, 2]
        layer1.bias [4]
        layer2.layer1.weight [4, 2, 3, 3]
        layer2.layer2.weight [4, 6, 3]
        layer2.layer2.bias [4, 6, 3]
        layer4.weight [4, 3, 3, 3]
        layer4.bias [3]
        layer7.weight [3, 30]
        layer7.bias [3]"#]]
    .assert_eq(&names.join("\n"));
}

/// Every layer against differences, by the parameters and by the input.
#[test]
fn gradients_of_a_network_are_those_of_differences() {
    let free = model(&format!("{NETWORK}var θ: params(C)\n{LOSS}"));
    let mut lower = Lower::new(&free, "loss", Dtype::F64);
    let value = lower.expr(&free.players[0].terms[0].expr);
    lower.b.output("loss", value);
    let (program, _) = lower.finish();
    let point = |seed: usize| -> Vec<Vec<f64>> {
        let number = |i: usize| (0.7 * i as f64 + seed as f64).sin() / 2.0;
        program.inputs.iter().map(|input| (0..program.ty(input.value).shape.numel()).map(number).collect()).collect()
    };
    for seed in 0..3 {
        for comparison in gradcheck(&program, 0, &point(seed), seed as u64) {
            assert!(comparison.is_defined() && comparison.agrees(), "{comparison:?}");
            assert!(comparison.tolerance < 1e-4, "{comparison:?}");
        }
    }
}

/// What an expression of known numbers is worth.
fn value(text: &str) -> Vec<f64> {
    let model = model(text);
    let terms = model.players[0].terms.iter();
    terms.map(|term| fold(&model, &term.expr).and_then(|value| value.item()).expect("all of it is known")).collect()
}

/// One image and a batch, flat or not, with a channel or without: the same numbers.
#[test]
fn an_image_may_come_in_any_form() {
    let net = "
net C(θ): image[1, 2, 3] -> conv 2 kernel 2 sine -> pool [1, 2] -> flatten -> dense 1
data θ: params(C) = linspace(-1, 1, 13)
let batch = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6; 1, -1, 0, 2, -2, 3]
let one = batch[2, :]
";
    let forms = "minimize sum(C(batch; θ)) + sum(C(reshape(batch, 2, 2, 3); θ)) + sum(C(reshape(batch, 2, 1, 2, 3); θ))
    + C(batch[1, :]; θ) + C(one; θ) + C(reshape(one, 2, 3); θ) + C(reshape(one, 1, 2, 3); θ)
    + C(batch[2 to 2, :]; θ)[1] + sum(C(batch, until = 1; θ)[2, :, :, :] - C(one, until = 1; θ))";
    let found = value(&format!("{net}{forms}\n"));
    let [both, first, second] = [found[0], found[3], found[4]];
    close(&found, &[both, both, both, first, second, second, second, second, 0.0], 1e-14);
    close(&[first + second], &[both], 1e-14);
    assert!((first - second).abs() > 1e-3, "the images differ");
}

/// By hand: of 1 … 9 by squares of two.
#[test]
fn pools_by_hand() {
    let net = |layers: &str| {
        format!(
            "net P(θ): image[1, 3, 3] -> {layers} -> flatten -> dense 1 bias none\n\
             data θ: params(P) = range(1, numel([{ones}]))\nlet x = range(1, 9)\nminimize P(x; θ)\n",
            ones = if layers.contains("stride 1") || layers.contains("padding") { "1, 1, 1, 1" } else { "1" }
        )
    };
    // 5 6 8 9, and 3 4 6 7; with margins 1 3 7 9, and a quarter of 1, 5, 11, 28.
    assert_eq!(value(&net("pool 2 stride 1")), [5.0 + 12.0 + 24.0 + 36.0]);
    assert_eq!(value(&net("pool 2 average stride 1")), [3.0 + 8.0 + 18.0 + 28.0]);
    assert_eq!(value(&net("pool 2 padding 1")), [1.0 + 6.0 + 21.0 + 36.0]);
    assert_eq!(value(&net("pool 2 average padding 1")), [(1.0 + 2.0 * 5.0 + 3.0 * 11.0 + 4.0 * 28.0) / 4.0]);
    // A row and a column that no position reaches.
    assert_eq!(value(&net("pool 2")), [5.0]);
}

/// Dropout acts in an objective, on what is trained, and nowhere else; equal calls share what they keep.
#[test]
fn dropout_acts_where_a_network_is_trained() {
    let text = "
net D(θ): 4 -> dense 8 relu -> dropout 0.25 -> residual (dropout 0.5) -> dense 1
data ψ: params(D) = ones(49)
let X = ones(6, 4)
player one {
    var θ1, θ2: params(D)
    let y = D(X; θ1)
    minimize mean(y) + sum_squares(y) + sum_squares(D(X; θ2)) + sum_squares(D(X; ψ) - 1)*sum_squares(θ1)
    subject to link: θ1 - θ2 = 0
}
solve play as game {
    repeat 3 times {
        gd one { rate = 1e-4 }
        every iteration track kept = sum(D(X; one.θ1))
        every iteration track steady = D(X; ψ)[1]
    }
}
";
    let model = model(text);
    let masks: Vec<String> = model
        .samples
        .iter()
        .map(|sample| match sample.source {
            SampleSource::Bernoulli { p } => format!("{} {} {p}", sample.names[0], sample.shapes[0]),
            _ => panic!("a mask is drawn by chance"),
        })
        .collect();
    // Two calls of a trained network, two dropouts each.
    expect![[r#"
        D.dropout.1 [6, 8] 0.75
        D.dropout.2 [6, 8] 0.5
        D.dropout.3 [6, 8] 0.75
        D.dropout.4 [6, 8] 0.5"#]]
    .assert_eq(&masks.join("\n"));
    assert!(!model.is_random(&model.players[0].terms[3].expr), "ψ is not trained");
}

/// A layer that only drops: the mean of what is kept is what came in, and seeds decide.
#[test]
fn dropout_keeps_the_mean() {
    let text = "
net D(θ): 1000 -> dropout 0.3 -> dense 1 bias none
player one {
    var θ: params(D), init = ones(1000)
    minimize sum_squares(D(ones(200, 1000)/1000; θ))
}
solve play as game {
    repeat 1 times {
        gd one { rate = 0.0025 }
        every iteration track after = D(ones(1000); one.θ)
        every iteration track apart = norm2(one.θ - mean(one.θ))
    }
}
";
    let outcome = |seed: u64| {
        let compiled = crate::compile::compiled(text);
        let outcome = run(&compiled.schedule, &mut Cpu::new(1), &Still::default(), &mut Nobody, seed);
        let outcome = outcome.expect("there is no checkpoint");
        assert_eq!(outcome.status, Status::Completed);
        ["after", "apart"].map(|name| outcome.last(name).expect("it is tracked"))
    };
    let [after, apart] = outcome(0);
    // Each row keeps y = 1 ± 0.02 and its slope 2y/1000 in the places kept, over 0.7: of 200 rows θ falls
    // by 0.0025·200·2/1000 = 1/1000 on average, in each place by a spread of √(0.3/0.7/200) of that.
    assert!((after - 999.0).abs() < 0.01, "{after}");
    let spread = 1e-3 * (0.3f64 / 0.7 / 200.0).sqrt() * 1000f64.sqrt();
    assert!((apart / spread - 1.0).abs() < 0.2, "{apart}, and {spread} by chance");
    assert_eq!(outcome(0), [after, apart]);
    assert_ne!(outcome(1), [after, apart]);
}
