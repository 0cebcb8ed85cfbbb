//! CUDA as the environment has it: where its libraries are looked for, and where compiled kernels are kept.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::World;
use crate::data::Files;
use crate::exec::cuda::{Cache, Places, Uncached};
use crate::report::Folder;

/// The folders that may hold CUDA's libraries, before the loader's own, by the paths that variables list:
///
/// 1. `ADMMC_CUDA_LIB`;
/// 2. the toolkit of `CUDA_HOME` or `CUDA_PATH`, or where it lies by default;
/// 3. NVIDIA's Python packages in the active environment, of `VIRTUAL_ENV` or `CONDA_PREFIX`.
pub fn places(paths: impl Fn(&str) -> Vec<PathBuf>, files: &dyn Files) -> Places {
    let given = |name: &str| paths(name).into_iter().filter(|path| !path.as_os_str().is_empty());
    let mut folders: Vec<PathBuf> = given("ADMMC_CUDA_LIB").collect();
    folders.extend(["CUDA_HOME", "CUDA_PATH"].iter().flat_map(|name| given(name)).map(|home| home.join("lib64")));
    folders.push("/usr/local/cuda/lib64".into());
    folders.extend(given("VIRTUAL_ENV").chain(given("CONDA_PREFIX")).flat_map(|root| packages(&root, files)));
    folders.extend(given("CONDA_PREFIX").map(|root| root.join("lib")));
    let mut seen = Vec::new();
    folders.retain(|folder| {
        !seen.contains(folder) && {
            seen.push(folder.clone());
            true
        }
    });
    Places::new(folders)
}

/// The folders of libraries in a Python environment's packages of NVIDIA: `cu13` and its like hold all of a
/// release, others one library of CUDA 12.
fn packages(root: &Path, files: &dyn Files) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for python in files.folders(&root.join("lib")).iter().filter(|name| name.starts_with("python3")) {
        let nvidia = root.join("lib").join(python).join("site-packages/nvidia");
        let mut packages = files.folders(&nvidia);
        packages.sort_by_key(|name| Reverse(name.strip_prefix("cu").and_then(|release| release.parse::<u32>().ok())));
        found.extend(packages.iter().map(|package| nvidia.join(package).join("lib")));
    }
    found
}

/// Where compiled kernels are kept, by the paths that variables list: below `XDG_CACHE_HOME`, else below
/// `HOME`.
pub fn kept(paths: impl Fn(&str) -> Vec<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| paths(name).into_iter().next().filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("admmc").join("cuda"))
}

/// The cache of compiled kernels in this world.
pub(super) fn cache(world: &World) -> Box<dyn Cache> {
    match &world.kernels {
        Some(folder) => Box::new(Kept { folder: folder.clone() }),
        None => Box::new(Uncached),
    }
}

/// Compiled kernels in a folder.
struct Kept {
    folder: PathBuf,
}

impl Cache for Kept {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let folder = Some(&self.folder).filter(|folder| folder.is_dir())?;
        Folder::create(folder).and_then(|folder| folder.read(name)).ok()?
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        // Where it can't be written, the next run compiles again.
        let _ = Folder::create(&self.folder).and_then(|folder| folder.write(name, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Memory;

    /// An environment.
    fn with(variables: &[(&str, &str)]) -> impl Fn(&str) -> Vec<PathBuf> {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        move |name| {
            let values = variables.iter().filter(|(of, _)| of == name);
            values.flat_map(|(_, value)| value.split(':').map(PathBuf::from)).collect()
        }
    }

    #[test]
    fn folders_in_order() {
        let files = ["cublas", "cuda_nvrtc", "cu12", "cu13"].iter().fold(Memory::default(), |files, package| {
            files.with(format!("/venv/lib/python3.12/site-packages/nvidia/{package}/lib/libx.so"), "")
        });
        let environment = with(&[
            ("ADMMC_CUDA_LIB", "/a:/b"),
            ("CUDA_HOME", "/usr/local/cuda"),
            ("CUDA_PATH", ""),
            ("VIRTUAL_ENV", "/venv"),
            ("CONDA_PREFIX", "/conda"),
        ]);
        let packages = |name: &str| format!("/venv/lib/python3.12/site-packages/nvidia/{name}/lib");
        let expected: Vec<PathBuf> = ["/a", "/b", "/usr/local/cuda/lib64"].map(PathBuf::from).to_vec();
        let of_packages = ["cu13", "cu12", "cublas", "cuda_nvrtc"].map(|name| PathBuf::from(packages(name)));
        let all = [expected, of_packages.to_vec(), vec!["/conda/lib".into()]].concat();
        assert_eq!(places(environment, &files), Places::new(all));
        assert_eq!(
            places(with(&[]), &Memory::default()),
            Places::new(vec!["/usr/local/cuda/lib64".into()]),
            "a bare environment"
        );
    }

    #[test]
    fn the_cache_is_where_caches_are() {
        let home = ("HOME", "/home/u");
        assert_eq!(kept(with(&[home])), Some("/home/u/.cache/admmc/cuda".into()));
        assert_eq!(kept(with(&[home, ("XDG_CACHE_HOME", "/c")])), Some("/c/admmc/cuda".into()));
        assert_eq!(kept(with(&[home, ("XDG_CACHE_HOME", "relative")])), Some("/home/u/.cache/admmc/cuda".into()));
        assert_eq!(kept(with(&[])), None);
    }

    #[test]
    fn what_is_kept_is_found() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let kept = Kept { folder: place.path().join("admmc/cuda") };
        assert_eq!(kept.get("a.bin"), None);
        assert!(!kept.folder.exists(), "looking makes no folder");
        kept.put("a.bin", b"bytes");
        assert_eq!(kept.get("a.bin"), Some(b"bytes".to_vec()));
        // A file stands in the folder's way: nothing is kept, and nothing fails.
        std::fs::write(place.path().join("file"), "").expect("the folder can be written");
        let none = Kept { folder: place.path().join("file/cuda") };
        none.put("a.bin", b"bytes");
        assert_eq!(none.get("a.bin"), None);
    }
}
