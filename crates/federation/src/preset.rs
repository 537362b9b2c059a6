//! Ready conditions for the issuers that everybody uses.

use std::collections::BTreeMap;

/// A preset.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// What it is called by.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What can be said, each with what it means; the first `must` have to be.
    pub fields: &'static [(&'static str, &'static str)],
    must: usize,
    fill: fn(&Fields<'_>) -> Result<Filled, PresetError>,
}

/// What a preset fills in. The audience is chosen by whoever asks the issuer for the token: best, the registry's own host.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filled {
    /// The issuer.
    pub issuer: String,
    /// The subject's pattern.
    pub subject: String,
    /// Further claims.
    pub claims: BTreeMap<String, Vec<String>>,
}

/// Why a preset cannot be filled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PresetError {
    /// There is no such preset.
    #[error("there is no preset {0}; there are github-actions, gitlab, kubernetes and entra")]
    Unknown(String),
    /// Something must be said.
    #[error("preset {preset} needs {field}: {about}")]
    Missing {
        /// The preset.
        preset: &'static str,
        /// What is missing.
        field: &'static str,
        /// What it means.
        about: &'static str,
    },
    /// Something was said that the preset does not know.
    #[error("preset {preset} does not know {field}; it knows {known}")]
    Surplus {
        /// The preset.
        preset: &'static str,
        /// What was said.
        field: String,
        /// What can be said.
        known: String,
    },
    /// A value is not what it should be.
    #[error("{field}: {problem}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it should be.
        problem: &'static str,
    },
}

/// All presets.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "github-actions",
        about: "a workflow of GitHub Actions (permissions: id-token: write)",
        fields: &[
            ("repository", "OWNER/REPOSITORY, or OWNER/* for all of an owner"),
            ("ref", "the git ref, as refs/heads/main or refs/tags/v*"),
            ("environment", "the deployment environment"),
            ("event", "what started it, as push or pull_request"),
            ("workflow", "the reusable workflow, as OWNER/REPOSITORY/.github/workflows/FILE@REF"),
            ("repository-id", "the repository's number: holds after a rename, and no namesake gets in"),
            ("owner-id", "the owner's number"),
            ("server", "the host of a GitHub Enterprise Server"),
        ],
        must: 1,
        fill: github_actions,
    },
    Preset {
        name: "gitlab",
        about: "a job of GitLab CI (id_tokens)",
        fields: &[
            ("project", "GROUP/PROJECT, or GROUP/* for all of a group"),
            ("ref", "the branch or tag"),
            ("ref-type", "branch or tag"),
            ("ref-protected", "true: protected branches and tags alone"),
            ("environment", "the deployment environment"),
            ("project-id", "the project's number"),
            ("server", "the host of one's own GitLab; else gitlab.com"),
        ],
        must: 1,
        fill: gitlab,
    },
    Preset {
        name: "kubernetes",
        about: "a Kubernetes service account (projected token)",
        fields: &[
            ("issuer", "the cluster's issuer: kubectl get --raw /.well-known/openid-configuration"),
            ("namespace", "the service account's namespace"),
            ("service-account", "its name, or * for all of the namespace"),
        ],
        must: 3,
        fill: kubernetes,
    },
    Preset {
        name: "entra",
        about: "an application or managed identity of Microsoft Entra",
        fields: &[
            ("tenant", "the tenant's id"),
            ("object-id", "the object id of the service principal or managed identity"),
            ("token-version", "1 or 2 (default), as the resource's application says (requestedAccessTokenVersion)"),
        ],
        must: 2,
        fill: entra,
    },
];

struct Fields<'f>(&'f BTreeMap<String, String>);

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn or_empty(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Claims from fields, for those that were said.
    fn claims(&self, names: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        let said = names.iter().filter_map(|(field, claim)| self.get(field).map(|value| ((*claim).to_owned(), vec![value.to_owned()])));
        said.collect()
    }
}

/// Fills a preset in.
pub fn preset(name: &str, fields: &BTreeMap<String, String>) -> Result<Filled, PresetError> {
    let preset = PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| PresetError::Unknown(crate::shown(name)))?;
    if let Some(surplus) = fields.keys().find(|field| !preset.fields.iter().any(|(known, _)| known == field)) {
        let known = preset.fields.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
        return Err(PresetError::Surplus { preset: preset.name, field: crate::shown(surplus), known });
    }
    let said = |field: &str| fields.get(field).is_some_and(|value| !value.is_empty());
    match preset.fields.iter().take(preset.must).find(|(field, _)| !said(field)) {
        Some((field, about)) => Err(PresetError::Missing { preset: preset.name, field, about }),
        None => (preset.fill)(&Fields(fields)),
    }
}

/// The repository stands in a claim of its own: owners may rewrite the subject, and its form has changed before.
fn github_actions(said: &Fields<'_>) -> Result<Filled, PresetError> {
    owned(said.or_empty("repository"), "repository", "OWNER/REPOSITORY or OWNER/*, with the owner spelled out")?;
    let issuer = said
        .get("server")
        .map_or_else(|| "https://token.actions.githubusercontent.com".to_owned(), |host| format!("https://{host}/_services/token"));
    let claims = said.claims(&[
        ("repository", "repository"),
        ("ref", "ref"),
        ("environment", "environment"),
        ("event", "event_name"),
        ("workflow", "job_workflow_ref"),
        ("repository-id", "repository_id"),
        ("owner-id", "repository_owner_id"),
    ]);
    Ok(Filled { issuer, subject: "repo:*".to_owned(), claims })
}

fn gitlab(said: &Fields<'_>) -> Result<Filled, PresetError> {
    owned(said.or_empty("project"), "project", "GROUP/PROJECT or GROUP/*, with the group spelled out")?;
    let issuer = format!("https://{}", said.get("server").unwrap_or("gitlab.com"));
    let claims = said.claims(&[
        ("project", "project_path"),
        ("ref", "ref"),
        ("ref-type", "ref_type"),
        ("ref-protected", "ref_protected"),
        ("environment", "environment"),
        ("project-id", "project_id"),
    ]);
    Ok(Filled { issuer, subject: "project_path:*".to_owned(), claims })
}

fn kubernetes(said: &Fields<'_>) -> Result<Filled, PresetError> {
    let (namespace, account) = (said.or_empty("namespace"), said.or_empty("service-account"));
    if namespace.contains(['*', '?', ':']) {
        return Err(PresetError::Invalid { field: "namespace", problem: "one namespace, spelled out" });
    }
    let subject = format!("system:serviceaccount:{namespace}:{account}");
    Ok(Filled { issuer: said.or_empty("issuer").to_owned(), subject, claims: BTreeMap::new() })
}

/// A token of an application is about itself: its subject is its object id, in both versions.
fn entra(said: &Fields<'_>) -> Result<Filled, PresetError> {
    let (tenant, object) = (said.or_empty("tenant"), said.or_empty("object-id"));
    let id = |text: &str| text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    for (field, value) in [("tenant", tenant), ("object-id", object)] {
        if !id(value) {
            return Err(PresetError::Invalid { field, problem: "an id, as 8f3c1a52-0000-0000-0000-000000000000" });
        }
    }
    let issuer = match said.get("token-version") {
        None | Some("2") => format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        Some("1") => format!("https://sts.windows.net/{tenant}/"),
        Some(_) => return Err(PresetError::Invalid { field: "token-version", problem: "1 or 2" }),
    };
    let claims = [("tid", tenant), ("oid", object)].map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
    Ok(Filled { issuer, subject: object.to_owned(), claims: claims.into() })
}

/// `OWNER/…` with an owner that is no pattern.
fn owned(path: &str, field: &'static str, problem: &'static str) -> Result<(), PresetError> {
    let fits = path.split_once('/').is_some_and(|(owner, rest)| !owner.is_empty() && !rest.is_empty() && !owner.contains(['*', '?']));
    if fits { Ok(()) } else { Err(PresetError::Invalid { field, problem }) }
}

#[cfg(test)]
mod tests;
