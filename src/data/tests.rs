//! Every format: what it holds, how its faults read, and that junk is answered and never believed.

use std::io::Write;
use std::path::Path;

use expect_test::{Expect, expect};

use super::*;
use crate::tape::{Dtype, Shape};

/// Reads `bytes` as a file of that name with those neighbours; the tensor or the words of the fault.
fn read_file(name: &str, bytes: impl Into<Vec<u8>>, options: &Options) -> Result<Loaded, DataError> {
    let path = Path::new("data").join(name);
    let format = Format::of_path(&path).expect("tests name files by their format");
    read(&Memory::default().with(&path, bytes), format, &path, options)
}

fn check(name: &str, bytes: impl Into<Vec<u8>>, options: &Options, expected: Expect) {
    expected.assert_eq(&said(name, bytes, options));
}

/// A table of files of that name: what each holds, or is wrong with it, in a line.
fn check_each(name: &str, files: &[&[u8]], expected: Expect) {
    let line = |bytes: &&[u8]| {
        let said = said(name, *bytes, &Options::default());
        format!("{}\n", said.lines().next().unwrap_or_default())
    };
    expected.assert_eq(&files.iter().map(line).collect::<String>());
}

/// What a file holds, or what is wrong with it.
fn said(name: &str, bytes: impl Into<Vec<u8>>, options: &Options) -> String {
    match read_file(name, bytes, options) {
        Ok(loaded) => {
            let known = loaded.known.map_or(String::new(), |known| format!(" known {:?}", known.to_f64()));
            let columns = loaded.columns.map_or(String::new(), |columns| format!(" names {columns:?}"));
            let sparse = loaded.pattern.map_or(String::new(), |pattern| {
                let [starts, columns] = [pattern.starts, pattern.columns].map(|tensor| tensor.to_f64());
                format!(" of {} at {starts:?} {columns:?}", pattern.shape)
            });
            let (shape, numbers) = (&loaded.tensor.shape, loaded.tensor.to_f64());
            format!("{shape} {numbers:?}{sparse}{known}{columns}; {}\n", loaded.header)
        }
        Err(error) => format!("{} {error}\nhelp: {}\n", error.code(), error.help()),
    }
}

fn csv(text: &str, expected: Expect) {
    check("t.csv", text, &Options::default(), expected);
}

fn column(column: Column) -> Options {
    Options { column: Some(column), ..Options::default() }
}

fn missing(text: &str) -> Options {
    Options { missing: Some(text.to_owned()), ..Options::default() }
}

fn key(key: &str) -> Options {
    Options { key: Some(key.to_owned()), ..Options::default() }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes every byte")
}

/// An npy file with that dictionary and those entries.
fn npy_file(header: &str, entries: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), entries].concat()
}

fn small() -> Tensor {
    Tensor::f64([2, 3], vec![1.0, -2.5, 3.0, 0.0, 1e-300, 6.0])
}

#[test]
fn csv_tables() {
    csv(
        "1,2\n3,4\n",
        expect![[r#"
        [2, 2] [1.0, 2.0, 3.0, 4.0]; 2 rows, 2 columns
    "#]],
    );
    csv(
        "area,price\r\n1,2\r\n3,4",
        expect![[r#"
        [2, 2] [1.0, 2.0, 3.0, 4.0] names ["area", "price"]; 2 rows, 2 columns
    "#]],
    );
    csv(
        "price\n1\n\n-2.5e3\n",
        expect![[r#"
            [2] [1.0, -2500.0] names ["price"]; 2 rows, 1 column
        "#]],
    );
    csv(
        "1,2,3\n",
        expect![[r#"
        [1, 3] [1.0, 2.0, 3.0]; 1 row, 3 columns
    "#]],
    );
    csv(
        "7",
        expect![[r#"
            [1] [7.0]; 1 row, 1 column
        "#]],
    );
    csv(
        "\u{feff}# by hand\n\"a\"; b\n 1 ;2\n",
        expect![[r#"
        [1, 2] [1.0, 2.0] names ["a", "b"]; 1 row, 2 columns
    "#]],
    );
    csv(
        "1\t2\n3\t4\n",
        expect![[r#"
        [2, 2] [1.0, 2.0, 3.0, 4.0]; 2 rows, 2 columns
    "#]],
    );
}

#[test]
fn csv_columns() {
    let text = "city,price,area\nUlm,10,70\nBonn,20,80\n";
    let price = read_file("t.csv", text, &column(Column::Position(2)));
    assert_eq!(read_file("t.csv", text, &column(Column::Name("price".to_owned()))), price);
    check(
        "t.csv",
        text,
        &column(Column::Position(2)),
        expect![[r#"
        [2] [10.0, 20.0] names ["city", "price", "area"]; 2 rows of column `price`
    "#]],
    );
    check(
        "t.csv",
        "Ulm,10\nBonn,20\n",
        &column(Column::Position(2)),
        expect![[r#"
            [2] [10.0, 20.0]; 2 rows, 1 column
        "#]],
    );
    check(
        "t.csv",
        text,
        &column(Column::Name("prise".to_owned())),
        expect![[r#"
        E0302 `data/t.csv` has no column `prise`
        help: did you mean `price`?
    "#]],
    );
    check(
        "t.csv",
        text,
        &column(Column::Name("rent".to_owned())),
        expect![[r#"
        E0302 `data/t.csv` has no column `rent`
        help: it has `city`, `price`, `area`
    "#]],
    );
    check(
        "t.csv",
        "1,2\n",
        &column(Column::Name("rent".to_owned())),
        expect![[r#"
        E0302 `data/t.csv` has no column `rent`
        help: the file has no column with a name
    "#]],
    );
    check(
        "t.csv",
        text,
        &column(Column::Position(4)),
        expect![[r#"
        E0302 `data/t.csv`: it has 3 columns, and column 4 is asked for
        help: is it complete, and in the format it is read as?
    "#]],
    );
    check(
        "t.csv",
        text,
        &column(Column::Name("city".to_owned())),
        expect![[r#"
        E0302 `data/t.csv`, line 2, column 1 (`city`): `Ulm` is not a number
        help: every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
    "#]],
    );
}

#[test]
fn csv_missing_values() {
    check(
        "t.csv",
        "NA,2\n3,NA\n",
        &missing("NA"),
        expect![[r#"
        [2, 2] [0.0, 2.0, 3.0, 0.0] known [0.0, 1.0, 1.0, 0.0]; 2 rows, 2 columns
    "#]],
    );
    check(
        "t.csv",
        "NA\n3\n",
        &missing("NA"),
        expect![[r#"
            [2] [0.0, 3.0] known [0.0, 1.0]; 2 rows, 1 column
        "#]],
    );
    check(
        "t.csv",
        "a,b\n,2\n",
        &missing(""),
        expect![[r#"
        [1, 2] [0.0, 2.0] known [0.0, 1.0] names ["a", "b"]; 1 row, 2 columns
    "#]],
    );
    check(
        "t.csv",
        "nan,2\n",
        &missing("NA"),
        expect![[r#"
            E0303 `data/t.csv`, line 1, column 1: the value is `nan`
            help: one NaN makes every result NaN; `missing = "nan"` reads it as a missing value, with the mask `known(…)`
        "#]],
    );
}

#[test]
fn csv_faults() {
    csv(
        "",
        expect![[r#"
        E0302 `data/t.csv`: it is empty
        help: is it complete, and in the format it is read as?
    "#]],
    );
    csv(
        "a,b\n",
        expect![[r#"
        E0302 `data/t.csv`: it has a line of names and no row under it
        help: is it complete, and in the format it is read as?
    "#]],
    );
    csv(
        "a,b\n1,2\n3\n",
        expect![[r#"
        E0302 `data/t.csv`, line 3: 1 cell where the first row has 2 cells
        help: is it complete, and in the format it is read as?
    "#]],
    );
    csv(
        "# note\na,b\n1,2\n3,4o\n",
        expect![[r#"
        E0302 `data/t.csv`, line 4, column 2 (`b`): `4o` is not a number
        help: every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
    "#]],
    );
    csv(
        "1.O\n2\n",
        expect![[r#"
        E0302 `data/t.csv`, line 1, column 1: `1.O` is not a number
        help: every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
    "#]],
    );
    csv(
        "1,,3\n",
        expect![[r#"
        E0302 `data/t.csv`, line 1, column 2: the cell is empty
        help: every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
    "#]],
    );
    csv(
        "1.0 2.0\n",
        expect![[r#"
        E0302 `data/t.csv`, line 1, column 1: `1.0 2.0` is several numbers; a comma, a semicolon or a tab must part them
        help: every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
    "#]],
    );
    csv(
        "1,inf\n",
        expect![[r#"
            E0303 `data/t.csv`, line 1, column 2: the value is `inf`
            help: one infinite value makes every result infinite or NaN
        "#]],
    );
    csv(
        "1,1e999\n",
        expect![[r#"
            E0303 `data/t.csv`, line 1, column 2: the value is `1e999`
            help: one infinite value makes every result infinite or NaN
        "#]],
    );
}

#[test]
fn missing_files_and_near_names() {
    let files = Memory::default().with("d/lasso_A.csv", "1").with("d/digits.csv.gz", "1").with("lasso_X.csv", "1");
    let say = |path: &str| {
        let error = read(&files, Format::Csv, Path::new(path), &Options::default()).expect_err("it isn't there");
        format!("{} {error}; {}", error.code(), error.help())
    };
    assert_eq!(say("d/lasso_B.csv"), "E0301 there is no file `d/lasso_B.csv`; did you mean `d/lasso_A.csv`?");
    assert_eq!(say("d/digits.csv"), "E0301 there is no file `d/digits.csv`; did you mean `d/digits.csv.gz`?");
    assert_eq!(
        say("d/prices.csv"),
        "E0301 there is no file `d/prices.csv`; a path is relative to the folder of the file that names it"
    );
}

#[test]
fn the_disk() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("b.csv");
    std::fs::write(&path, "1\n2\n").expect("a file for the test");
    let loaded = read(&Disk, Format::Csv, &path, &Options::default()).expect("it was just written");
    assert_eq!(loaded.tensor.to_f64()[..], [1.0, 2.0]);
    let error =
        read(&Disk, Format::Csv, &folder.path().join("c.csv"), &Options::default()).expect_err("it isn't there");
    assert_eq!(error.fault, Fault::Missing { near: Some("b.csv".to_owned()) });
    let error = read(&Disk, Format::Csv, folder.path(), &Options::default()).expect_err("it is a folder");
    assert_eq!(error.fault, Fault::Unreadable { reason: "it is a folder".to_owned() });
}

#[test]
fn npy_types_orders_and_shapes() {
    let case = |header: &str, entries: &[u8], expected: Expect| {
        check("t.npy", npy_file(header, entries), &Options::default(), expected);
    };
    case(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }",
        &[1, 2, 3, 4, 5, 6],
        expect![[r#"
        [2, 3] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; 2 rows, 3 columns
    "#]],
    );
    case(
        "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
        &[1, 2, 3, 4, 5, 6],
        expect![[r#"
        [2, 3] [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]; 2 rows, 3 columns
    "#]],
    );
    case(
        "{'descr': '|i1', 'fortran_order': True, 'shape': (2, 2, 2)}",
        &[0, 1, 2, 3, 4, 5, 6, 7],
        expect![[r#"
        [2, 2, 2] [0.0, 4.0, 2.0, 6.0, 1.0, 5.0, 3.0, 7.0]; an array [2, 2, 2]
    "#]],
    );
    case(
        "{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }",
        &[0xff, 0xfe, 0, 3],
        expect![[r#"
        [2] [-2.0, 3.0]; a vector of 2
    "#]],
    );
    case(
        "{\"shape\": (), \"fortran_order\": False, \"descr\": \"<f4\"}",
        &1.5f32.to_le_bytes(),
        expect![[r#"
        [] [1.5]; one number
    "#]],
    );
    case(
        "{'descr': '|b1', 'fortran_order': False, 'shape': (2L,), }",
        &[0, 1],
        expect![[r#"
        [2] [0.0, 1.0]; a vector of 2
    "#]],
    );
}

#[test]
fn npy_faults() {
    let case = |bytes: Vec<u8>, expected: &str| {
        let error = read_file("t.npy", bytes, &Options::default()).expect_err("it is malformed");
        assert_eq!(error.to_string(), format!("`data/t.npy`{expected}"));
    };
    case(b"1,2,3".to_vec(), ": it isn't an npy file: those begin with \\x93NUMPY");
    case(b"\x93NUMPY\x01".to_vec(), ": it ends within its header");
    case(b"\x93NUMPY\x07\x00aaaa".to_vec(), ": npy has no version 7.0");
    // A version 2 header that claims 4 GiB.
    case(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec(), ": it ends within its header");
    case(npy_file("{}", &[]), ": its header states no `descr` that can be read");
    case(
        npy_file("{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", &[0; 16]),
        ": its entries are of type '<c16', and real numbers are needed",
    );
    case(
        npy_file("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", &[0; 8]),
        ": it holds records, and numbers of one type are needed",
    );
    case(
        npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (200, 50)}", &[0; 80]),
        ": its header says [200, 50], which takes 80000 bytes, and 80 bytes follow",
    );
    case(
        npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", &[0; 80]),
        ": its header says [4294967296, 4294967296], more than any file can hold",
    );
    case(
        npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3)}", &[]),
        ": its shape is [0, 3]: it holds no numbers",
    );
    case(
        npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3)}", &[]),
        ": its header states no `shape` that can be read",
    );
    let nan = Tensor::f64([2, 2], vec![1.0, 2.0, f64::NAN, 4.0]);
    case(npy::write(&nan), ", entry [2, 1]: the value is `NaN`");
}

#[test]
fn nan_may_stand_for_missing_in_binary_files() {
    let nan = npy::write(&Tensor::f64([3], vec![1.0, f64::NAN, 3.0]));
    check(
        "t.npy",
        nan,
        &missing("NaN"),
        expect![[r#"
        [3] [1.0, 0.0, 3.0] known [1.0, 0.0, 1.0]; a vector of 3
    "#]],
    );
    let infinite = npy::write(&Tensor::f64([1], vec![f64::INFINITY]));
    check(
        "t.npy",
        infinite,
        &missing("nan"),
        expect![[r#"
            E0303 `data/t.npy`, entry [1]: the value is `inf`
            help: one infinite value makes every result infinite or NaN
        "#]],
    );
}

#[test]
fn idx_files() {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0, 64, 128, 255]].concat();
    check(
        "train-images.idx3-ubyte",
        images.clone(),
        &Options::default(),
        expect![[r#"
        [1, 2, 2] [0.0, 64.0, 128.0, 255.0]; an array [1, 2, 2]
    "#]],
    );
    check(
        "t.idx",
        &images[..18],
        &Options::default(),
        expect![[r#"
        E0302 `data/t.idx`: its header says [1, 2, 2], which takes 4 bytes, and 2 bytes follow
        help: is it complete, and in the format it is read as?
    "#]],
    );
    check(
        "t.idx",
        [0, 0, 8, 255, 1],
        &Options::default(),
        expect![[r#"
        E0302 `data/t.idx`: it ends within its header, which announces 255 extents
        help: is it complete, and in the format it is read as?
    "#]],
    );
    check(
        "t.idx",
        [0, 0, 10, 0],
        &Options::default(),
        expect![[r#"
        E0302 `data/t.idx`: idx knows no type of entry numbered 0x0a
        help: is it complete, and in the format it is read as?
    "#]],
    );
    for (kind, bytes) in [(0x09, vec![0xff]), (0x0b, vec![0xff, 0xff]), (0x0c, vec![0xff; 4])] {
        let file = [&[0, 0, kind, 1, 0, 0, 0, 1][..], &bytes].concat();
        assert_eq!(read_file("t.idx", file, &Options::default()).expect("it is whole").tensor.to_f64()[..], [-1.0]);
    }
}

#[test]
fn archives_and_networks_by_key() {
    let (a, b) = (small(), Tensor::f32([2], vec![0.5, -1.0]));
    let archive = npz::write([("A", &a), ("b", &b)]).expect("memory takes every byte");
    let tensors = safetensors::write([("A", &a), ("b", &b)]);
    for (name, bytes) in [("t.npz", archive), ("t.safetensors", tensors)] {
        assert_eq!(read_file(name, &bytes[..], &key("A")).expect("it is there").tensor, a, "{name}");
        assert_eq!(read_file(name, &bytes[..], &key("b")).expect("it is there").tensor, b.cast(Dtype::F64), "{name}");
        let path = Path::new(name);
        let all = read_named(&Memory::default().with(path, bytes.clone()), path).expect("it is whole");
        assert_eq!(all, [("A".to_owned(), a.clone()), ("b".to_owned(), b.cast(Dtype::F64))], "{name}");
        let what = if name == "t.npz" { "array" } else { "tensor" };
        let error = read_file(name, &bytes[..], &key("a")).expect_err("names are exact");
        assert_eq!(error.to_string(), format!("`data/{name}` has no {what} `a`"));
        assert_eq!(error.help(), "did you mean `A`?");
        let error = read_file(name, bytes, &Options::default()).expect_err("there are two");
        assert_eq!(error.to_string(), format!("`data/{name}` holds 2 {what}s: say which"));
        assert_eq!(error.help(), "it has `A`, `b`");
    }
    let alone = npz::write([("x", &a)]).expect("memory takes every byte");
    assert_eq!(read_file("t.npz", alone, &Options::default()).expect("it is the only one").tensor, a);
}

#[test]
fn what_is_written_is_read_back() {
    for tensor in [
        small(),
        Tensor::scalar(-0.0),
        Tensor::f32([1, 1, 2], vec![1.0, f32::MIN_POSITIVE]),
        Tensor::index([2], vec![0, u32::MAX]),
    ] {
        assert_eq!(npy::read(&npy::write(&tensor)), Ok(tensor.cast(Dtype::F64)));
        assert_eq!(safetensors::read(&safetensors::write([("x", &tensor)]), None), Ok(tensor.cast(Dtype::F64)));
    }
    assert_eq!(npy::write(&small()).len(), 128 + 48, "entries start at a multiple of 64");
}

#[test]
fn gzip_is_told_by_its_first_bytes() {
    let packed = gzipped(b"1\n2\n");
    check(
        "t.csv",
        packed.clone(),
        &Options::default(),
        expect![[r#"
            [2] [1.0, 2.0]; 2 rows, 1 column
        "#]],
    );
    check(
        "t.csv.gz",
        [packed.clone(), gzipped(b"3\n")].concat(),
        &Options::default(),
        expect![[r#"
            [3] [1.0, 2.0, 3.0]; 3 rows, 1 column
        "#]],
    );
    check(
        "t.csv.gz",
        &packed[..packed.len() - 6],
        &Options::default(),
        expect![[r#"
        E0302 `data/t.csv.gz`: the gzip stream is damaged (unexpected end of file)
        help: is it complete, and in the format it is read as?
    "#]],
    );
    check(
        "t.csv.gz",
        "1\n2\n",
        &Options::default(),
        expect![[r#"
            [2] [1.0, 2.0]; 2 rows, 1 column
        "#]],
    );
}

/// Every format under a few thousand seeded mutations: an answer or a fault, never a panic, and
/// never more numbers than the file has bytes.
#[test]
fn mutated_files_are_answered() {
    let tensor = small();
    let npy = npy::write(&tensor);
    let npz = npz::write([("A", &tensor), ("b", &tensor)]).expect("memory takes every byte");
    let csv = b"a,b\n1,2\n3,4.5e-3\n\"5\",6\n".to_vec();
    let idx = [&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat();
    let safetensors = safetensors::write([("A", &tensor), ("b", &tensor)]);
    let packed = gzipped(&csv);
    let mut random = Random(2018);
    for (name, valid, rounds) in [
        ("t.csv", csv, 4000),
        ("t.npy", npy, 4000),
        ("t.npz", npz, 2000),
        ("t.idx", idx, 4000),
        ("t.safetensors", safetensors, 4000),
        ("t.csv.gz", packed, 4000),
    ] {
        for round in 0..rounds {
            let bytes = mutate(&valid, &mut random);
            let length = bytes.len();
            let options = if round % 2 == 0 { Options::default() } else { key("A") };
            if let Ok(loaded) = read_file(name, bytes, &options) {
                let most = if name.ends_with(".gz") { 1100 * length } else { length };
                assert!(loaded.tensor.numel() <= most, "{name}, round {round}: {}", loaded.tensor.shape);
                assert!(loaded.tensor.to_f64().iter().all(|value| value.is_finite()), "{name}, round {round}");
            }
        }
    }
}

/// Flips, overwrites, cuts, repeats: one to four of them.
pub(super) fn mutate(valid: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().max(1));
        match random.below(6) {
            _ if bytes.is_empty() => bytes.push(random.below(256) as u8),
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            2 => bytes[at] = [0, 0xff, 0x7f, b'9', b'('][random.below(5)],
            3 => bytes.truncate(at),
            4 => bytes.insert(at, random.below(256) as u8),
            _ => bytes.extend_from_within(at..),
        }
    }
    bytes
}

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(super) struct Random(pub u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

#[test]
fn formats_by_name() {
    for &format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
        assert_eq!(Format::of_path(Path::new(&format!("a/b.{}.GZ", format.name()))), Some(format));
    }
    assert_eq!(Format::of_path(Path::new("b.feather")), None);
    assert_eq!(read_file("t.csv", "1", &Options::default()).expect("a number").tensor.shape, Shape::vector(1));
}

fn mtx(text: &str, expected: Expect) {
    check("A.mtx", text, &Options::default(), expected);
}

#[test]
fn matrix_market_coordinates_stay_sparse() {
    // Rows out of order, an empty row, a comment, a zero, and two entries of one place.
    let text = "%%MatrixMarket matrix coordinate real general\n% by hand\n4 3 6\n3 3 -1.5\n1 2 2\n1 1 1e-3\n\n4 1 0\n3 3 1\n3 1 1.0D+2\n";
    mtx(
        text,
        expect![[r#"
        [4] [0.001, 2.0, 100.0, -0.5] of [4, 3] at [0.0, 2.0, 2.0, 4.0, 4.0] [0.0, 1.0, 0.0, 2.0]; 4 rows, 3 columns, 4 entries
    "#]],
    );
    check(
        "A.mtx",
        gzipped(text.as_bytes()),
        &Options::default(),
        expect![[r#"
        [4] [0.001, 2.0, 100.0, -0.5] of [4, 3] at [0.0, 2.0, 2.0, 4.0, 4.0] [0.0, 1.0, 0.0, 2.0]; 4 rows, 3 columns, 4 entries
    "#]],
    );
    mtx(
        "%%MatrixMarket matrix coordinate integer symmetric\n3 3 3\n1 1 2\n2 1 -1\n3 2 7\n",
        expect![[r#"
        [5] [2.0, -1.0, -1.0, 7.0, 7.0] of [3, 3] at [0.0, 2.0, 4.0, 5.0] [0.0, 1.0, 0.0, 2.0, 1.0]; 3 rows, 3 columns, 5 entries
    "#]],
    );
    mtx(
        "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 3\n",
        expect![[r#"
        [2] [-3.0, 3.0] of [2, 2] at [0.0, 1.0, 2.0] [1.0, 0.0]; 2 rows, 2 columns, 2 entries
    "#]],
    );
    mtx(
        "%%matrixmarket MATRIX Coordinate Pattern General\n2 2 2\n1 2\n2 1\n",
        expect![[r#"
        [2] [1.0, 1.0] of [2, 2] at [0.0, 1.0, 2.0] [1.0, 0.0]; 2 rows, 2 columns, 2 entries
    "#]],
    );
    mtx(
        "%%MatrixMarket matrix coordinate real general\n2 2 0\n",
        expect![[r#"
        [0] [] of [2, 2] at [0.0, 0.0, 0.0] []; 2 rows, 2 columns, 0 entries
    "#]],
    );
    mtx(
        "%%MatrixMarket matrix coordinate real general\n3 1 1\n2 1 5\n",
        expect![[r#"
        [3] [0.0, 5.0, 0.0]; 3 rows, 1 column
    "#]],
    );
}

#[test]
fn matrix_market_arrays_are_dense() {
    mtx(
        "%%MatrixMarket matrix array real general\n2 3\n1\n4\n2\n5\n3\n6\n",
        expect![[r#"
        [2, 3] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; 2 rows, 3 columns
    "#]],
    );
    mtx(
        "%%MatrixMarket matrix array integer general\n3 1\n1 2 3\n",
        expect![[r#"
        [3] [1.0, 2.0, 3.0]; 3 rows, 1 column
    "#]],
    );
    mtx(
        "%%MatrixMarket matrix array real symmetric\n2 2\n1\n2\n3\n",
        expect![[r#"
        [2, 2] [1.0, 2.0, 2.0, 3.0]; 2 rows, 2 columns
    "#]],
    );
    mtx(
        "%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n",
        expect![[r#"
        [3, 3] [0.0, -1.0, -2.0, 1.0, 0.0, -3.0, 2.0, 3.0, 0.0]; 3 rows, 3 columns
    "#]],
    );
}

#[test]
fn matrix_market_faults() {
    let coordinates = |lines: &str| format!("%%MatrixMarket matrix coordinate real general\n{lines}");
    for (text, expected) in [
        (
            String::new(),
            expect![[r#"
            E0302 `data/A.mtx`, line 1: `` is no first line of a MatrixMarket file, `%%MatrixMarket matrix coordinate real general`
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "1 1 1\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 1: `1 1 1` is no first line of a MatrixMarket file, `%%MatrixMarket matrix coordinate real general`
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 1: `complex` is not read; `real`, `integer`, and `pattern` of coordinates, are
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix coordinate real hermitian\n1 1 1\n1 1 1\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 1: `hermitian` is not read; `general`, `symmetric` and `skew-symmetric` are
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix array pattern general\n1 1\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 1: `pattern` is not read; `real`, `integer`, and `pattern` of coordinates, are
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            coordinates("% nothing\n"),
            expect![[r#"
            E0302 `data/A.mtx`: it ends before the line with its numbers of rows and columns
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            coordinates("2 2\n1 1 1\n"),
            expect![[r#"
            E0302 `data/A.mtx`, line 2: has 2 numbers where its numbers of rows, columns, entries stand
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            coordinates("2 x 1\n1 1 1\n"),
            expect![[r#"
                E0302 `data/A.mtx`, line 2: `x` is no number of columns
                help: is it complete, and in the format it is read as?
            "#]],
        ),
        (
            coordinates("0 2 0\n"),
            expect![[r#"
            E0302 `data/A.mtx`, line 2: says 0 × 2, which a file of 52 bytes can't mean
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            coordinates("99999999999 2 0\n"),
            expect![[r#"
            E0302 `data/A.mtx`, line 2: says 99999999999 × 2, which a file of 62 bytes can't mean
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            coordinates("2 2 1\n3 1 1\n"),
            expect![[r#"
                E0302 `data/A.mtx`, line 3: `3` lies outside: there are 2 rows, counted from 1
                help: is it complete, and in the format it is read as?
            "#]],
        ),
        (
            coordinates("2 2 1\n1 0 1\n"),
            expect![[r#"
                E0302 `data/A.mtx`, line 3: `0` lies outside: there are 2 columns, counted from 1
                help: is it complete, and in the format it is read as?
            "#]],
        ),
        (
            coordinates("2 2 1\n1 1.5 1\n"),
            expect![[r#"
                E0302 `data/A.mtx`, line 3: `1.5` is no whole number to count columns by
                help: is it complete, and in the format it is read as?
            "#]],
        ),
        (
            coordinates("2 2 1\n1 1\n"),
            expect![[r#"
            E0302 `data/A.mtx`, line 3: has 2 numbers where row, column and value stand
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            coordinates("2 2 1\n1 1 one\n"),
            expect![[r#"
                E0302 `data/A.mtx`, line 3: `one` is not a number
                help: is it complete, and in the format it is read as?
            "#]],
        ),
        (
            coordinates("2 2 1\n1 1 inf\n"),
            expect![[r#"
            E0303 `data/A.mtx`, line 3, column 3: the value is `inf`
            help: one infinite value makes every result infinite or NaN
        "#]],
        ),
        (
            coordinates("2 2 3\n1 1 1\n"),
            expect![[r#"
            E0302 `data/A.mtx`, line 2: says 3 entries, and 1 follow
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix coordinate real symmetric\n2 3 0\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 2: says 2 × 3, which is not square as a symmetric matrix is
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 3: lies above the diagonal of a symmetric matrix
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 2 1\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 3: lies on the diagonal of a skew-symmetric matrix
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 2: asks for 4 values, and 3 follow
            help: is it complete, and in the format it is read as?
        "#]],
        ),
        (
            "%%MatrixMarket matrix array real general\n1000000 1000000\n1\n".to_owned(),
            expect![[r#"
            E0302 `data/A.mtx`, line 2: says 1000000 × 1000000, which 59 bytes can't hold
            help: is it complete, and in the format it is read as?
        "#]],
        ),
    ] {
        mtx(&text, expected);
    }
}

/// A PNG file of those samples.
fn png_file(color: ::png::ColorType, depth: ::png::BitDepth, width: u32, height: u32, samples: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ::png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 0, 51]);
    }
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(samples)?;
        writer.finish()
    });
    written.expect("memory takes every byte");
    bytes
}

#[test]
fn png_images() {
    use ::png::{BitDepth, ColorType};
    let grey = png_file(ColorType::Grayscale, BitDepth::Eight, 3, 2, &[0, 51, 102, 153, 204, 255]);
    let files = [
        grey.clone(),
        gzipped(&grey),
        // Four bits, a row a byte and a half.
        png_file(ColorType::Grayscale, BitDepth::Four, 3, 1, &[0x0f, 0x30]),
        png_file(ColorType::Grayscale, BitDepth::Sixteen, 1, 2, &[0xff, 0xff, 0x33, 0x33]),
        png_file(ColorType::GrayscaleAlpha, BitDepth::Eight, 2, 1, &[51, 255, 102, 0]),
        png_file(ColorType::Rgb, BitDepth::Eight, 1, 2, &[255, 0, 51, 0, 102, 255]),
        png_file(ColorType::Rgba, BitDepth::Eight, 1, 1, &[255, 0, 51, 7]),
        png_file(ColorType::Indexed, BitDepth::One, 2, 1, &[0x40]),
    ];
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    check_each(
        "a.png",
        &files,
        expect![[r#"
            [2, 3] [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]; 2 rows, 3 columns
            [2, 3] [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]; 2 rows, 3 columns
            [1, 3] [0.0, 1.0, 0.2]; 1 row, 3 columns
            [2, 1] [1.0, 0.2]; 2 rows, 1 column
            [1, 2] [0.2, 0.4]; 1 row, 2 columns
            [2, 1, 3] [1.0, 0.0, 0.2, 0.0, 0.4, 1.0]; an array [2, 1, 3]
            [1, 1, 3] [1.0, 0.0, 0.2]; an array [1, 1, 3]
            [1, 2, 3] [0.0, 0.0, 0.0, 1.0, 0.0, 0.2]; an array [1, 2, 3]
        "#]],
    );
}

#[test]
fn png_faults() {
    let whole = png_file(::png::ColorType::Grayscale, ::png::BitDepth::Eight, 2, 2, &[1, 2, 3, 4]);
    // A width of 2²⁴ and more, behind a checksum that is not that of it.
    let mut wide = whole.clone();
    wide[16] = 1;
    check_each(
        "a.png",
        &[b"GIF89a", &whole[..8], &whole[..whole.len() - 20], &wide],
        expect![[r#"
            E0302 `data/a.png`: it is no PNG image: those begin with the bytes 89 50 4E 47
            E0302 `data/a.png`: the PNG image is damaged (unexpected end of file)
            E0302 `data/a.png`: the PNG image is damaged (unexpected end of file)
            E0302 `data/a.png`: the PNG image is damaged (CRC error: expected 0x57dd52f8 have 0x8a4b8b7d)
        "#]],
    );
    for at in 0..whole.len() {
        // Whatever byte is damaged, and wherever it ends, there is an answer.
        let mut damaged = whole.clone();
        damaged[at] ^= 0x5a;
        drop(read_file("a.png", damaged, &Options::default()));
        drop(read_file("a.png", &whole[..at], &Options::default()));
    }
}

#[test]
fn portable_maps() {
    check_each(
        "a.pgm",
        &[
            b"P2 # grey\n# two lines\n3 2\n4\n0 1 2\n3 4 0\n",
            b"P5 2 2 255\n\x00\x33\x66\xff",
            b"P5\n1 2\n1000\n\x03\xe8\x01\xf4",
            b"P3 1 1 2 0 1 2",
            // The first of two images, whose first byte is a line's end.
            b"P6 1 1 255\n\n\x33\xffP6 1 1 255\n...",
            // The first of two images in text, and values that belong to none.
            b"P2 2 1 4\n0 1\nP2 1 1 4\n9\n",
            b"P2 2 1 4\n0 1 2 3",
        ],
        expect![[r#"
            [2, 3] [0.0, 0.25, 0.5, 0.75, 1.0, 0.0]; 2 rows, 3 columns
            [2, 2] [0.0, 0.2, 0.4, 1.0]; 2 rows, 2 columns
            [2, 1] [1.0, 0.5]; 2 rows, 1 column
            [1, 1, 3] [0.0, 0.5, 1.0]; an array [1, 1, 3]
            [1, 1, 3] [0.0392156862745098, 0.2, 1.0]; an array [1, 1, 3]
            [1, 2] [0.0, 0.25]; 1 row, 2 columns
            [1, 2] [0.0, 0.25]; 1 row, 2 columns
        "#]],
    );
}

#[test]
fn faults_of_portable_maps() {
    check_each(
        "a.pgm",
        &[
            b"P4 1 1\n\x00",
            b"P5 0 2 255\n",
            b"P5 2",
            b"P5 2 2 70000\n....",
            b"P5 99999999999 99999999999 255\n....",
            b"P5 2 2 255\n...",
            b"P5 2 1 100\n\x00\xff",
            b"P2 2 1 4\n0 5\n",
            b"P2 2 1 4\n0 one\n",
            b"P2 2 2 4\n0 1 2\n",
        ],
        expect![[r#"
            E0302 `data/a.pgm`: it is no grey map or pixel map: those begin with P2, P5, P3 or P6
            E0302 `data/a.pgm`: `0` is no width of an image
            E0302 `data/a.pgm`: it ends before the height of its image
            E0302 `data/a.pgm`: its greatest value is 70000, and 65535 is allowed
            E0302 `data/a.pgm`: its header says 99999999999 × 99999999999, which 35 bytes can't hold
            E0302 `data/a.pgm`: its header asks for 4 values, and 3 follow
            E0302 `data/a.pgm`: value 2 of the image is 255, above 100
            E0302 `data/a.pgm`: `5` is no value from 0 to 4 (value 2 of the image)
            E0302 `data/a.pgm`: `one` is no value from 0 to 4 (value 2 of the image)
            E0302 `data/a.pgm`: its header asks for 4 values, and 3 follow
        "#]],
    );
}
