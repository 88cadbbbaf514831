//! Answers as a Parquet file: for DuckDB, pandas, Spark and whatever else reads columns.
//!
//! Texts are UTF-8. A number is a decimal of 38 digits with the decimals of the finest number in its column, so that no
//! reader gets a rounded amount; never a floating-point number. The same table gives the same bytes. What the file is about
//! (position, checkpoint, notices) stands in its key-value metadata. Only writing: nothing is read back here.

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};

use crate::output::{Cell, Column, Rows};

/// Digits of a number.
const PRECISION: i32 = 38;
/// Bytes of a number.
const WIDTH: i32 = 16;
/// Rows written together; more are never held twice.
const GROUP: usize = 65_536;

/// Why a Parquet file cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ColumnarError {
    /// A cell of a column of numbers is none, or has more than 38 digits.
    #[error("row {row}, column `{column}`: `{value}` is not a decimal number of at most 38 digits")]
    NotANumber {
        /// From 1.
        row: usize,
        /// Its key.
        column: &'static str,
        /// The cell.
        value: String,
    },
    /// The writer failed.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// Writes rows, with `about` as the file's metadata. They are asked for twice: the decimals of a column are known only when
/// all have been seen.
pub fn write(
    out: impl Write + Send,
    rows: &dyn Rows,
    about: &[(String, String)],
) -> Result<(), ColumnarError> {
    let columns = rows.columns();
    let mut scales = vec![0; columns.len()];
    for row in rows.rows() {
        scales.iter_mut().zip(&*row).for_each(|(scale, cell)| *scale = decimals(cell).max(*scale));
    }
    let schema = schema(columns, &scales)?;
    let pairs = about.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    let properties = WriterProperties::builder()
        .set_created_by("hefu".to_owned())
        .set_key_value_metadata(Some(pairs))
        .build();
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let (mut left, mut before) = (rows.rows(), 0);
    loop {
        let some: Vec<_> = left.by_ref().take(GROUP).collect();
        if some.is_empty() {
            break;
        }
        let mut group = file.next_row_group()?;
        for (at, (column, scale)) in columns.iter().zip(&scales).enumerate() {
            let cells = some.iter().map(|row| &row[at]);
            if column.numeric {
                numbers(&mut group, cells, column, *scale, before)?;
            } else {
                texts(&mut group, cells)?;
            }
        }
        group.close()?;
        before += some.len();
    }
    file.close()?;
    Ok(())
}

fn schema(columns: &[Column], scales: &[i32]) -> Result<TypePtr, ParquetError> {
    let field = |(column, scale): (&Column, &i32)| {
        let field = if column.numeric {
            Type::primitive_type_builder(column.key, Physical::FIXED_LEN_BYTE_ARRAY)
                .with_length(WIDTH)
                .with_logical_type(Some(LogicalType::decimal(*scale, PRECISION)))
                .with_converted_type(ConvertedType::DECIMAL)
                .with_precision(PRECISION)
                .with_scale(*scale)
        } else {
            Type::primitive_type_builder(column.key, Physical::BYTE_ARRAY)
                .with_logical_type(Some(LogicalType::String))
                .with_converted_type(ConvertedType::UTF8)
        };
        field.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
    };
    let fields = columns.iter().zip(scales).map(field).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("hefu").with_fields(fields).build()?))
}

/// The decimals of a cell.
fn decimals(cell: &Cell) -> i32 {
    let after = cell.as_str().split_once('.').map_or(0, |(_, fraction)| fraction.len());
    i32::try_from(after).unwrap_or(PRECISION).min(PRECISION)
}

fn texts<'c, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = &'c Cell>,
) -> Result<(), ColumnarError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let there = !matches!(cell, Cell::Null);
        levels.push(i16::from(there));
        if there {
            values.push(ByteArray::from(cell.as_str()));
        }
    }
    if let Some(mut column) = group.next_column()? {
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}

fn numbers<'c, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = &'c Cell>,
    title: &Column,
    scale: i32,
    before: usize,
) -> Result<(), ColumnarError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for (place, cell) in cells.enumerate() {
        let there = !matches!(cell, Cell::Null);
        levels.push(i16::from(there));
        if there {
            let minor = minor(cell.as_str(), scale).ok_or_else(|| ColumnarError::NotANumber {
                row: before + place + 1,
                column: title.key,
                value: cell.as_str().to_owned(),
            })?;
            values.push(FixedLenByteArray::from(minor.to_be_bytes().to_vec()));
        }
    }
    if let Some(mut column) = group.next_column()? {
        column.typed::<FixedLenByteArrayType>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}

/// A decimal text in units of 10^−scale, if it has at most 38 digits there.
fn minor(text: &str, scale: i32) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    let missing = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    if whole.is_empty() || !plain {
        return None;
    }
    let all = format!("{whole}{fraction}{}", "0".repeat(missing));
    let significant = all.trim_start_matches('0');
    let fits = significant.len() <= usize::try_from(PRECISION).ok()?;
    let value: i128 = if significant.is_empty() { 0 } else { significant.parse().ok().filter(|_| fits)? };
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use parquet::{
        file::{
            metadata::RowGroupMetaData,
            reader::{FileReader, SerializedFileReader},
        },
        record::RowAccessor,
    };

    use super::*;
    use crate::output::Table;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::text("region", "地区", "Region"),
            Column::number("shared", "共享口径", "Shared"),
        ]);
        table.rows.push(vec![Cell::text("330108"), Cell::number("-12345678901234567890.01")]);
        table.rows.push(vec![Cell::Null, Cell::Null]);
        table.rows.push(vec![Cell::text("江山"), Cell::number("7")]);
        table
    }

    #[test]
    fn what_is_written_reads_back_with_every_digit() {
        let about = [("hefu.position".to_owned(), "17".to_owned())];
        let mut file = Vec::new();
        write(&mut file, &table(), &about).unwrap();
        let mut again = Vec::new();
        write(&mut again, &table(), &about).unwrap();
        assert_eq!(file, again, "the same table gives the same bytes");
        let mut kept = tempfile::tempfile().unwrap();
        kept.write_all(&file).unwrap();
        let read = SerializedFileReader::new(kept).unwrap();
        let metadata = read.metadata().file_metadata();
        let pairs = metadata.key_value_metadata().unwrap();
        assert_eq!((pairs[0].key.as_str(), pairs[0].value.as_deref()), ("hefu.position", Some("17")));
        let rows: Vec<_> = read.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 3);
        let shared = rows[0].get_decimal(1).unwrap();
        assert_eq!((shared.precision(), shared.scale()), (38, 2));
        let value = i128::from_be_bytes(shared.data().try_into().unwrap());
        assert_eq!(value, -1_234_567_890_123_456_789_001);
        assert_eq!(rows[2].get_string(0).unwrap(), "江山");
        let whole = i128::from_be_bytes(rows[2].get_decimal(1).unwrap().data().try_into().unwrap());
        assert_eq!(whole, 700);
        assert!(rows[1].get_string(0).is_err(), "nothing stays nothing");
    }

    #[test]
    fn many_rows_are_written_group_by_group() {
        let mut many = Table::new(vec![Column::number("n", "数", "N")]);
        many.rows = (0..=GROUP).map(|n| vec![Cell::number(&n)]).collect();
        let mut file = tempfile::tempfile().unwrap();
        write(&mut file, &many, &[]).unwrap();
        let read = SerializedFileReader::new(file).unwrap();
        let groups: Vec<i64> = read.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups, [i64::try_from(GROUP).unwrap(), 1]);
        let last = read.get_row_group(1).unwrap().get_row_iter(None).unwrap().next().unwrap().unwrap();
        let last = i128::from_be_bytes(last.get_decimal(0).unwrap().data().try_into().unwrap());
        assert_eq!(last, i128::try_from(GROUP).unwrap());
        // A number that is none is found in its row wherever it stands.
        many.rows[GROUP][0] = Cell::Number("?".to_owned());
        let error = write(Vec::new(), &many, &[]).unwrap_err();
        assert!(matches!(error, ColumnarError::NotANumber { row, .. } if row == GROUP + 1), "{error}");
    }

    #[test]
    fn no_number_is_guessed() {
        for bad in ["", "1e5", "NaN", "1,000", "+1", &"9".repeat(39)] {
            let mut table = table();
            table.rows[2][1] = Cell::Number((*bad).to_owned());
            let error = write(Vec::new(), &table, &[]).unwrap_err();
            assert!(matches!(error, ColumnarError::NotANumber { row: 3, column: "shared", .. }), "{bad}");
        }
        assert_eq!(minor("-0.50", 2), Some(-50));
        assert_eq!(minor("0", 6), Some(0));
    }
}
