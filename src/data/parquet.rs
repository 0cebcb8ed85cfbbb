//! Parquet: tables by columns, as data frames write them.
//!
//! Columns of numbers and of booleans are read, packed by snappy, gzip, LZ4 or not at all; one column
//! gives a vector, several a matrix. A cell without a value (null) or with a NaN is missing, where missing
//! values were announced.

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::csv;
use super::errors::{Fault, Place};
use super::{Loaded, Options, counted};
use crate::tape::{Shape, Tensor};

/// Cells that are decoded at once.
const BATCH: usize = 8192;

pub(super) fn read(bytes: Vec<u8>, options: &Options) -> Result<Loaded, Fault> {
    if !bytes.starts_with(b"PAR1") {
        return Err(Fault::malformed("it isn't a parquet file: those begin with PAR1"));
    }
    let file = SerializedFileReader::new(Bytes::from(bytes)).map_err(unreadable)?;
    let schema = file.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    let chosen = match &options.column {
        Some(column) => vec![csv::find(column, Some(&names), names.len())?],
        None => (0..names.len()).collect(),
    };
    let mut columns = Vec::with_capacity(chosen.len());
    for &at in &chosen {
        columns.push(column(&file, &schema.column(at), at, options.missing.is_some())?);
    }
    let rows = columns.first().map_or(0, Vec::len);
    if rows == 0 || columns.iter().any(|column| column.len() != rows) {
        return Err(Fault::malformed(if rows == 0 { "it holds no rows" } else { "its columns differ in length" }));
    }
    let header = match &options.column {
        Some(_) => format!("{} of column `{}`", counted(rows, "row"), names[chosen[0]]),
        None => format!("{}, {}", counted(rows, "row"), counted(columns.len(), "column")),
    };
    let shape = if columns.len() == 1 { Shape::vector(rows) } else { Shape::matrix(rows, columns.len()) };
    // Row by row, as a tensor is.
    let cells = || (0..rows).flat_map(|row| columns.iter().map(move |column| column[row]));
    let values = cells().map(|cell| cell.unwrap_or(0.0)).collect();
    let known = cells().map(|cell| f64::from(u8::from(cell.is_some()))).collect();
    let known = options.missing.is_some().then(|| Tensor::f64(shape.clone(), known));
    Ok(Loaded { tensor: Tensor::f64(shape, values), pattern: None, known, columns: Some(names), header })
}

/// The cells of the column at position `at`, the missing ones `None`.
fn column(
    file: &SerializedFileReader<Bytes>,
    what: &ColumnDescriptor,
    at: usize,
    missing: bool,
) -> Result<Vec<Option<f64>>, Fault> {
    let name = what.path().string();
    if let Some(other) = not_numbers(what) {
        let reason = format!("it holds {other}, not numbers");
        return Err(Fault::Malformed { place: Some(Place::Column(name)), text: None, reason });
    }
    let mut cells = Vec::new();
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(unreadable)?;
        chunk(&*group, what, at, &mut cells).map_err(unreadable)?;
    }
    for (row, cell) in cells.iter_mut().enumerate() {
        let place = || Place::Row { row: row + 1, column: name.clone() };
        match cell {
            Some(value) if value.is_finite() => {}
            Some(value) if value.is_nan() && missing => *cell = None,
            Some(value) => return Err(Fault::NotFinite { place: place(), text: value.to_string() }),
            None if missing => {}
            None => {
                let reason = "the cell holds no value; `missing = \"null\"` announces such cells".to_owned();
                return Err(Fault::Malformed { place: Some(place()), text: None, reason });
            }
        }
    }
    Ok(cells)
}

/// Appends a row group's cells of the column.
fn chunk(
    group: &dyn RowGroupReader,
    what: &ColumnDescriptor,
    at: usize,
    cells: &mut Vec<Option<f64>>,
) -> Result<(), ParquetError> {
    let unsigned = is_unsigned(what);
    match group.get_column_reader(at)? {
        ColumnReader::BoolColumnReader(reader) => decode(reader, what, cells, |x| f64::from(u8::from(x))),
        ColumnReader::Int32ColumnReader(reader) if unsigned => decode(reader, what, cells, |x| f64::from(x as u32)),
        ColumnReader::Int32ColumnReader(reader) => decode(reader, what, cells, f64::from),
        ColumnReader::Int64ColumnReader(reader) if unsigned => decode(reader, what, cells, |x| x as u64 as f64),
        ColumnReader::Int64ColumnReader(reader) => decode(reader, what, cells, |x| x as f64),
        ColumnReader::FloatColumnReader(reader) => decode(reader, what, cells, f64::from),
        ColumnReader::DoubleColumnReader(reader) => decode(reader, what, cells, |x| x),
        _ => Err(ParquetError::General("a column of a type that holds no numbers".to_owned())),
    }
}

/// Appends what a reader gives: a level below the greatest is a cell without a value.
fn decode<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    what: &ColumnDescriptor,
    cells: &mut Vec<Option<f64>>,
    number: fn(T::T) -> f64,
) -> Result<(), ParquetError> {
    let full = what.max_def_level();
    let (mut values, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    loop {
        values.clear();
        levels.clear();
        let (records, ..) = reader.read_records(BATCH, (full > 0).then_some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Ok(());
        }
        let mut values = values.drain(..).map(number);
        match full {
            0 => cells.extend(values.map(Some)),
            _ => cells.extend(levels.iter().map(|&level| if level == full { values.next() } else { None })),
        }
    }
}

/// Whether whole numbers have no sign, as older or newer writers say it.
fn is_unsigned(what: &ColumnDescriptor) -> bool {
    match what.logical_type_ref() {
        Some(LogicalType::Integer(own)) => !own.is_signed,
        _ => matches!(
            what.converted_type(),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
        ),
    }
}

/// What a column holds, where that is no plain number.
fn not_numbers(what: &ColumnDescriptor) -> Option<&'static str> {
    if what.max_rep_level() > 0 {
        return Some("lists");
    }
    let logical = match what.logical_type_ref() {
        None | Some(LogicalType::Integer(_) | LogicalType::Unknown) => None,
        Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => Some("text"),
        Some(LogicalType::Decimal(_)) => Some("decimals"),
        Some(LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_)) => Some("dates or times"),
        Some(_) => Some("something else"),
    };
    let converted = match what.converted_type() {
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Some("text"),
        ConvertedType::DECIMAL => Some("decimals"),
        ConvertedType::DATE
        | ConvertedType::TIME_MILLIS
        | ConvertedType::TIME_MICROS
        | ConvertedType::TIMESTAMP_MILLIS
        | ConvertedType::TIMESTAMP_MICROS => Some("dates or times"),
        _ => None,
    };
    let physical = match what.physical_type() {
        Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => Some("bytes"),
        Type::INT96 => Some("dates or times"),
        _ => None,
    };
    logical.or(converted).or(physical)
}

/// The library's words.
fn unreadable(error: ParquetError) -> Fault {
    let text = match error {
        ParquetError::General(text) | ParquetError::NYI(text) | ParquetError::EOF(text) => text,
        other => other.to_string(),
    };
    // Their decoders are written in C, or large.
    if let Some(packed) = ["zstd", "brotli"].into_iter().find(|name| text.contains(name)) {
        return Fault::malformed(format!("it is packed by {packed}, which isn't read; write it with snappy or gzip"));
    }
    Fault::malformed(format!("its columns can't be decoded ({text})"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::super::tests::{Random, mutate};
    use super::*;
    use crate::data::{Column, DataError};

    /// Two rows to a group; columns packed in several ways; written by pyarrow.
    const KINDS: &[u8] = include_bytes!("../../tests/cases/data/kinds.parquet");

    fn said(bytes: &[u8], column: Column, missing: Option<&str>) -> String {
        let options = Options { column: Some(column), missing: missing.map(str::to_owned), key: None };
        match read(bytes.to_vec(), &options) {
            Ok(loaded) => {
                let known = loaded.known.map_or(String::new(), |known| format!(" known {:?}", known.to_f64()));
                format!("{:?}{known}", loaded.tensor.to_f64())
            }
            Err(fault) => {
                let error = DataError::new(Path::new("kinds.parquet"), fault);
                format!("{} {error}\n    {}", error.code(), error.help())
            }
        }
    }

    fn check(columns: &[&str], missing: Option<&str>, expected: Expect) {
        let line = |name: &&str| format!("{name}: {}\n", said(KINDS, Column::Name(name.to_string()), missing));
        expected.assert_eq(&columns.iter().map(line).collect::<String>());
    }

    #[test]
    fn numbers_of_every_kind() {
        let columns = ["small", "long", "unsigned", "huge", "flag", "single", "price"];
        check(
            &columns,
            None,
            expect![[r#"
            small: [-1.0, 2.0, 3.0, 4.0, 5.0]
            long: [1.0, 2.0, 3.0, 4.0, 1099511627776.0]
            unsigned: [1.0, 2.0, 3.0, 4.0, 4294967295.0]
            huge: [1.0, 2.0, 3.0, 4.0, 9.223372036854776e18]
            flag: [1.0, 0.0, 1.0, 1.0, 0.0]
            single: [0.5, 1.5, 2.5, 3.5, 4.5]
            price: [0.1, 0.2, 0.1, 0.2, 0.1]
        "#]],
        );
        check(
            &["gaps", "none at all"],
            Some("null"),
            expect![[r#"
            gaps: [1.0, 0.0, 3.0, 0.0, 5.0] known [1.0, 0.0, 1.0, 0.0, 1.0]
            none at all: [0.0, 0.0, 0.0, 0.0, 0.0] known [0.0, 0.0, 0.0, 0.0, 0.0]
        "#]],
        );
    }

    #[test]
    fn what_is_no_number_is_named() {
        let columns = ["gaps", "none at all", "city", "day", "cost", "list.list.element", "prize"];
        check(
            &columns,
            None,
            expect![[r#"
                gaps: E0302 `kinds.parquet`, row 2 of column `gaps`: the cell holds no value; `missing = "null"` announces such cells
                    every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
                none at all: E0302 `kinds.parquet`, row 1 of column `none at all`: the cell holds no value; `missing = "null"` announces such cells
                    every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
                city: E0302 `kinds.parquet`, column `city`: it holds text, not numbers
                    every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
                day: E0302 `kinds.parquet`, column `day`: it holds dates or times, not numbers
                    every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
                cost: E0302 `kinds.parquet`, column `cost`: it holds decimals, not numbers
                    every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
                list.list.element: E0302 `kinds.parquet`, column `list.list.element`: it holds lists, not numbers
                    every cell must be a number; `missing = "NA"` announces cells without a value, `column = "name"` takes one column
                prize: E0302 `kinds.parquet` has no column `prize`
                    did you mean `price`?
            "#]],
        );
        let all = |bytes: &[u8]| {
            let error = read(bytes.to_vec(), &Options::default()).expect_err("it can't be read");
            format!("{}\n", DataError::new(Path::new("t.parquet"), error))
        };
        let zstd = include_bytes!("../../tests/cases/data/zstd.parquet");
        expect![[r#"
            `t.parquet`, row 2 of column `gaps`: the cell holds no value; `missing = "null"` announces such cells
            `t.parquet`: its columns can't be decoded (Invalid Parquet file. Corrupt footer)
            `t.parquet`: its columns can't be decoded (Parquet file too small. Size is 4 but need 8)
            `t.parquet`: it isn't a parquet file: those begin with PAR1
            `t.parquet`: it is packed by zstd, which isn't read; write it with snappy or gzip
        "#]]
        .assert_eq(&[KINDS, &KINDS[..KINDS.len() - 9], b"PAR1", b"a,b\n1,2\n", zstd].map(all).concat());
        expect![[r#"
            E0302 `kinds.parquet`: it has 13 columns, and column 14 is asked for
                is it complete, and in the format it is read as?"#]]
        .assert_eq(&said(KINDS, Column::Position(14), None));
    }

    /// As the other formats in the module above.
    #[test]
    fn mutated_files_are_answered() {
        let mut random = Random(2013);
        for round in 0..4000 {
            let bytes = mutate(KINDS, &mut random);
            let column = Some(Column::Position(1 + round % 13));
            let options = Options { column, missing: Some("null".to_owned()), key: None };
            if let Ok(loaded) = read(bytes, &options) {
                assert!(loaded.tensor.to_f64().iter().all(|value| value.is_finite()), "round {round}");
            }
        }
    }
}
