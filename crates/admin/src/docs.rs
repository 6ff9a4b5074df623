//! The description of the API, and the page that shows it, all from the binary.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use gateway::endpoint::{ROUTES, Route, Task};
use gateway::life::Gateway;
use http::{StatusCode, header};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, Object, ObjectBuilder, OpenApi, OpenApiBuilder, Required,
    ResponseBuilder, SecurityRequirement, Type,
};
use wire::format::{Format, Operation};

/// The page; its script and style come from `/docs/…` of this same binary.
const PAGE: &str = include_str!("docs.html");

/// The document's head: title, version and how to authenticate.
pub(crate) fn frame() -> OpenApi {
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Tollgate")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some("One gateway to every model provider, with LiteLLM's API."))
                .build(),
        )
        .components(Some(ComponentsBuilder::new().security_scheme("key", bearer).build()))
        .security(Some([SecurityRequirement::new("key", Vec::<String>::new())]))
        .build()
}

/// axum writes `{*name}` for a parameter that may hold slashes; OpenAPI knows only `{name}`.
pub(crate) fn plain_parameters(openapi: &mut OpenApi) {
    let paths = std::mem::take(&mut openapi.paths.paths);
    openapi.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
}

/// Describes the routes that call models, from the table that dispatches them.
pub(crate) fn add_model_routes(openapi: &mut OpenApi) {
    for route in ROUTES {
        let in_path = route.path.contains('{');
        let (summary, required, properties) = body(route);
        let schema =
            properties.into_iter().fold(ObjectBuilder::new(), |schema, (name, kind, description)| {
                schema.property(name, ObjectBuilder::new().schema_type(kind).description(Some(description)))
            });
        let schema = required
            .iter()
            .filter(|name| !in_path || **name != "model")
            .fold(schema, |schema, name| schema.required(*name));
        let operation = OperationBuilder::new()
            .tag("model calls")
            .summary(Some(summary))
            .operation_id(Some(operation_id(route)))
            .request_body(Some(
                RequestBodyBuilder::new()
                    .content("application/json", ContentBuilder::new().schema(Some(schema.build())).build())
                    .required(Some(Required::True))
                    .build(),
            ))
            .response(
                "200",
                ResponseBuilder::new().description("The reply, or a stream of server-sent events").build(),
            )
            .response(
                "400",
                ResponseBuilder::new().description("The request names what is wrong with it").build(),
            )
            .response("401", ResponseBuilder::new().description("No valid key").build());
        let operation = if in_path {
            operation.parameter(
                ParameterBuilder::new()
                    .name("model")
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .schema(Some(Object::with_type(Type::String)))
                    .build(),
            )
        } else {
            operation
        };
        openapi.paths.paths.insert(route.path.to_owned(), PathItem::new(HttpMethod::Post, operation.build()));
    }
}

fn operation_id(route: &Route) -> String {
    let text: String = format!("post{}", route.path)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    text
}

type Property = (&'static str, Type, &'static str);

/// What an operation's body holds, for the reader of the page; other fields are passed to the provider.
fn body(route: &Route) -> (&'static str, &'static [&'static str], Vec<Property>) {
    let model = ("model", Type::String, "A public model name, an alias, or provider/model");
    let stream = ("stream", Type::Boolean, "Whether the reply is wanted as server-sent events");
    let messages = ("messages", Type::Array, "The conversation, oldest first, in Anthropic's shape");
    match (route.format, route.task, route.format.operation()) {
        (_, Task::Count, _) => {
            ("Count the tokens of a prompt", &["model", "messages"], vec![model, messages])
        }
        (Format::AnthropicMessages, ..) => (
            "Continue a conversation, in Anthropic's format",
            &["model", "messages"],
            vec![
                model,
                messages,
                stream,
                ("max_tokens", Type::Integer, "Upper bound of generated tokens"),
                ("system", Type::String, "Instructions of the application"),
                ("tools", Type::Array, "Functions the model may call"),
            ],
        ),
        (_, _, Operation::Chat) => (
            "Continue a conversation",
            &["model", "messages"],
            vec![
                model,
                ("messages", Type::Array, "The conversation, oldest first, in OpenAI's shape"),
                stream,
                ("max_tokens", Type::Integer, "Upper bound of generated tokens"),
                ("temperature", Type::Number, "Randomness, 0 to 2"),
                ("tools", Type::Array, "Functions the model may call"),
            ],
        ),
        (_, _, Operation::Completion) => (
            "Continue a text",
            &["model", "prompt"],
            vec![
                model,
                ("prompt", Type::String, "The text to continue"),
                stream,
                ("max_tokens", Type::Integer, "Upper bound of generated tokens"),
            ],
        ),
        (_, _, Operation::Embedding) => (
            "Vectors for texts",
            &["model", "input"],
            vec![
                model,
                ("input", Type::String, "A text or a list of texts"),
                ("dimensions", Type::Integer, "Length of the vectors"),
            ],
        ),
    }
}

/// The document and the page.
pub(crate) fn router(openapi: &OpenApi) -> Router<Gateway> {
    let document: Arc<str> = openapi.to_json().unwrap_or_default().into();
    Router::new()
        .route(
            "/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) }),
        )
        .route("/", get(|| async { Html(PAGE) }))
        .route("/docs", get(|| async { Html(PAGE) }))
        .route("/docs/", get(|| async { Html(PAGE) }))
        .route("/docs/{file}", get(file))
}

/// A file of Swagger UI.
async fn file(Path(name): Path<String>) -> Response {
    let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
    match utoipa_swagger_ui::serve(&name, config) {
        Ok(Some(file)) => {
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response()
        }
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
