//! A diagnostic as an editor reads it: one JSON object, places in lines, columns and bytes.

use super::{Diag, Fix};
use crate::source::{Sources, Span};
use serde_json::{Value, json};

/// The object. Lines and columns count from one, columns in characters; byte ranges are half-open.
pub fn to_json(diag: &Diag, sources: &Sources) -> Value {
    let mut object = place(diag.span(), sources);
    let labels: Vec<_> = diag
        .labels
        .iter()
        .map(|label| {
            let mut object = place(label.span, sources);
            object["text"] = json!(label.text);
            object
        })
        .collect();
    object["severity"] = json!(diag.severity.to_string());
    object["code"] = json!(diag.code.number());
    object["slug"] = json!(diag.code.slug());
    object["message"] = json!(diag.message);
    object["labels"] = json!(labels);
    object["certificate"] = json!(diag.certificate);
    object["help"] = json!(diag.help);
    object["fix"] = diag.fix.as_ref().map_or(Value::Null, |fix| fix_to_json(fix, sources));
    object
}

fn place(span: Span, sources: &Sources) -> Value {
    let Some(file) = sources.files().get(span.file.0 as usize) else { return json!({}) };
    let (line, column) = file.line_column(span.start as usize);
    let (end_line, end_column) = file.line_column(span.end as usize);
    json!({
        "file": file.path.display().to_string(),
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start_byte": span.start,
        "end_byte": span.end,
    })
}

fn fix_to_json(fix: &Fix, sources: &Sources) -> Value {
    let edits: Vec<_> = fix
        .edits
        .iter()
        .map(|(span, replacement)| {
            let mut edit = place(*span, sources);
            edit["replacement"] = json!(replacement);
            edit
        })
        .collect();
    json!({ "title": fix.title, "edits": edits })
}
