//! Convolutions and loops by the shapes of their operands, before anything has a place.

use super::ir::{Conv, Iterate, Place, Turn};
use super::{Device, LINE};
use crate::exec::{Buffer, Slot};
use crate::tape::ops::{ConvPart, Iteration, Window};
use crate::tape::{Dtype, Program, Shape, Type};

impl Conv {
    /// The convolution of input, kernel and output of these shapes.
    pub fn new(part: ConvPart, window: Window, [x, w, y]: [&Shape; 3], dtype: Dtype) -> Conv {
        let (&[images, _, h, v], &[channels, inputs, i, j], &[_, _, p, q]) = (&x.0[..], &w.0[..], &y.0[..]) else {
            unreachable!("checked by the verifier")
        };
        Conv {
            part,
            window,
            images,
            inputs,
            outputs: channels / window.groups,
            kernel: [i, j],
            image: [h, v],
            positions: [p, q],
            x: Place::NOWHERE,
            w: Place::NOWHERE,
            y: Place::NOWHERE,
            workspace: None,
            dtype,
        }
    }

    /// Elements of one kernel.
    pub fn taps(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    /// Elements of the kernels of all groups.
    pub fn weights(&self) -> usize {
        self.window.groups * self.outputs * self.taps()
    }

    /// Channels of input and output.
    pub fn channels(&self) -> [usize; 2] {
        [self.window.groups * self.inputs, self.window.groups * self.outputs]
    }

    /// Multiplications of all of it.
    pub fn multiplications(&self) -> usize {
        self.images * self.channels()[1] * self.positions[0] * self.positions[1] * self.taps()
    }
}

impl Iterate {
    /// The loop on operands of these types, with turns as the device runs them.
    pub fn new(iteration: &Iteration, args: &[Type], ty: &Type, turns: Vec<Turn>) -> Iterate {
        let len = ty.shape.numel();
        let lanes = iteration.is_lanewise();
        let repeated = |(k, arg): (usize, &Type)| lanes && k >= iteration.carried && arg.shape.is_scalar() && len != 1;
        Iterate {
            iteration: iteration.clone(),
            turns,
            len,
            lanes,
            bytes: args.iter().map(Type::bytes).collect(),
            element: args.iter().map(|arg| arg.dtype.bytes()).collect(),
            repeated: args.iter().enumerate().map(repeated).collect(),
            args: Vec::new(),
            to: Place::NOWHERE,
            workspace: None,
            dtype: ty.dtype,
        }
    }
}

impl Turn {
    /// A turn of that program on that device, over so many lanes. Its first inputs and outputs are what is
    /// carried; its last output says whether it was the last.
    pub fn new(program: &Program, carried: usize, lanes: usize, device: &dyn Device) -> Turn {
        let slot = |k: usize| -> Slot { Buffer(k as u32).into() };
        let inputs: Vec<Slot> = (0..program.inputs.len()).map(slot).collect();
        let flag = slot(inputs.len());
        let outputs: Vec<Slot> = (0..carried).map(slot).chain([flag]).collect();
        let plan = super::plan(program, &inputs, &outputs, device);
        let mut end = plan.arena.next_multiple_of(LINE);
        let mut take = |bytes: usize| {
            let start = end;
            end += bytes.next_multiple_of(LINE);
            start
        };
        let state = program.inputs[..carried].iter().map(|input| take(program.ty(input.value).bytes())).collect();
        let done = take(LINE);
        let done_dtype = program.ty(program.outputs[carried].value).dtype;
        Turn { plan, state, done, done_dtype, memory: end, lanes }
    }
}
