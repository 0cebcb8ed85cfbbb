//! The headers of the device code, by the names under which it includes them.

/// A table of the files of `kernels/`.
macro_rules! headers {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../kernels/", $name)))),*]
    };
}

/// Name and text of each header.
pub const HEADERS: &[(&str, &str)] = headers![
    "argmax.cuh",
    "assignment.cuh",
    "common.cuh",
    "conv.cuh",
    "dense.cuh",
    "fold.cuh",
    "gather.cuh",
    "grid.cuh",
    "iota.cuh",
    "math.cuh",
    "matmul.cuh",
    "move.cuh",
    "random.cuh",
    "reduce.cuh",
    "regression.cuh",
    "routine.cuh",
    "scan.cuh",
    "sort.cuh",
    "sparse.cuh",
    "sparse_factor.cuh",
    "svd.cuh",
    "symmetric.cuh",
    "tree.cuh",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_folder() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
        let files = std::fs::read_dir(folder).expect("the folder of the device code").flatten();
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".cuh")).collect();
        names.sort();
        let listed: Vec<&str> = HEADERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, names);
    }
}
