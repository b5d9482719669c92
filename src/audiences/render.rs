//! Draws diagnostics: the line, carets under the place, and what to do.

use super::{Diagnostic, Severity};
use ariadne::{CharSet, Config, IndexType, Label, Report, ReportKind, Source};

/// One diagnostic over the text it is about. `name` is the file (or "rule"); `colour` only for terminals.
pub fn render(name: &str, text: &str, diagnostic: &Diagnostic, colour: bool) -> String {
    let length = text.len();
    let start = text.floor_char_boundary(diagnostic.span.start.min(length));
    let end = text.ceil_char_boundary(diagnostic.span.end.clamp(start, length));
    // Of what spans lines only the first is drawn.
    let span = start..text[start..end].find('\n').map_or(end, |at| start + at);
    let kind = match diagnostic.severity {
        Severity::Error => ReportKind::Error,
        Severity::Warning => ReportKind::Warning,
    };
    let config = Config::default().with_index_type(IndexType::Byte).with_char_set(CharSet::Ascii).with_color(colour);
    let mut report = Report::build(kind, (name, span.clone()))
        .with_config(config)
        .with_code(diagnostic.code)
        .with_message(&diagnostic.message)
        .with_label(Label::new((name, span)).with_message("here"));
    report = diagnostic.help.iter().fold(report, |report, help| report.with_help(help));
    let mut out = Vec::new();
    match report.finish().write((name, Source::from(text)), &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n",
        Err(_) => format!("{name}: {}\n", diagnostic.message),
    }
}
