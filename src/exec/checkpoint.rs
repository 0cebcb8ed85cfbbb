//! A checkpoint: everything that changes in a run, as one safetensors file. Going on from it gives
//! the same bits as an unbroken run.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype as Stored, SafeTensors, TensorView};

use super::outcome::{Row, Tally};
use crate::tape::{Elements, Tensor};

/// Where in the schedule's body a run stands: a safe point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// Top-level statement.
    pub statement: usize,
    /// Passes of it done, where it is a loop.
    pub pass: usize,
}

/// All that changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checkpoint {
    pub schedule: String,
    pub fingerprint: u64,
    pub seconds: f64,
    pub position: Position,
    pub iterations: usize,
    pub epochs: usize,
    pub samplers: Vec<(u64, Vec<(u32, usize)>)>,
    pub searches: Vec<Tally>,
    pub trace: Vec<Row>,
    pub states: BTreeMap<String, Tensor>,
}

/// Key of the counters in the file's metadata.
const COUNTERS: &str = "admmc";

/// What is stored beside the tensors. Floats go as bits: a trace may hold what JSON can't.
#[derive(serde::Serialize, serde::Deserialize)]
struct Counters {
    version: u32,
    schedule: String,
    fingerprint: u64,
    seconds: u64,
    position: (usize, usize),
    iterations: usize,
    epochs: usize,
    samplers: Vec<(u64, Vec<(u32, usize)>)>,
    /// Made, failed, and failed in a row. A file of before there were such has none.
    #[serde(default)]
    searches: Vec<(usize, usize, usize)>,
    trace: Vec<StoredRow>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct StoredRow {
    epoch: Option<usize>,
    iteration: usize,
    seconds: u64,
    values: Vec<(String, u64)>,
}

impl Checkpoint {
    /// As a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let counters = Counters {
            version: 1,
            schedule: self.schedule.clone(),
            fingerprint: self.fingerprint,
            seconds: self.seconds.to_bits(),
            position: (self.position.statement, self.position.pass),
            iterations: self.iterations,
            epochs: self.epochs,
            samplers: self.samplers.clone(),
            searches: self.searches.iter().map(|tally| (tally.made, tally.failed, tally.in_a_row)).collect(),
            trace: self.trace.iter().map(store_row).collect(),
        };
        let counters = serde_json::to_string(&counters).expect("counters are plain data");
        let bytes: Vec<(String, Stored, Vec<usize>, Vec<u8>)> = self
            .states
            .iter()
            .map(|(name, tensor)| {
                let (dtype, bytes) = raw(&tensor.elements);
                (name.clone(), dtype, tensor.shape.0.clone(), bytes)
            })
            .collect();
        let views = bytes.iter().map(|(name, dtype, shape, data)| {
            let view = TensorView::new(*dtype, shape.clone(), data).expect("a tensor's bytes fill its shape");
            (name.as_str(), view)
        });
        let metadata = HashMap::from([(COUNTERS.to_string(), counters)]);
        safetensors::serialize(views, Some(metadata)).expect("names are unique and shapes are filled")
    }

    /// From a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, String> {
        let broken = |why: String| format!("the checkpoint can't be read: {why}");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| broken(error.to_string()))?;
        let counters = header
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(COUNTERS))
            .ok_or_else(|| broken("it was not written by admmc".to_string()))?;
        let counters: Counters = serde_json::from_str(counters).map_err(|error| broken(error.to_string()))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| broken(error.to_string()))?;
        let mut states = BTreeMap::new();
        for (name, view) in tensors.iter() {
            let elements = elements(view.dtype(), view.data())
                .ok_or_else(|| broken(format!("`{name}` has an element type of its own")))?;
            states.insert(name.to_string(), Tensor { shape: crate::tape::Shape(view.shape().to_vec()), elements });
        }
        Ok(Checkpoint {
            schedule: counters.schedule,
            fingerprint: counters.fingerprint,
            seconds: f64::from_bits(counters.seconds),
            position: Position { statement: counters.position.0, pass: counters.position.1 },
            iterations: counters.iterations,
            epochs: counters.epochs,
            samplers: counters.samplers,
            searches: counters.searches.into_iter().map(tally).collect(),
            trace: counters.trace.into_iter().map(load_row).collect(),
            states,
        })
    }
}

fn tally((made, failed, in_a_row): (usize, usize, usize)) -> Tally {
    Tally { made, failed, in_a_row }
}

fn store_row(row: &Row) -> StoredRow {
    StoredRow {
        epoch: row.epoch,
        iteration: row.iteration,
        seconds: row.seconds.to_bits(),
        values: row.values.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect(),
    }
}

fn load_row(row: StoredRow) -> Row {
    Row {
        epoch: row.epoch,
        iteration: row.iteration,
        seconds: f64::from_bits(row.seconds),
        values: row.values.into_iter().map(|(name, bits)| (name, f64::from_bits(bits))).collect(),
    }
}

fn raw(elements: &Elements) -> (Stored, Vec<u8>) {
    match elements {
        Elements::F32(v) => (Stored::F32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        Elements::F64(v) => (Stored::F64, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        Elements::Index(v) => (Stored::U32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
    }
}

fn elements(dtype: Stored, data: &[u8]) -> Option<Elements> {
    let words = |data: &[u8]| -> Vec<[u8; 4]> { data.chunks_exact(4).map(|c| [c[0], c[1], c[2], c[3]]).collect() };
    Some(match dtype {
        Stored::F32 => Elements::F32(words(data).into_iter().map(f32::from_le_bytes).collect()),
        Stored::U32 => Elements::Index(words(data).into_iter().map(u32::from_le_bytes).collect()),
        Stored::F64 => Elements::F64(
            data.chunks_exact(8)
                .map(|c| f64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]))
                .collect(),
        ),
        _ => return None,
    })
}
