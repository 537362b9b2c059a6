//! Instances and what is in them.

use api::{
    CreateImmutableTagRule, CreateInstance, CreateNamespace, CreateRepository, CreateTag, DigestHolder, DigestQuery, ImageProtection,
    ImageReference, ImmutableTagRule, Instance, InstanceUsage, Namespace, NamespaceQuota, Repository, RepositoryQuery, Retention,
    RetentionRun, RunRetention, SetNamespaceQuota, SetRetention, Tag, TagQuery, UpdateImmutableTagRule, UpdateInstance, UpdateLocks,
    UpdateNamespace, UpdateRepository, UpdateTag,
};
use http::Method;

use super::{PAGE, Tidegate, name_path, segment, whole};
use crate::ClientError;

/// Instances.
#[derive(Clone, Copy, Debug)]
pub struct Instances<'a>(pub(super) &'a Tidegate);

impl Instances<'_> {
    /// Creates one.
    pub async fn create(&self, new: &CreateInstance) -> Result<Instance, ClientError> {
        self.0.send(Method::POST, "/instances", new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<Instance>, ClientError> {
        self.0.get("/instances").await
    }

    /// One of them, by name or id.
    pub async fn show(&self, instance: &str) -> Result<Instance, ClientError> {
        self.0.get(&format!("/instances/{}", segment(instance))).await
    }

    /// How much one holds, and may hold.
    pub async fn usage(&self, instance: &str) -> Result<InstanceUsage, ClientError> {
        self.0.get(&format!("/instances/{}/usage", segment(instance))).await
    }

    /// Changes one's settings.
    pub async fn update(&self, instance: &str, change: &UpdateInstance) -> Result<Instance, ClientError> {
        self.0.send(Method::PATCH, &format!("/instances/{}", segment(instance)), change).await
    }

    /// Deletes an empty one.
    pub async fn delete(&self, instance: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("/instances/{}", segment(instance))).await
    }
}

/// Namespaces of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Namespaces<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl Namespaces<'_> {
    fn all(&self) -> String {
        format!("/instances/{}/namespaces", segment(self.1))
    }

    fn one(&self, name: &str) -> String {
        format!("{}/{}", self.all(), segment(name))
    }

    /// Creates one.
    pub async fn create(&self, new: &CreateNamespace) -> Result<Namespace, ClientError> {
        self.0.send(Method::POST, &self.all(), new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<Namespace>, ClientError> {
        self.0.list(&self.all(), &whole(), None).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<Namespace, ClientError> {
        self.0.get(&self.one(name)).await
    }

    /// What one holds and may hold.
    pub async fn quota(&self, name: &str) -> Result<NamespaceQuota, ClientError> {
        self.0.get(&format!("{}/quota", self.one(name))).await
    }

    /// Says what one may hold.
    pub async fn set_quota(&self, name: &str, quota: &SetNamespaceQuota) -> Result<NamespaceQuota, ClientError> {
        self.0.send(Method::PUT, &format!("{}/quota", self.one(name)), quota).await
    }

    /// Which images one keeps.
    pub async fn retention(&self, name: &str) -> Result<Retention, ClientError> {
        self.0.get(&format!("{}/retention", self.one(name))).await
    }

    /// Says which images one keeps.
    pub async fn set_retention(&self, name: &str, rules: &SetRetention) -> Result<Retention, ClientError> {
        self.0.send(Method::PUT, &format!("{}/retention", self.one(name)), rules).await
    }

    /// Deletes what its rules do not keep, or says what that would be.
    pub async fn run_retention(&self, name: &str, run: &RunRetention) -> Result<RetentionRun, ClientError> {
        self.0.send(Method::POST, &format!("{}/retention-runs", self.one(name)), run).await
    }

    /// What all of them hold and may hold.
    pub async fn quotas(&self) -> Result<Vec<NamespaceQuota>, ClientError> {
        self.0.list(&format!("/instances/{}/quotas", segment(self.1)), &whole(), None).await
    }

    /// Changes one's settings.
    pub async fn update(&self, name: &str, change: &UpdateNamespace) -> Result<Namespace, ClientError> {
        self.0.send(Method::PATCH, &self.one(name), change).await
    }

    /// Deletes an empty one.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&self.one(name)).await
    }

    /// Its rules of immutable tags, oldest first.
    pub async fn tag_rules(&self, name: &str) -> Result<Vec<ImmutableTagRule>, ClientError> {
        self.0.get(&format!("{}/immutable-tag-rules", self.one(name))).await
    }

    /// Makes a rule of immutable tags.
    pub async fn create_tag_rule(&self, name: &str, new: &CreateImmutableTagRule) -> Result<ImmutableTagRule, ClientError> {
        self.0.send(Method::POST, &format!("{}/immutable-tag-rules", self.one(name)), new).await
    }

    /// Changes a rule of immutable tags.
    pub async fn update_tag_rule(&self, name: &str, rule: &str, change: &UpdateImmutableTagRule) -> Result<ImmutableTagRule, ClientError> {
        self.0.send(Method::PATCH, &format!("{}/immutable-tag-rules/{}", self.one(name), segment(rule)), change).await
    }

    /// Deletes a rule of immutable tags.
    pub async fn delete_tag_rule(&self, name: &str, rule: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("{}/immutable-tag-rules/{}", self.one(name), segment(rule))).await
    }
}

/// Repositories of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Repositories<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl Repositories<'_> {
    fn all(&self) -> String {
        format!("/instances/{}/repositories", segment(self.1))
    }

    fn one(&self, name: &str) -> String {
        format!("{}/{}", self.all(), name_path(name))
    }

    /// Creates one.
    pub async fn create(&self, new: &CreateRepository) -> Result<Repository, ClientError> {
        self.0.send(Method::POST, &self.all(), new).await
    }

    /// Those of a namespace.
    pub async fn list(&self, namespace: &str) -> Result<Vec<Repository>, ClientError> {
        let query = RepositoryQuery { namespace: namespace.to_owned(), limit: Some(PAGE), after: None };
        self.0.list(&self.all(), &query, None).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<Repository, ClientError> {
        self.0.get(&self.one(name)).await
    }

    /// Changes one's settings.
    pub async fn update(&self, name: &str, change: &UpdateRepository) -> Result<Repository, ClientError> {
        self.0.send(Method::PATCH, &self.one(name), change).await
    }

    /// Locks one, or unlocks it.
    pub async fn lock(&self, name: &str, change: &UpdateLocks) -> Result<Repository, ClientError> {
        self.0.send(Method::PATCH, &format!("/instances/{}/repository-locks/{}", segment(self.1), name_path(name)), change).await
    }

    /// Deletes one with everything in it.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&self.one(name)).await
    }
}

/// Tags of an instance's repositories.
#[derive(Clone, Copy, Debug)]
pub struct Tags<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl Tags<'_> {
    fn all(&self) -> String {
        format!("/instances/{}/tags", segment(self.1))
    }

    fn one(&self, repository: &str, tag: &str) -> String {
        format!("{}/{}/{}", self.all(), name_path(repository), segment(tag))
    }

    /// Points a new tag at a manifest.
    pub async fn create(&self, new: &CreateTag) -> Result<Tag, ClientError> {
        self.0.send(Method::POST, &self.all(), new).await
    }

    /// All of a repository's.
    pub async fn list(&self, repository: &str) -> Result<Vec<Tag>, ClientError> {
        let query = TagQuery { repository: repository.to_owned(), limit: Some(PAGE), after: None };
        self.0.list(&self.all(), &query, None).await
    }

    /// One of them.
    pub async fn show(&self, repository: &str, tag: &str) -> Result<Tag, ClientError> {
        self.0.get(&self.one(repository, tag)).await
    }

    /// Points a tag at another manifest.
    pub async fn update(&self, repository: &str, tag: &str, change: &UpdateTag) -> Result<Tag, ClientError> {
        self.0.send(Method::PATCH, &self.one(repository, tag), change).await
    }

    /// Deletes one; what it pointed at stays.
    pub async fn delete(&self, repository: &str, tag: &str) -> Result<(), ClientError> {
        self.0.delete(&self.one(repository, tag)).await
    }
}

/// Tags and manifests of an instance's repositories; `reference` is a tag or a digest.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl Images<'_> {
    fn one(&self, what: &str, repository: &str, reference: &str) -> String {
        format!("/instances/{}/{what}/{}/{}", segment(self.1), name_path(repository), segment(reference))
    }

    /// What keeps one as it is.
    pub async fn protection(&self, repository: &str, reference: &str) -> Result<ImageProtection, ClientError> {
        self.0.get(&self.one("image-protections", repository, reference)).await
    }

    /// Locks one, or unlocks it.
    pub async fn lock(&self, repository: &str, reference: &str, change: &UpdateLocks) -> Result<ImageProtection, ClientError> {
        self.0.send(Method::PATCH, &self.one("image-protections", repository, reference), change).await
    }

    /// Everything that refers to one.
    pub async fn references(&self, repository: &str, reference: &str) -> Result<Vec<ImageReference>, ClientError> {
        self.0.list(&self.one("image-references", repository, reference), &whole(), None).await
    }

    /// Every repository that has a digest, of those that one may pull from.
    pub async fn holders(&self, digest: &str) -> Result<Vec<DigestHolder>, ClientError> {
        let query = DigestQuery { digest: digest.to_owned(), limit: Some(PAGE), after: None };
        self.0.list(&format!("/instances/{}/digest-holders", segment(self.1)), &query, None).await
    }
}
