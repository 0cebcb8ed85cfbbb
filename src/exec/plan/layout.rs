//! Where everything lies: views cost nothing, the parts of a concatenation are written in place, an
//! output is written straight into its buffer, and the rest shares one arena by liveness.
//!
//! An output's buffer may be an input's. The output is then written in place if the input's last
//! reader runs before its first writer; or if both are one sweep that reads the input only at the
//! position it writes (the sweep stores a tile once everything has read it); else it is made in the
//! arena and copied at the end.

use super::Device;
use super::graph::{Class, Graph, Node};
use super::ir::{Array, Base, Place};
use crate::exec::Slot;
use crate::tape::{Dtype, Op};

/// Bytes that the start of every array is a multiple of: a cache line.
pub(in crate::exec) const LINE: usize = 64;

/// Memory that is planned as one.
#[derive(Debug, Clone)]
struct Storage {
    dtype: Dtype,
    len: usize,
    /// First unit that writes it.
    first: usize,
    /// Last unit that writes or reads it.
    last: Option<usize>,
    place: Option<Place>,
}

/// Where the nodes of a graph lie.
#[derive(Debug)]
pub(super) struct Layout {
    storages: Vec<Storage>,
    /// Storage of each node that owns memory, and where in it.
    homes: Vec<Option<(usize, usize)>>,
    /// Storage that a node needs beside its result.
    beside: Vec<Option<usize>>,
    /// Nodes that a sweep writes at the end of a tile.
    pub deferred: Vec<bool>,
    /// Outputs that are copied at the end: node and where to.
    pub copies: Vec<(usize, Place)>,
    /// Bytes of the arena.
    pub arena: usize,
}

impl Layout {
    /// The layout of a graph on these slots.
    pub fn new(graph: &Graph, inputs: &[Slot], outputs: &[Slot], device: &dyn Device) -> Layout {
        let mut layout = Layout {
            storages: Vec::new(),
            homes: vec![None; graph.nodes.len()],
            beside: vec![None; graph.nodes.len()],
            deferred: vec![false; graph.nodes.len()],
            copies: Vec::new(),
            arena: 0,
        };
        layout.house(graph, device);
        layout.measure_lives(graph);
        layout.place_outputs(graph, inputs, outputs, device);
        layout.fill_arena(graph.units.len());
        layout
    }

    /// Where a node's elements start; its memory must be known.
    pub fn place(&self, graph: &Graph, node: usize) -> Place {
        let (owner, offset) = match graph.nodes[node].class {
            Class::View { of, at } => (of, at),
            _ => (node, 0),
        };
        let (storage, at) = self.homes[owner].expect("a node that is read lies in memory");
        let place = self.storages[storage].place.expect("every storage is placed");
        Place { at: place.at + at + offset, ..place }
    }

    /// What a node has beside its result.
    pub fn workspace(&self, node: usize) -> Option<Array> {
        let Storage { dtype, len, place, .. } = self.storages[self.beside[node]?];
        Some(Array { place: place.expect("every storage is placed"), len, dtype })
    }

    fn storage(&mut self, dtype: Dtype, len: usize) -> usize {
        self.storages.push(Storage { dtype, len, first: usize::MAX, last: None, place: None });
        self.storages.len() - 1
    }

    /// Gives every stored node a home: its own storage, or a part of what it is concatenated into.
    fn house(&mut self, graph: &Graph, device: &dyn Device) {
        for node in (0..graph.nodes.len()).rev() {
            let it = &graph.nodes[node];
            match it.class {
                Class::Input(position) => {
                    let storage = self.storage(it.ty.dtype, it.ty.shape.numel());
                    self.storages[storage].place = Some(Place { base: Base(1 + position), at: 0 });
                    self.homes[node] = Some((storage, 0));
                    continue;
                }
                _ if !it.stored => continue,
                _ => {}
            }
            if self.homes[node].is_none() {
                self.homes[node] = Some((self.storage(it.ty.dtype, it.ty.shape.numel()), 0));
            }
            if let Some((dtype, len)) = device.workspace(it) {
                self.beside[node] = Some(self.storage(dtype, len));
            }
            let Some(offsets) = part_offsets(graph, node) else { continue };
            let (storage, at) = self.homes[node].expect("given above");
            for (&arg, offset) in it.args.iter().zip(offsets) {
                let owns = matches!(graph.nodes[arg].class, Class::Elementwise | Class::Fold | Class::Step);
                if owns && self.homes[arg].is_none() && !graph.outputs.contains(&arg) {
                    self.homes[arg] = Some((storage, at + offset));
                }
            }
        }
    }

    fn measure_lives(&mut self, graph: &Graph) {
        for (rank, unit) in graph.units.iter().enumerate() {
            for &node in &unit.nodes {
                for storage in self.homes[node].map(|home| home.0).into_iter().chain(self.beside[node]) {
                    self.storages[storage].first = self.storages[storage].first.min(rank);
                    // Written is as good as read: until the unit ends, it is in use.
                    self.storages[storage].last = Some(rank);
                }
                for read in graph.reads(node) {
                    if let Some((storage, _)) = self.homes[graph.owner(read)] {
                        self.storages[storage].last = Some(rank);
                    }
                }
            }
        }
    }

    fn place_outputs(&mut self, graph: &Graph, inputs: &[Slot], outputs: &[Slot], device: &dyn Device) {
        for (k, (&node, slot)) in graph.outputs.iter().zip(outputs).enumerate() {
            let (storage, _) = self.homes[node].expect("an output is stored");
            let to = Place { base: Base((1 + inputs.len() + k) as u32), at: 0 };
            let first = self.storages[storage].first;
            let writes = |(it, home): (&Node, &Option<(usize, usize)>)| {
                home.is_none_or(|(of, _)| of != storage) || device.in_place(it)
            };
            let mut in_place = graph.nodes.iter().zip(&self.homes).all(writes);
            let mut deferred = false;
            for (input, it) in graph.nodes.iter().enumerate() {
                let Class::Input(position) = it.class else { continue };
                let (read, _) = self.homes[input].expect("an input has a home");
                let read_later = self.storages[read].last.is_some_and(|last| last >= first);
                if inputs[position as usize].buffer != slot.buffer || !read_later {
                    continue;
                }
                let same_unit = self.storages[read].last == Some(first) && inputs[position as usize] == *slot;
                if same_unit && is_aligned(graph, input, node) {
                    deferred = true;
                } else {
                    in_place = false;
                }
            }
            if in_place {
                self.storages[storage].place = Some(to);
                self.deferred[node] = deferred;
            } else {
                self.storages[storage].last = Some(graph.units.len());
                self.copies.push((node, to));
            }
        }
    }

    /// Places what is left in the arena, each where the free gap fits best, in the order of the units.
    fn fill_arena(&mut self, units: usize) {
        let mut starting: Vec<Vec<usize>> = vec![Vec::new(); units];
        let mut ending: Vec<Vec<usize>> = vec![Vec::new(); units + 1];
        for (index, storage) in self.storages.iter_mut().enumerate().filter(|(_, storage)| storage.place.is_none()) {
            match storage.last {
                Some(last) => {
                    starting[storage.first].push(index);
                    ending[last].push(index);
                }
                None => unreachable!("what is stored is written"),
            }
        }
        let mut gaps = Gaps::default();
        for unit in 0..units {
            for &index in &starting[unit] {
                let storage = &mut self.storages[index];
                let start = gaps.take(storage.bytes());
                storage.place = Some(Place { base: Base::ARENA, at: start / storage.dtype.bytes() });
            }
            for &index in &ending[unit] {
                let storage = &self.storages[index];
                let place = storage.place.expect("it started");
                gaps.give(place.at * storage.dtype.bytes(), storage.bytes());
            }
        }
        self.arena = gaps.end;
    }
}

impl Storage {
    /// Whole cache lines.
    fn bytes(&self) -> usize {
        (self.len * self.dtype.bytes()).next_multiple_of(LINE)
    }
}

/// Where each operand of a concatenation starts in it, if its operands lie one after the other.
fn part_offsets(graph: &Graph, node: usize) -> Option<Vec<usize>> {
    let it = &graph.nodes[node];
    let Op::Concat { axis } = it.op else { return None };
    if it.ty.shape.0[..axis].iter().product::<usize>() != 1 {
        return None;
    }
    let ends = it.arg_tys.iter().scan(0, |end, ty| {
        *end += ty.shape.numel();
        Some(*end)
    });
    Some(ends.zip(&it.arg_tys).map(|(end, ty)| end - ty.shape.numel()).collect())
}

/// Whether `node` is written a tile at a time by a sweep that reads `input`, if it does, at just the
/// positions that it writes. A sweep of as many elements as the input has reads it in no other way:
/// views of it and what repeats it have another size.
fn is_aligned(graph: &Graph, input: usize, node: usize) -> bool {
    let it = &graph.nodes[node];
    let unit = &graph.units[it.unit.expect("a stored node has a unit")];
    it.class == Class::Elementwise && unit.sweep == Some(graph.nodes[input].ty.shape.numel())
}

/// The free parts of the arena, ascending.
#[derive(Debug, Default)]
struct Gaps {
    gaps: Vec<(usize, usize)>,
    end: usize,
}

impl Gaps {
    fn take(&mut self, len: usize) -> usize {
        let fitting = self.gaps.iter().enumerate().filter(|(_, gap)| gap.1 >= len);
        if let Some((index, &(start, gap))) = fitting.min_by_key(|(_, gap)| gap.1) {
            if gap == len {
                self.gaps.remove(index);
            } else {
                self.gaps[index] = (start + len, gap - len);
            }
            return start;
        }
        // The last gap grows where it reaches the end.
        let start = match self.gaps.last() {
            Some(&(start, gap)) if start + gap == self.end => {
                self.gaps.pop();
                start
            }
            _ => self.end,
        };
        self.end = start + len;
        start
    }

    fn give(&mut self, start: usize, len: usize) {
        if len == 0 {
            return;
        }
        let index = self.gaps.partition_point(|gap| gap.0 < start);
        self.gaps.insert(index, (start, len));
        for left in [index, index.wrapping_sub(1)] {
            if let (Some(&a), Some(&b)) = (self.gaps.get(left), self.gaps.get(left.wrapping_add(1)))
                && a.0 + a.1 == b.0
            {
                self.gaps[left].1 += b.1;
                self.gaps.remove(left + 1);
            }
        }
    }
}
