//! Path templates: `/users/{name}/policies/{policy}`, with `{*name}` for the rest of a path.

use percent_encoding::percent_decode_str;

/// What a template's placeholders stand for, in their order.
pub(crate) type Captures = Vec<String>;

/// Matches a raw path (below `/api/v1`) against a template. Segments are decoded once, one by one; an empty one matches nothing.
pub(crate) fn matches(template: &str, path: &str) -> Option<Captures> {
    let mut captures = Captures::new();
    let mut rest = path.strip_prefix('/')?;
    for part in template.strip_prefix('/')?.split('/') {
        if part.starts_with("{*") {
            captures.push(decoded(rest)?);
            return Some(captures);
        }
        let (segment, behind) = rest.split_once('/').map_or((rest, None), |(s, b)| (s, Some(b)));
        if part.starts_with('{') {
            captures.push(decoded(segment)?);
        } else if part != segment {
            return None;
        }
        // What is left over is none of this template's, unless another part takes it.
        rest = behind.unwrap_or("\0");
    }
    (rest == "\0").then_some(captures)
}

fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    let usable = !text.is_empty() && text.len() <= 512 && !text.chars().any(char::is_control);
    usable.then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was captured, between commas.
    fn captures(template: &str, path: &str) -> Option<String> {
        matches(template, path).map(|captures| captures.join(","))
    }

    #[test]
    fn placeholders_take_one_segment_each() {
        assert_eq!(captures("/users", "/users"), Some(String::new()));
        assert_eq!(captures("/users/{name}", "/users/alice%40x"), Some("alice@x".to_owned()));
        assert_eq!(captures("/users/{name}/policies/{policy}", "/users/a/policies/b"), Some("a,b".to_owned()));
        assert_eq!(captures("/i/{i}/tags/{*tag}", "/i/x/tags/demo/app/v1"), Some("x,demo/app/v1".to_owned()));
        assert_eq!(captures("/i/{i}/tags/{*tag}", "/i/x/tags/demo%2Fapp/v1"), Some("x,demo/app/v1".to_owned()));
    }

    #[test]
    fn nothing_else_matches() {
        for path in
            ["/users", "/users/", "/users//", "/users/a/", "/users/a/b", "//users/a", "/Users/a", "/users/%00", "/users/%ff", "users/a"]
        {
            assert_eq!(captures("/users/{name}", path), None, "{path}");
        }
        for path in ["/i/x/tags", "/i/x/tags/", "/i//tags/a"] {
            assert_eq!(captures("/i/{i}/tags/{*tag}", path), None, "{path}");
        }
        assert_eq!(captures("/users", "/users/"), None);
    }
}
