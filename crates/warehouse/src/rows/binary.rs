//! `RowBinary`, value by value: <https://clickhouse.com/docs/interfaces/formats/RowBinary>. Numbers are little-endian.

/// An unsigned LEB128 number, as lengths are written.
pub(crate) fn length(rows: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        rows.push((length as u8) | 0x80); // the low seven bits, and a mark that more follow
        length >>= 7;
    }
    rows.push(length as u8);
}

pub(super) fn string(rows: &mut Vec<u8>, text: &str) {
    length(rows, text.len());
    rows.extend_from_slice(text.as_bytes());
}

pub(super) fn int32(rows: &mut Vec<u8>, number: i32) {
    rows.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn int64(rows: &mut Vec<u8>, number: i64) {
    rows.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn float64(rows: &mut Vec<u8>, number: f64) {
    rows.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn bool(rows: &mut Vec<u8>, flag: bool) {
    rows.push(u8::from(flag));
}

/// A value that may be absent: a byte says so.
pub(super) fn nullable<T>(rows: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    rows.push(u8::from(value.is_none()));
    if let Some(value) = value {
        write(rows, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_leb128() {
        for (number, bytes) in [
            (0, vec![0]),
            (127, vec![0x7f]),
            (128, vec![0x80, 1]),
            (300, vec![0xac, 2]),
        ] {
            let mut rows = Vec::new();
            length(&mut rows, number);
            assert_eq!(rows, bytes);
        }
    }
}
