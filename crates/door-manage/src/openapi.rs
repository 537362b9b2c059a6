//! The OpenAPI document, generated from the table of operations and the shapes of `api`.

use std::sync::LazyLock;

use http::Method;
use kit::Needs;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation as Doc, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, Components, ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Password, Scopes, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
};

use crate::operations::{Gives, OPERATIONS, Operation, Takes};

/// How one signs in, in the document.
const SIGN_IN: &str = "oauth2";

/// The document.
pub(crate) static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(document);

/// The document as it is checked in at `docs/openapi.json`.
pub fn openapi() -> String {
    serde_json::to_string_pretty(&*DOCUMENT).map(|text| text + "\n").unwrap_or_default()
}

fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Tidegate management API")
        .version("v1")
        .description(Some(
            "Identities, keys, policies, instances and what is in them. Lists are bare arrays; where a list has pages, the \
             Link header with rel=\"next\" leads to the next one. In place of an instance's name or id, - means the one that \
             the host name chooses.",
        ))
        .build();
    let mut paths = PathsBuilder::new().build();
    for operation in OPERATIONS.iter() {
        let path = format!("{}{}", api::BASE, operation.path.replace("{*", "{"));
        paths.merge(PathsBuilder::new().path(path, PathItem::new(http_method(&operation.method), describe(operation))).build());
    }
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components())).build()
}

fn components() -> Components {
    let mut schemas: Vec<(String, RefOr<Schema>)> = vec![(api::ErrorAnswer::name().into_owned(), schema::<api::ErrorAnswer>())];
    api::ErrorAnswer::schemas(&mut schemas);
    schemas.push((api::TokenError::name().into_owned(), schema::<api::TokenError>()));
    for operation in OPERATIONS.iter() {
        if let Takes::Json(shape) | Takes::Form(shape) = operation.takes {
            (shape.collect)(&mut schemas);
        }
        if let Gives::One(shape) | Gives::Many(shape) = operation.gives {
            (shape.collect)(&mut schemas);
        }
    }
    let url = format!("{}/oauth2/token", api::BASE);
    let flows =
        [Flow::ClientCredentials(ClientCredentials::new(url.clone(), Scopes::new())), Flow::Password(Password::new(url, Scopes::new()))];
    ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme(SIGN_IN, SecurityScheme::OAuth2(OAuth2::new(flows))).build()
}

fn schema<T: ToSchema>() -> RefOr<Schema> {
    T::schema()
}

fn describe(operation: &Operation) -> Doc {
    let (needs, secured) = match operation.needs {
        Needs::Nothing(why) => (format!("Needs no authentication: {why}."), false),
        Needs::Caller(why) => (format!("Needs no right: {why}."), true),
        Needs::Action(action) => (format!("Needs `{}`.", action.as_str()), true),
        Needs::Own(action) => (format!("Needs `{}` for others than oneself.", action.as_str()), true),
        Needs::Also(one, other, why) => (format!("Needs `{}`, and `{}` {why}.", one.as_str(), other.as_str()), true),
        Needs::Either(one, other) => (format!("Needs `{}` or `{}` for others than oneself.", one.as_str(), other.as_str()), true),
    };
    let mut doc = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .description(Some(needs))
        .parameters(Some(parameters(operation)))
        .request_body(body(operation))
        .response(operation.status.as_str(), success(operation))
        .response("default", failure(operation));
    if secured {
        doc = doc.security(SecurityRequirement::new(SIGN_IN, Vec::<String>::new()));
    }
    doc.build()
}

fn parameters(operation: &Operation) -> Vec<Parameter> {
    let placeholders = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = placeholders.map(|name| {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let name = name.trim_start_matches('*');
        ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True).schema(Some(text)).build()
    });
    in_path.chain((operation.query)()).collect()
}

fn body(operation: &Operation) -> Option<utoipa::openapi::request_body::RequestBody> {
    let (kind, shape) = match operation.takes {
        Takes::Nothing => return None,
        Takes::Json(shape) => ("application/json", shape),
        Takes::Form(shape) => ("application/x-www-form-urlencoded", shape),
    };
    Some(RequestBodyBuilder::new().content(kind, reference(&(shape.name)())).required(Some(Required::True)).build())
}

fn success(operation: &Operation) -> utoipa::openapi::Response {
    let response = ResponseBuilder::new().description(operation.status.canonical_reason().unwrap_or_default());
    match operation.gives {
        Gives::Nothing => response,
        Gives::One(shape) => response.content("application/json", reference(&(shape.name)())),
        Gives::Many(shape) => {
            let list = ArrayBuilder::new().items(Ref::from_schema_name((shape.name)())).build();
            response.content("application/json", ContentBuilder::new().schema(Some(list)).build())
        }
        Gives::Document => {
            let any = ObjectBuilder::new().schema_type(Type::Object).build();
            response.content("application/json", ContentBuilder::new().schema(Some(any)).build())
        }
    }
    .build()
}

fn failure(operation: &Operation) -> utoipa::openapi::Response {
    let shape = if operation.id == "create_token" { api::TokenError::name() } else { api::ErrorAnswer::name() };
    ResponseBuilder::new().description("What went wrong").content("application/json", reference(&shape)).build()
}

fn reference(name: &str) -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build()
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_that_is_checked_in_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let checked_in = std::fs::read_to_string(path).unwrap_or_default();
        assert!(checked_in == openapi(), "docs/openapi.json is stale: `tidegate generate openapi > docs/openapi.json`");
    }

    #[test]
    fn every_shape_that_is_named_is_described() {
        let value: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
        let text = openapi();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(value["components"]["schemas"].get(name).is_some(), "{name}");
        }
        assert!(text.contains("RFC 6749"));
    }
}
