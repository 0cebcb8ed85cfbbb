//! What was found: `solution.npz` with every variable and multiplier, and a `.safetensors` file for
//! the parameters of each network.

use std::io;

use super::Folder;
use crate::data::{npz, safetensors};
use crate::tape::Tensor;

/// Named tensors, in the order they are to be written.
pub type Named = Vec<(String, Tensor)>;

/// Writes `solution.npz`.
pub fn write(folder: &Folder, tensors: &Named) -> io::Result<()> {
    folder.write("solution.npz", &npz::write(borrowed(tensors))?)
}

/// Writes `NAME.safetensors`, which `load` reads back; returns the file's name.
pub fn write_network(folder: &Folder, name: &str, parameters: &Named) -> io::Result<String> {
    let file = format!("{name}.safetensors");
    folder.write(&file, &safetensors::write(borrowed(parameters)))?;
    Ok(file)
}

fn borrowed(named: &Named) -> impl Iterator<Item = (&str, &Tensor)> {
    named.iter().map(|(name, tensor)| (name.as_str(), tensor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Disk, read_named};

    #[test]
    fn what_is_written_can_be_loaded() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::create(place.path()).expect("a folder");
        let x = ("x".to_owned(), Tensor::f64([2], vec![1.0, -0.5]));
        let dual = ("dual(link)".to_owned(), Tensor::f64([2], vec![0.0, 2.0]));
        write(&folder, &vec![x.clone(), dual.clone()]).expect("the folder can be written");
        let read = read_named(&Disk, &place.path().join("solution.npz")).expect("it was written");
        assert_eq!(read, [dual, x]);

        let weight = ("layer1.weight".to_owned(), Tensor::f64([1, 2], vec![0.5, 0.25]));
        let file = write_network(&folder, "θ1", &vec![weight.clone()]).expect("the folder can be written");
        assert_eq!(file, "θ1.safetensors");
        assert_eq!(read_named(&Disk, &place.path().join(file)).expect("it was written"), [weight]);
    }
}
