//! Instances, and what they hold: namespaces, repositories, tags, and the rules of these.

use api::{
    DigestHolder, DigestKind, ImageProtection, ImageReference, ImmutableTagRule, Instance, Lock, Namespace, Relation, Repository, Tag,
};
use model::{Glob, InstanceId, NamespaceName, RepositoryName};

use crate::errors::Problem;

pub(crate) fn instance((i, hosts): (store::instance::Instance, Vec<String>)) -> Instance {
    Instance {
        instance_id: i.on.id.to_string(),
        name: i.on.name.to_string(),
        region: i.on.region.to_string(),
        hosts,
        is_default: i.is_default,
        auto_create_namespace: i.auto_create_namespace,
        identity_tokens: i.identity_tokens,
        created_at: i.created,
        updated_at: i.updated,
    }
}

pub(crate) fn instance_usage(id: InstanceId, usage: registry::InstanceUsage) -> api::InstanceUsage {
    api::InstanceUsage {
        instance_id: id.to_string(),
        namespaces: usage.used.namespaces,
        max_namespaces: usage.max_namespaces.into(),
        repositories: usage.used.repositories,
        max_repositories: usage.max_repositories.into(),
        private_endpoints: usage.used.private_endpoints,
        max_private_endpoints: i64::try_from(identity::MAX_PRIVATE_ENDPOINTS).unwrap_or(i64::MAX),
    }
}

pub(crate) fn retention_rule(rule: &registry::RetentionRule) -> api::RetentionRule {
    api::RetentionRule {
        repositories: Some(rule.repositories.as_str().to_owned()),
        tags: Some(rule.tags.as_str().to_owned()),
        keep_newest: rule.keep_newest,
        keep_tags: rule.keep_tags.as_ref().map(|glob| glob.as_str().to_owned()),
        keep_pushed_days: rule.keep_pushed_days,
        keep_pulled_days: rule.keep_pulled_days,
        untagged_days: rule.untagged_days,
        schedule: Some(retention_schedule(rule.schedule)),
    }
}

const fn retention_schedule(schedule: registry::RetentionSchedule) -> api::RetentionSchedule {
    match schedule {
        registry::RetentionSchedule::Hourly => api::RetentionSchedule::Hourly,
        registry::RetentionSchedule::Daily => api::RetentionSchedule::Daily,
        registry::RetentionSchedule::Weekly => api::RetentionSchedule::Weekly,
        registry::RetentionSchedule::Monthly => api::RetentionSchedule::Monthly,
        registry::RetentionSchedule::Asked => api::RetentionSchedule::Asked,
    }
}

pub(crate) fn retention_run(done: registry::RetentionRun, dry_run: bool) -> api::RetentionRun {
    let item = |item: registry::RetentionItem| api::RetentionItem {
        repository: item.on.name.to_string(),
        tag: item.tag.map(|tag| tag.to_string()),
        digest: item.digest.to_string(),
        removed: item.removed,
        reason: item.reason,
    };
    api::RetentionRun {
        dry_run,
        tags_removed: done.tags_removed,
        manifests_removed: done.manifests_removed,
        tags_kept: done.tags_kept,
        protected: done.protected,
        items: done.items.into_iter().map(item).collect(),
    }
}

pub(crate) fn namespace_quota(instance: InstanceId, of: &registry::NamespaceQuota) -> api::NamespaceQuota {
    api::NamespaceQuota {
        namespace: of.name.to_string(),
        instance_id: instance.to_string(),
        bytes: of.held.bytes,
        max_bytes: of.quota.bytes,
        repositories: of.held.repositories,
        max_repositories: of.quota.repositories,
    }
}

pub(crate) fn namespace(instance: InstanceId, n: &registry::Namespace) -> Namespace {
    Namespace {
        namespace_id: n.id.to_string(),
        instance_id: instance.to_string(),
        name: n.name.to_string(),
        public: n.settings.public,
        auto_create_repository: n.settings.auto_create_repository,
        sparse_indexes: n.settings.sparse_indexes,
        default_public: n.settings.default_public,
        default_immutable_tags: n.settings.default_immutable_tags,
        created_at: n.created,
    }
}

pub(crate) fn repository(r: registry::Repository) -> Repository {
    let (immutable_tags, immutable_tags_except) = r.immutable_tags.map(patterns).unwrap_or_default();
    Repository {
        repository_id: r.id.to_string(),
        instance_id: r.instance.to_string(),
        namespace: r.name.namespace().to_string(),
        name: r.name.to_string(),
        public: r.public,
        summary: r.summary,
        description: r.description,
        immutable_tags,
        immutable_tags_except,
        locked: locked(r.locks),
        created_at: r.created,
        updated_at: r.updated,
    }
}

fn patterns(tags: model::ImmutableTags) -> (Option<String>, Option<String>) {
    (Some(tags.tags.to_string()), tags.except.map(|except| except.to_string()))
}

/// A pattern of tags or repositories; none: the empty text.
pub(crate) fn pattern(field: &'static str, text: &str) -> Result<Option<Glob>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    Glob::parse(text).map(Some).map_err(|error| Problem::invalid(field, error))
}

fn locked(locks: model::Locks) -> Vec<Lock> {
    locks
        .iter()
        .map(|lock| match lock {
            model::Lock::Read => Lock::Read,
            model::Lock::Write => Lock::Write,
            model::Lock::List => Lock::List,
            model::Lock::Delete => Lock::Delete,
        })
        .collect()
}

pub(crate) fn locks(words: &[Lock]) -> model::Locks {
    words
        .iter()
        .map(|lock| match lock {
            Lock::Read => model::Lock::Read,
            Lock::Write => model::Lock::Write,
            Lock::List => model::Lock::List,
            Lock::Delete => model::Lock::Delete,
        })
        .collect()
}

pub(crate) fn image_protection(repository: &RepositoryName, p: &registry::ImageProtection) -> ImageProtection {
    ImageProtection {
        repository: repository.to_string(),
        tag: p.tag.as_ref().map(ToString::to_string),
        digest: p.digest.to_string(),
        locked: locked(p.locks),
        kept_by: p.kept_by.as_ref().map(ToString::to_string),
    }
}

pub(crate) fn tag_rule(namespace: &NamespaceName, rule: registry::TagRule) -> ImmutableTagRule {
    let text = |glob: Option<Glob>| glob.map(|glob| glob.to_string());
    ImmutableTagRule {
        rule_id: rule.id.to_string(),
        namespace: namespace.to_string(),
        tags: rule.terms.tags.tags.to_string(),
        except_tags: text(rule.terms.tags.except),
        repositories: rule.terms.repositories.to_string(),
        except_repositories: text(rule.terms.except_repositories),
        enabled: rule.terms.enabled,
        created_at: rule.created,
    }
}

pub(crate) fn image_reference(found: registry::ImageReference) -> ImageReference {
    ImageReference {
        relation: match found.relation {
            registry::Relation::Tag => Relation::Tag,
            registry::Relation::Parent => Relation::Parent,
            registry::Relation::Referrer => Relation::Referrer,
        },
        tag: found.tag.map(|tag| tag.to_string()),
        digest: found.digest.to_string(),
        media_type: found.media_type.map(|kind| kind.to_string()),
        artifact_type: found.artifact_type,
    }
}

pub(crate) fn digest_holder(found: &registry::Holding) -> DigestHolder {
    let kind = if found.manifest { DigestKind::Manifest } else { DigestKind::Blob };
    DigestHolder { repository_id: found.repository.to_string(), name: found.name.to_string(), kind }
}

pub(crate) fn tag(repository: &RepositoryName, t: &registry::Tagged) -> Tag {
    Tag {
        repository: repository.to_string(),
        name: t.name.to_string(),
        digest: t.digest.to_string(),
        media_type: t.media_type.to_string(),
        size: t.size,
        image_size: t.image_size,
        config_digest: t.config.map(|digest| digest.to_string()),
        locked: locked(t.locks),
        created_at: t.created,
        updated_at: t.updated,
    }
}
