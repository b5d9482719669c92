//! What a page is made of: tables, lists of facts, pictures with their keys. Whatever is plain text here comes out escaped; this is
//! the one place where that happens.

use super::pictures::{Ink, Picture, Swatch};
use crate::error::Result;
use std::fmt::Write;

/// Text as it may stand in an element or an attribute. Controls, which no page may hold, are shown as unreadable.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            _ if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            _ => out.push(letter),
        }
    }
    out
}

/// A table: plain text.
#[derive(Debug, Clone)]
pub struct Table {
    caption: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The first cell of each row is what the row is about.
    pub fn new(caption: String, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Table { caption, head: head.iter().map(|&head| head.to_owned()).collect(), rows }
    }

    /// Without the columns, but the first, that are empty (`-` or nothing) in every row.
    #[must_use]
    pub fn without_empty_columns(mut self) -> Self {
        let kept: Vec<bool> = (0..self.head.len())
            .map(|at| {
                at == 0 || self.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty() && cell != "-"))
            })
            .collect();
        let keep = |row: &mut Vec<String>| {
            let mut at = 0;
            row.retain(|_| {
                at += 1;
                kept.get(at - 1).copied().unwrap_or(true)
            });
        };
        keep(&mut self.head);
        self.rows.iter_mut().for_each(keep);
        self
    }

    /// Whether there is a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its markup. Wider than the page, it scrolls by itself.
    pub fn markup(&self) -> String {
        let numeric: Vec<bool> = (0..self.head.len()).map(|at| self.is_numeric(at)).collect();
        let class = |at: usize| if numeric.get(at).copied().unwrap_or(false) { " class=\"number\"" } else { "" };
        let caption = escaped(&self.caption);
        let mut out = format!(
            "<div class=\"scroll\" role=\"group\" aria-label=\"{caption}\" tabindex=\"0\"><table><caption>{caption}</caption>\n<thead><tr>"
        );
        for (at, head) in self.head.iter().enumerate() {
            let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(at), escaped(head));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (at, cell) in row.iter().enumerate() {
                let tag = if at == 0 { "th scope=\"row\"" } else { "td" };
                let _ = write!(out, "<{tag}{}>{}</{}>", class(at), cell_markup(cell), &tag[..2]);
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
        out
    }

    fn is_numeric(&self, at: usize) -> bool {
        let numeric = |cell: &String| {
            cell.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '<' | '>' | '+'))
        };
        at > 0 && self.rows.iter().filter_map(|row| row.get(at)).all(numeric)
    }
}

/// The words of a verdict have a colour beside.
fn cell_markup(cell: &str) -> String {
    match cell {
        MET => format!("<span class=\"met\">{MET}</span>"),
        MISSED => format!("<span class=\"missed\">{MISSED}</span>"),
        other => escaped(other),
    }
}

/// What a verdict's cell says.
pub const MET: &str = "met";
/// As [`MET`].
pub const MISSED: &str = "missed";

/// Names and values, as tiles (`class`: how they look).
pub fn facts(class: &str, facts: &[(String, String)]) -> String {
    let mut out = format!("<dl class=\"{class}\">\n");
    for (name, value) in facts {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value));
    }
    out.push_str("</dl>\n");
    out
}

/// Sentences.
pub fn list(class: &str, items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escaped(item))).collect();
    format!("<ul class=\"{class}\">\n{items}</ul>\n")
}

/// What opens when it is asked for. `inside` is markup.
pub fn folded(summary: &str, inside: &str) -> String {
    format!("<details><summary>{}</summary>\n{inside}</details>\n", escaped(summary))
}

/// A picture with its heading (`level`), its key, and its figures as a table.
///
/// # Errors
/// A picture that cannot be drawn: a bug of ours.
pub fn figure(picture: &Picture, level: u8) -> Result<String> {
    let key: String = picture.key.iter().map(|(ink, swatch, words)| in_key(*ink, *swatch, words)).collect();
    let (id, title, note) = (escaped(&picture.id), escaped(&picture.title), escaped(&picture.note));
    Ok(format!(
        "<figure id=\"{id}\"><figcaption><h{level}>{title}</h{level}><p>{note}</p></figcaption>\n<ul class=\"key\">{key}</ul>\n\
         <div class=\"wide\">{}</div>\n<div class=\"narrow\">{}</div>\n{}</figure>\n",
        picture.wide()?,
        picture.narrow()?,
        folded(&format!("{} as a table", picture.title), &picture.table.markup()),
    ))
}

fn in_key(ink: Ink, swatch: Swatch, words: &str) -> String {
    let colour = ink.variable();
    let drawn = match swatch {
        Swatch::Area => {
            format!("<rect x=\"2\" y=\"1\" width=\"20\" height=\"10\" fill=\"var({colour})\" opacity=\"0.55\"/>")
        }
        Swatch::Line => {
            let dashes: Vec<String> = ink.dashes().unwrap_or_default().iter().map(u32::to_string).collect();
            let dashes =
                if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", dashes.join(" ")) };
            format!("<path d=\"M0 6H24\" fill=\"none\" stroke=\"var({colour})\" stroke-width=\"2\"{dashes}/>")
        }
    };
    let svg = "<svg class=\"swatch\" viewBox=\"0 0 24 12\" aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\">";
    format!("<li>{svg}{drawn}</svg> {}</li>", escaped(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_text() {
        assert_eq!(
            escaped("<script>alert('&\"')</script>\u{0}"),
            "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;\u{FFFD}"
        );
    }

    #[test]
    fn empty_columns_go_and_numbers_stand_to_the_right() {
        let rows = vec![
            vec!["a".to_owned(), "-".to_owned(), "1.2 ms".to_owned()],
            vec!["b".to_owned(), "-".to_owned(), "-".to_owned()],
        ];
        let markup = Table::new("c<d".to_owned(), &["name", "none", "wait"], rows).without_empty_columns().markup();
        assert!(!markup.contains("none") && markup.contains("<td class=\"number\">1.2 ms</td>"), "{markup}");
        assert!(markup.contains("<caption>c&lt;d</caption>"));
    }
}
