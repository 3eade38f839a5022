//! Generated parts of a page, between `<!-- begin NAME -->` and `<!-- end NAME -->`.

use std::io;

/// Replaces a part of a page.
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

/// Markup for a chart, in the light or dark theme of the page.
pub(crate) fn picture(path: &str, title: &str) -> String {
    format!(
        "<picture>\n  <source media=\"(prefers-color-scheme: dark)\" srcset=\"{path}-dark.svg\">\n  <img alt=\"{title}\" src=\"{path}-light.svg\">\n</picture>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_repeatedly_and_the_rest_is_kept() {
        let page = "before\n<!-- begin it -->\n<!-- end it -->\nafter";
        let once = replaced(page, "it", "old").unwrap();
        let twice = replaced(&once, "it", "new").unwrap();
        assert_eq!(
            twice,
            "before\n<!-- begin it -->\n\nnew\n\n<!-- end it -->\nafter"
        );
        assert!(replaced(page, "another", "new").is_err());
    }
}
