//! The media type of a format, as ClickHouse names it.

/// The `Content-Type` of rows in `format`.
pub fn content_type(format: &str) -> &'static str {
    match format {
        "CSV" => "text/csv; charset=UTF-8; header=absent",
        "XML" => "application/xml; charset=UTF-8",
        "Markdown" => "text/markdown; charset=UTF-8",
        "Prometheus" => "text/plain; version=0.0.4; charset=UTF-8",
        "Native"
        | "RowBinary"
        | "RowBinaryWithNames"
        | "RowBinaryWithNamesAndTypes"
        | "Parquet"
        | "ORC"
        | "Avro"
        | "Arrow"
        | "ArrowStream"
        | "MsgPack"
        | "Protobuf"
        | "ProtobufSingle"
        | "BSONEachRow"
        | "Npy"
        | "RawBLOB" => "application/octet-stream",
        _ if format.starts_with("CSV") => "text/csv; charset=UTF-8; header=present",
        _ if format.starts_with("TSV") || format.starts_with("TabSeparated") => {
            "text/tab-separated-values; charset=UTF-8"
        }
        "JSONObjectEachRow" => "application/json; charset=UTF-8",
        _ if format.starts_with("JSON") && format.contains("EachRow") => {
            "application/x-ndjson; charset=UTF-8"
        }
        _ if format.starts_with("JSON") => "application/json; charset=UTF-8",
        _ => "text/plain; charset=UTF-8",
    }
}
