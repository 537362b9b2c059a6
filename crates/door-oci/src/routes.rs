//! Paths, split from the right of their raw bytes.

/// What kind of thing a path names (OCI distribution specification 1.1, "Endpoints").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Place {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/NAME/manifests/REFERENCE`
    Manifest,
    /// `/v2/NAME/blobs/DIGEST`
    Blob,
    /// `/v2/NAME/blobs/uploads/`
    Uploads,
    /// `/v2/NAME/blobs/uploads/ID`
    Upload,
    /// `/v2/NAME/tags/list`
    Tags,
    /// `/v2/NAME/referrers/DIGEST`
    Referrers,
}

impl Place {
    /// As the specification writes it.
    pub(crate) const fn template(self) -> &'static str {
        match self {
            Self::Base => "/v2/",
            Self::Catalog => "/v2/_catalog",
            Self::Manifest => "/v2/<name>/manifests/<reference>",
            Self::Blob => "/v2/<name>/blobs/<digest>",
            Self::Uploads => "/v2/<name>/blobs/uploads/",
            Self::Upload => "/v2/<name>/blobs/uploads/<id>",
            Self::Tags => "/v2/<name>/tags/list",
            Self::Referrers => "/v2/<name>/referrers/<digest>",
        }
    }
}

/// A path in its parts, none of them checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Route<'p> {
    pub(crate) place: Place,
    /// The repository's name; empty where there is none.
    pub(crate) name: &'p str,
    /// The reference, digest or upload's id; empty where there is none.
    pub(crate) item: &'p str,
}

/// Splits a path. The last two segments say what it is (three for uploads), so that names may hold those words too.
pub(crate) fn route(path: &str) -> Option<Route<'_>> {
    let rest = if path == "/v2" { "" } else { path.strip_prefix("/v2/")? };
    match rest {
        "" => Some(Route { place: Place::Base, name: "", item: "" }),
        "_catalog" => Some(Route { place: Place::Catalog, name: "", item: "" }),
        _ => of_repository(rest),
    }
}

fn of_repository(rest: &str) -> Option<Route<'_>> {
    let (left, item) = rest.rsplit_once('/')?;
    let (name, noun) = left.rsplit_once('/')?;
    match noun {
        "manifests" => Some(Route { place: Place::Manifest, name, item }),
        "blobs" => Some(Route { place: Place::Blob, name, item }),
        "referrers" => Some(Route { place: Place::Referrers, name, item }),
        "tags" if item == "list" => Some(Route { place: Place::Tags, name, item: "" }),
        "uploads" => {
            let name = name.strip_suffix("/blobs")?;
            let place = if item.is_empty() { Place::Uploads } else { Place::Upload };
            Some(Route { place, name, item })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::RepositoryName;
    use proptest::prelude::*;

    use super::*;

    fn split(path: &str) -> Option<(Place, &str, &str)> {
        route(path).map(|r| (r.place, r.name, r.item))
    }

    #[test]
    fn the_specifications_paths() {
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (path, want) in [
            ("/v2/", (Place::Base, "", "")),
            ("/v2", (Place::Base, "", "")),
            ("/v2/_catalog", (Place::Catalog, "", "")),
            ("/v2/app/manifests/v1", (Place::Manifest, "app", "v1")),
            ("/v2/demo/app/manifests/v1", (Place::Manifest, "demo/app", "v1")),
            (&format!("/v2/demo/app/blobs/{digest}"), (Place::Blob, "demo/app", digest)),
            ("/v2/demo/app/blobs/uploads/", (Place::Uploads, "demo/app", "")),
            ("/v2/demo/app/blobs/uploads/upl-1", (Place::Upload, "demo/app", "upl-1")),
            ("/v2/demo/app/tags/list", (Place::Tags, "demo/app", "")),
            (&format!("/v2/demo/app/referrers/{digest}"), (Place::Referrers, "demo/app", digest)),
        ] {
            assert_eq!(split(path), Some(want), "{path}");
        }
    }

    #[test]
    fn names_may_hold_the_words_of_paths() {
        for (path, want) in [
            ("/v2/blobs/uploads/manifests/v1", (Place::Manifest, "blobs/uploads", "v1")),
            ("/v2/manifests/manifests/manifests", (Place::Manifest, "manifests", "manifests")),
            ("/v2/a/blobs/blobs/uploads/", (Place::Uploads, "a/blobs", "")),
            ("/v2/blobs/blobs/uploads/uploads", (Place::Upload, "blobs", "uploads")),
            ("/v2/tags/list/tags/list", (Place::Tags, "tags/list", "")),
            ("/v2/v2/tags/list", (Place::Tags, "v2", "")),
            ("/v2/a/tags/list/manifests/list", (Place::Manifest, "a/tags/list", "list")),
        ] {
            assert_eq!(split(path), Some(want), "{path}");
        }
    }

    /// CVE-2020-29662: another spelling of a path reached another decision. Here it reaches none, or a name or item that no
    /// parser takes.
    #[test]
    fn cve_2020_29662_other_spellings_reach_nothing() {
        for path in [
            "/v2/_catalog/",
            "/v2//_catalog",
            "/v2/_CATALOG",
            "/v2/%5fcatalog",
            "/v2/_catalog;x",
            "/v2/./_catalog",
            "/v2/a/../_catalog",
            "/v2/demo%2fapp%2fmanifests%2fv1",
            "/v2/demo/app/Manifests/v1",
            "/v2/demo/app/manifests",
            "/v2/demo/app/manifests/v1/",
            "/v2/demo/app/tags/list/",
            "/v2/demo/app/tags/list;x",
            "/v2/demo/app/tags//list",
            "/v2/demo/app/tags/LIST",
            "/v2/uploads/x",
            "/v2/blobs/uploads/x",
            "/v2/demo/app/uploads/x",
            "/v2/demo",
            "/V2/",
            "//v2/",
            "/v2x/",
            "",
        ] {
            let taken = route(path).filter(|r| RepositoryName::parse(r.name).is_ok());
            assert!(taken.is_none_or(|r| r.item.is_empty() || r.item == "list"), "{path}: {taken:?}");
            assert!(!matches!(route(path), Some(Route { place: Place::Catalog | Place::Base, .. })), "{path}");
        }
        for name in ["demo//app", "demo%2fapp", "/demo/app", "demo/app/", "demo/../app", "demo/./app", "Demo/app", "demo;/app", ""] {
            let path = format!("/v2/{name}/manifests/v1");
            let got = route(&path).map(|r| r.name);
            assert_eq!(got, Some(name), "the name is what stands there");
            assert!(RepositoryName::parse(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in "(blobs|uploads|manifests|tags|list|referrers|v2|[a-z0-9]{1,8})(/(blobs|uploads|manifests|tags|list|[a-z0-9]{1,8}(_|[.]|__|-{1,3})?[a-z0-9]{1,4})){0,5}", item in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}") {
            prop_assert!(RepositoryName::parse(&name).is_ok());
            for (noun, place) in [("manifests", Place::Manifest), ("blobs", Place::Blob), ("referrers", Place::Referrers), ("blobs/uploads", Place::Upload)] {
                let path = format!("/v2/{name}/{noun}/{item}");
                prop_assert_eq!(split(&path), Some((place, name.as_str(), item.as_str())));
            }
            let tags = format!("/v2/{name}/tags/list");
            prop_assert_eq!(split(&tags), Some((Place::Tags, name.as_str(), "")));
            let uploads = format!("/v2/{name}/blobs/uploads/");
            prop_assert_eq!(split(&uploads), Some((Place::Uploads, name.as_str(), "")));
        }

        #[test]
        fn no_path_breaks_it(path in "/v2/.{0,60}") {
            if let Some(r) = route(&path) {
                prop_assert!(path.contains(r.name) && path.contains(r.item));
            }
        }
    }
}
