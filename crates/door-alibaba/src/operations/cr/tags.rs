//! Tags, and the manifests that they point at.

use std::sync::Arc;

use access::Permit;
use model::{ActionKind, OnRepository, Reference, Tag, act};
use registry::{RegistryError, Tagged};
use serde_json::Value as Json;

use super::named::{self, NORMAL, not_supported};
use super::pages::{Asked, behind};
use super::repositories::UNKNOWN;
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, Value};

/// A permit for the repository of a request.
async fn admitted<A: ActionKind<On = OnRepository>>(call: &Call) -> Result<Permit<A>, Failure> {
    let named = call.instance().await?;
    let on = Arc::clone(&named.on);
    let there = named.there();
    let target = named::repository(call, &on, there.is_ok()).await?;
    target.admit::<A>(call, there, UNKNOWN).await
}

fn tag(call: &Call, parameter: &'static str) -> Result<Tag, Problem> {
    Tag::parse(call.required(parameter)?).map_err(|error| Problem::invalid(parameter, Fault::Format, error.rule))
}

pub(super) async fn list_repo_tag(call: Call) -> Result<Object, Failure> {
    let asked = Asked::read(&call, |token| Tag::parse(token).is_ok())?;
    let permit = admitted::<act::ListRepositoryTag>(&call).await?;
    let images = |tags: &[Tagged]| Object::new().list("Images", tags.iter().map(listed));
    match asked {
        Asked::Numbered(page) => {
            let found = call.registry().count_tags(permit, page.window).await?;
            Ok(images(&found.items).and(page.said()).with("TotalCount", found.total.to_string()))
        }
        Asked::Behind { size, token } => {
            let found = call.registry().list_tags(permit, Some(size), token.as_deref()).await?;
            let next = found.items.last().filter(|_| found.more).map(|last| last.name.to_string());
            Ok(images(&found.items).and(behind(size, next)))
        }
    }
}

pub(super) async fn get_repo_tag(call: Call) -> Result<Object, Failure> {
    let tag = tag(&call, "Tag")?;
    let permit = admitted::<act::ListRepositoryTag>(&call).await?;
    let found = call.registry().show_tag(permit, &tag).await?;
    Ok(head(&found).with("ImageCreate", found.pushed.millis()).with("ImageUpdate", found.updated.millis()).with("Status", NORMAL))
}

pub(super) async fn create_repo_tag(call: Call) -> Result<Object, Failure> {
    let (from, to) = (tag(&call, "FromTag")?, tag(&call, "ToTag")?);
    let instance = call.instance().await?;
    let namespace = named::namespace_name("NamespaceName", call.required("NamespaceName")?)?;
    let name = named::whole(&namespace, call.required("RepoName")?)?;
    let permit = call.admit::<act::CreateRepositoryTag>(OnRepository { instance: Arc::clone(&instance.on), name }).await?;
    instance.there()?;
    call.registry().copy_tag(permit, &from, &to).await.map_err(|error| match error {
        RegistryError::Exists => Problem::business("TAG_ALREADY_EXIST", "The tag exists already.").into(),
        error => Failure::from(error),
    })?;
    Ok(Object::new())
}

pub(super) async fn delete_repo_tag(call: Call) -> Result<Object, Failure> {
    let tag = tag(&call, "Tag")?;
    let permit = admitted::<act::DeleteRepositoryTag>(&call).await?;
    call.registry().delete_tag(permit, &tag).await?;
    Ok(Object::new())
}

/// What every shape of a tag begins with. An index has no configuration: its own digest stands for the image.
fn head(tag: &Tagged) -> Object {
    Object::new()
        .with("Tag", tag.name.as_str())
        .with("Digest", hex(&tag.digest.to_string()))
        .with("ImageId", hex(&tag.config.unwrap_or(tag.digest).to_string()))
        .with("ImageSize", tag.image_size)
}

/// In a list, times are texts.
fn listed(tag: &Tagged) -> Object {
    head(tag)
        .with("ImageCreate", tag.pushed.millis().to_string())
        .with("ImageUpdate", tag.updated.millis().to_string())
        .with("Status", NORMAL)
}

/// A digest without its algorithm.
fn hex(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(_, hex)| hex)
}

/// Reads the manifest that a tag points at: that is a pull, in rights and in the audit trail.
async fn manifest(call: &Call, tag: Tag) -> Result<(OnRepository, Json), Failure> {
    let permit = admitted::<act::PullRepository>(call).await?;
    let on = permit.on().clone();
    let found = call.registry().manifest(permit, &Reference::Tag(tag)).await?;
    let document: Json = serde_json::from_slice(&found.content).unwrap_or_default();
    Ok((on, with_type(document, found.media_type.as_str())))
}

/// A manifest may leave its own type out.
fn with_type(mut document: Json, media_type: &str) -> Json {
    if let Some(fields) = document.as_object_mut() {
        fields.entry("mediaType").or_insert_with(|| media_type.into());
    }
    document
}

/// An image's configuration, as far as it is small and there.
async fn configuration(call: &Call, on: OnRepository, document: &Json) -> Result<Json, Failure> {
    let Some(digest) = field(field(document, "config"), "digest").as_str().and_then(|text| text.parse().ok()) else {
        return Ok(Json::Null);
    };
    let permit = call.admit::<act::PullRepository>(on).await?;
    let content = call.registry().configuration(permit, &digest).await?;
    Ok(content.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

pub(super) async fn get_repo_tag_manifest(call: Call) -> Result<Object, Failure> {
    if call.parameters.integer("SchemaVersion", 1..=2)? == Some(1) {
        return Err(not_supported("SchemaVersion 1").into());
    }
    let tag = tag(&call, "Tag")?;
    let name = tag.to_string();
    let (on, document) = manifest(&call, tag).await?;
    let repository = on.name.to_string();
    let configuration = configuration(&call, on, &document).await?;
    let shape = Object::new()
        .with("SchemaVersion", 2)
        .with("Name", repository)
        .with("Tag", name)
        .with("Architecture", text(field(&configuration, "architecture")))
        .with("MediaType", text(field(&document, "mediaType")))
        .with("Config", descriptor(field(&document, "config")))
        .list("Layers", items(field(&document, "layers")).map(descriptor))
        .list("FsLayers", Vec::<Value>::new())
        .list("History", Vec::<Value>::new())
        .list("Signatures", Vec::<Value>::new());
    Ok(Object::new().with("Manifest", shape))
}

pub(super) async fn get_repo_tag_layers(call: Call) -> Result<Object, Failure> {
    let tag = tag(&call, "Tag")?;
    let (on, document) = manifest(&call, tag).await?;
    let configuration = configuration(&call, on, &document).await?;
    let made = items(field(&configuration, "history")).filter(|step| field(step, "empty_layer").as_bool() != Some(true));
    let made = made
        .map(|step| instruction(field(step, "created_by").as_str().unwrap_or_default()))
        .chain(std::iter::repeat_with(Default::default));
    let layers = (0i64..).zip(items(field(&document, "layers"))).zip(made).map(|((index, layer), (instruction, command))| {
        Object::new()
            .with("LayerIndex", index)
            .with("LayerInstruction", instruction)
            .with("LayerCMD", command)
            .with("BlobDigest", text(field(layer, "digest")))
            .with("BlobSize", field(layer, "size").as_i64().unwrap_or_default())
    });
    Ok(Object::new().list("Layers", layers.collect::<Vec<_>>()))
}

/// What made a layer, as builders write it into an image's history: the instruction, and what it did.
fn instruction(created_by: &str) -> (String, String) {
    let said = created_by.trim_end().strip_suffix("# buildkit").unwrap_or(created_by).trim();
    let shell = ["/bin/sh -c", "|0 /bin/sh -c"].iter().find_map(|prefix| said.strip_prefix(prefix));
    let (said, usual) = match shell.map(str::trim_start) {
        Some(rest) => match rest.strip_prefix("#(nop)") {
            Some(rest) => (rest.trim_start(), ""),
            None => (rest, "RUN"),
        },
        None => (said, ""),
    };
    let (first, rest) = said.split_once(' ').unwrap_or((said, ""));
    let is_instruction = !first.is_empty() && first.bytes().all(|b| b.is_ascii_uppercase());
    match (usual, is_instruction) {
        ("", true) => (first.to_owned(), rest.trim_start().to_owned()),
        (usual, _) => (usual.to_owned(), said.to_owned()),
    }
}

/// A field of an object; null where there is none.
fn field<'v>(value: &'v Json, name: &str) -> &'v Json {
    value.get(name).unwrap_or(&Json::Null)
}

fn items(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

fn descriptor(value: &Json) -> Object {
    Object::new()
        .with("MediaType", text(field(value, "mediaType")))
        .with("Size", field(value, "size").as_i64().unwrap_or_default())
        .with("Digest", text(field(value, "digest")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instruction_of_a_layer_is_read_out_of_its_history() {
        for (created_by, want) in [
            (r#"/bin/sh -c #(nop)  CMD ["sh"]"#, ("CMD", r#"["sh"]"#)),
            ("/bin/sh -c #(nop) ADD file:abc in / ", ("ADD", "file:abc in /")),
            ("/bin/sh -c apt-get update", ("RUN", "apt-get update")),
            ("/bin/sh -c MAKE all", ("RUN", "MAKE all")),
            ("RUN /bin/sh -c echo hi # buildkit", ("RUN", "/bin/sh -c echo hi")),
            ("COPY a b # buildkit", ("COPY", "a b")),
            ("bazel build ...", ("", "bazel build ...")),
            ("WORKDIR", ("WORKDIR", "")),
            ("", ("", "")),
        ] {
            let (instruction, command) = instruction(created_by);
            assert_eq!((&*instruction, &*command), want, "{created_by}");
        }
    }
}
