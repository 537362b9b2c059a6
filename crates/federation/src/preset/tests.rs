//! Each preset against tokens as the issuer makes them (the claims of its own documentation).

use serde_json::{Value, json};

use super::*;
use crate::{Claims, Conditions, Mismatch, danger};

const AUDIENCE: &str = "registry.example.com";

fn filled(name: &str, fields: &[(&str, &str)]) -> Result<Filled, PresetError> {
    preset(name, &fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
}

/// What a preset gives is kept, and a token is held against it.
fn held(name: &str, fields: &[(&str, &str)], token: &Value) -> Result<(), Mismatch> {
    let filled = filled(name, fields).unwrap();
    let conditions = Conditions { audience: AUDIENCE.to_owned(), subject: filled.subject, claims: filled.claims };
    assert_eq!(conditions.check(), Ok(()));
    assert_eq!(danger(&filled.issuer, &conditions), None);
    assert_eq!(token["iss"], filled.issuer);
    let claims = Claims::new(serde_json::from_value(token.clone()).unwrap(), serde_json::from_value(token.clone()).unwrap()).unwrap();
    conditions.met_by(&claims)
}

fn claim(name: &str) -> impl Fn(Result<(), Mismatch>) -> bool {
    move |answer| matches!(answer, Err(Mismatch::Claim { name: failed, .. }) if failed == name)
}

/// docs.github.com, "OpenID Connect reference", with the audience of `core.getIDToken('registry.example.com')`.
fn github() -> Value {
    json!({
        "jti": "example-id", "sub": "repo:octo-org/octo-repo:environment:prod", "environment": "prod", "aud": AUDIENCE, "ref": "refs/heads/main",
        "sha": "example-sha", "repository": "octo-org/octo-repo", "repository_owner": "octo-org", "actor_id": "12", "repository_visibility": "private",
        "repository_id": "74", "repository_owner_id": "65", "run_id": "example-run-id", "run_number": "10", "run_attempt": "2",
        "runner_environment": "github-hosted", "actor": "octocat", "workflow": "example-workflow", "head_ref": "", "base_ref": "",
        "event_name": "workflow_dispatch", "ref_type": "branch", "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
        "iss": "https://token.actions.githubusercontent.com", "nbf": 1_632_492_967, "exp": 1_632_493_867, "iat": 1_632_493_567,
    })
}

#[test]
fn github_actions_by_repository_ref_and_environment() {
    let github = github();
    let held = |fields: &[(&str, &str)]| held("github-actions", fields, &github);
    for good in [
        &[("repository", "octo-org/octo-repo")][..],
        &[("repository", "octo-org/*"), ("ref", "refs/heads/main"), ("environment", "prod")],
        &[("repository", "octo-org/octo-repo"), ("repository-id", "74"), ("owner-id", "65"), ("event", "workflow_dispatch")],
        &[("repository", "octo-org/octo-repo"), ("workflow", "octo-org/octo-automation/.github/workflows/oidc.yml@*")],
    ] {
        assert_eq!(held(good), Ok(()), "{good:?}");
    }
    assert!(claim("repository")(held(&[("repository", "octo-org/other")])));
    assert!(claim("repository")(held(&[("repository", "octo-or/*")])), "an owner whose name begins alike");
    assert!(claim("ref")(held(&[("repository", "octo-org/*"), ("ref", "refs/tags/v*")])));
    assert!(claim("environment")(held(&[("repository", "octo-org/*"), ("environment", "stage")])));
    assert!(claim("repository_id")(held(&[("repository", "octo-org/octo-repo"), ("repository-id", "75")])), "a namesake");
}

#[test]
fn github_actions_with_the_subject_in_its_other_forms() {
    for subject in [
        "repo:octo-org@65/octo-repo@74:ref:refs/heads/main",
        "repo:octo-org/octo-repo:pull_request",
        "repo:octo-org/octo-repo:job_workflow_ref:x",
    ] {
        let mut token = github();
        token["sub"] = json!(subject);
        assert_eq!(held("github-actions", &[("repository", "octo-org/octo-repo")], &token), Ok(()), "{subject}");
    }
    let mut token = github();
    token["iss"] = json!("https://ghes.example.com/_services/token");
    assert_eq!(held("github-actions", &[("repository", "octo-org/octo-repo"), ("server", "ghes.example.com")], &token), Ok(()));
}

#[test]
fn github_actions_without_an_owner_is_refused() {
    for bad in ["*", "*/*", "octo-org", "octo-org/", "/octo-repo", "*/octo-repo", "octo*/x"] {
        assert!(matches!(filled("github-actions", &[("repository", bad)]), Err(PresetError::Invalid { field: "repository", .. })), "{bad}");
    }
    assert!(matches!(filled("github-actions", &[]), Err(PresetError::Missing { field: "repository", .. })));
    assert!(matches!(filled("github-actions", &[("repository", "")]), Err(PresetError::Missing { .. })));
}

/// docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens".
#[test]
fn gitlab_by_project_and_ref() {
    let token = json!({
        "namespace_id": "72", "namespace_path": "my-group", "project_id": "20", "project_path": "my-group/my-project", "user_id": "1",
        "user_login": "sample-user", "user_email": "sample-user@example.com", "user_identities": [{"provider": "github", "extern_uid": "2435223452345"}],
        "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "feature-branch-1", "ref_type": "branch",
        "ref_path": "refs/heads/feature-branch-1", "ref_protected": "false", "groups_direct": ["mygroup/mysubgroup"], "environment": "test-environment2",
        "environment_protected": "false", "deployment_tier": "testing", "environment_action": "start", "runner_id": 1, "runner_environment": "self-hosted",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc", "project_visibility": "public",
        "ci_config_ref_uri": "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main", "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b",
        "iss": "https://gitlab.example.com", "iat": 1_681_395_193, "nbf": 1_681_395_188, "exp": 1_681_398_793,
        "sub": "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1", "aud": AUDIENCE,
    });
    let held = |fields: &[(&str, &str)]| held("gitlab", &[&[("server", "gitlab.example.com")], fields].concat(), &token);
    assert_eq!(held(&[("project", "my-group/my-project"), ("ref", "feature-*"), ("ref-type", "branch"), ("project-id", "20")]), Ok(()));
    assert_eq!(held(&[("project", "my-group/*"), ("environment", "test-environment2")]), Ok(()));
    assert!(claim("project_path")(held(&[("project", "my-group/other")])));
    assert!(claim("ref_protected")(held(&[("project", "my-group/*"), ("ref-protected", "true")])));
    assert_eq!(filled("gitlab", &[("project", "a/b")]).unwrap().issuer, "https://gitlab.com");
    assert!(filled("gitlab", &[("project", "*/b")]).is_err());
}

/// kubernetes.io, "Configure Service Accounts for Pods": a projected token, its audience chosen by the pod.
#[test]
fn kubernetes_by_namespace_and_service_account() {
    let token = json!({
        "aud": [AUDIENCE], "exp": 1_731_613_413, "iat": 1_700_077_413, "iss": "https://kubernetes.default.svc", "jti": "ea28ed49-2e11-4280-9ec5-bc3d1d84661a",
        "kubernetes.io": {
            "namespace": "my-namespace", "node": {"name": "my-node", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},
            "pod": {"name": "my-pod", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3"},
            "serviceaccount": {"name": "my-serviceaccount", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"},
        },
        "nbf": 1_700_077_413, "sub": "system:serviceaccount:my-namespace:my-serviceaccount",
    });
    let held = |namespace: &str, account: &str| {
        let fields = [("issuer", "https://kubernetes.default.svc"), ("namespace", namespace), ("service-account", account)];
        held("kubernetes", &fields, &token)
    };
    assert_eq!(held("my-namespace", "my-serviceaccount"), Ok(()));
    assert_eq!(held("my-namespace", "*"), Ok(()));
    assert!(matches!(held("my-namespace", "other"), Err(Mismatch::Subject { .. })));
    assert!(matches!(held("my", "*"), Err(Mismatch::Subject { .. })), "another namespace");
    let wild = [("issuer", "https://k"), ("namespace", "*"), ("service-account", "x")];
    assert!(matches!(filled("kubernetes", &wild), Err(PresetError::Invalid { field: "namespace", .. })));
}

/// learn.microsoft.com, "Access token claims reference": a managed identity's token for an application of one's own.
#[test]
fn entra_by_tenant_and_object() {
    let (tenant, object) = ("aaaabbbb-0000-cccc-1111-dddd2222eeee", "00aa00aa-bb11-cc22-dd33-44ee44ee44ee");
    let v2 = json!({
        "aud": AUDIENCE, "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"), "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_086_400,
        "azp": "11112222-bbbb-3333-cccc-4444dddd5555", "azpacr": "2", "idtyp": "app", "oid": object, "rh": "x", "sub": object, "tid": tenant, "uti": "x", "ver": "2.0",
    });
    let v1 = json!({
        "aud": AUDIENCE, "iss": format!("https://sts.windows.net/{tenant}/"), "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_086_400,
        "aio": "x", "appid": "11112222-bbbb-3333-cccc-4444dddd5555", "appidacr": "2", "idp": format!("https://sts.windows.net/{tenant}/"),
        "oid": object, "sub": object, "tid": tenant, "ver": "1.0", "xms_mirid": "/subscriptions/x",
    });
    assert_eq!(held("entra", &[("tenant", tenant), ("object-id", object)], &v2), Ok(()));
    assert_eq!(held("entra", &[("tenant", tenant), ("object-id", object), ("token-version", "1")], &v1), Ok(()));
    assert!(matches!(held("entra", &[("tenant", tenant), ("object-id", tenant)], &v2), Err(Mismatch::Subject { .. })));
    for bad in ["common", "*", "organizations"] {
        assert!(filled("entra", &[("tenant", bad), ("object-id", object)]).is_err(), "{bad}");
    }
    assert!(filled("entra", &[("tenant", tenant), ("object-id", "*")]).is_err());
}

#[test]
fn what_a_preset_does_not_know_is_refused() {
    assert!(matches!(filled("jenkins", &[]), Err(PresetError::Unknown(_))));
    let misspelt = filled("github-actions", &[("repository", "a/b"), ("branch", "main")]).unwrap_err();
    assert!(misspelt.to_string().contains("does not know branch; it knows repository, ref"), "{misspelt}");
    assert!(PRESETS.iter().all(|preset| PresetError::Unknown(String::new()).to_string().contains(preset.name)));
}
