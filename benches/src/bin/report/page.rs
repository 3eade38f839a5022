//! The parts of a page that are written by the report, between `<!-- begin NAME -->` and `<!-- end NAME -->`.

use std::io;

/// Replaces one part.
pub(crate) fn replaced(page: &str, name: &str, part: &str) -> io::Result<String> {
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->"),
    );
    let cut = || {
        let (before, rest) = page.split_once(&begin)?;
        let (_, after) = rest.split_once(&end)?;
        Some(format!("{before}{begin}\n{}\n\n{end}{after}", part.trim()))
    };
    cut().ok_or_else(|| io::Error::other(format!("the page has no part {name}")))
}

/// A chart, light or dark as the page is.
pub(crate) fn picture(path: &str, title: &str) -> String {
    format!(
        "<picture>\n  <source media=\"(prefers-color-scheme: dark)\" srcset=\"{path}-dark.svg\">\n  <img alt=\"{title}\" src=\"{path}-light.svg\">\n</picture>"
    )
}
