//! The description of the API, and the page that shows it, all from the binary.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use gateway::endpoint::{ROUTES, Route, Task};
use gateway::life::Gateway;
use http::{StatusCode, header};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, Object, ObjectBuilder, OpenApi, OpenApiBuilder, Required,
    ResponseBuilder, SecurityRequirement, Type,
};
use wire::format::Format;

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
        let item = PathItem::new(method(route.task), operation(route));
        match openapi.paths.paths.get_mut(route.path) {
            Some(there) => there.merge_operations(item),
            None => _ = openapi.paths.paths.insert(route.path.to_owned(), item),
        }
    }
}

fn method(task: Task) -> HttpMethod {
    match task {
        Task::Reply | Task::Stream | Task::Count | Task::Cancel => HttpMethod::Post,
        Task::Fetch | Task::Items => HttpMethod::Get,
        Task::Delete => HttpMethod::Delete,
    }
}

fn operation(route: &Route) -> Operation {
    let Described { summary, required, properties } = describe(route);
    let named = route.path.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
    let answer = |text: &str| ResponseBuilder::new().description(text).build();
    let mut operation = OperationBuilder::new()
        .tag("model calls")
        .summary(Some(summary))
        .operation_id(Some(operation_id(route)))
        .response("200", answer("The reply, or a stream of server-sent events"))
        .response("400", answer("The request names what is wrong with it"))
        .response("401", answer("No valid key"));
    if let Some(name) = named {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(Object::with_type(Type::String)))
                .build(),
        );
    }
    if route.task.calls_a_model() {
        let schema = properties.into_iter().fold(ObjectBuilder::new(), |schema, (name, kind, text)| {
            schema.property(name, ObjectBuilder::new().schema_type(kind).description(Some(text)))
        });
        let required = required.iter().filter(|name| named != Some(*name));
        let schema = required.fold(schema, |schema, name| schema.required(*name));
        let content = ContentBuilder::new().schema(Some(schema.build())).build();
        let body =
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    operation.build()
}

fn operation_id(route: &Route) -> String {
    let verb = route.task.method().as_str().to_lowercase();
    let text = format!("{verb}{}", route.path);
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

type Property = (&'static str, Type, &'static str);

/// What the reader of the page is told of a route; other fields of a body are passed to the provider.
struct Described {
    summary: &'static str,
    required: &'static [&'static str],
    properties: Vec<Property>,
}

impl Described {
    fn bare(summary: &'static str) -> Self {
        Self { summary, required: &[], properties: Vec::new() }
    }
}

const MODEL: Property = ("model", Type::String, "A public model name, an alias, or provider/model");
const STREAM: Property = ("stream", Type::Boolean, "Whether the reply is wanted as server-sent events");
const MOST_TOKENS: Property = ("max_tokens", Type::Integer, "Upper bound of generated tokens");
const TOOLS: Property = ("tools", Type::Array, "Functions the model may call");

fn describe(route: &Route) -> Described {
    match (route.task, route.format) {
        (Task::Fetch, _) => Described::bare("A response that is kept"),
        (Task::Delete, _) => Described::bare("Forget a response"),
        (Task::Items, _) => Described::bare("The input of a response that is kept"),
        (Task::Cancel, _) => Described::bare("Stop a response that is made in the background"),
        (Task::Count, Format::Gemini) => googles("Count the tokens of a prompt, in Google's format"),
        (Task::Count, _) => anthropics("Count the tokens of a prompt"),
        (Task::Reply | Task::Stream, Format::Gemini) => {
            googles("Continue a conversation, in Google's format")
        }
        (_, Format::AnthropicMessages) => anthropics("Continue a conversation, in Anthropic's format"),
        (_, Format::OpenAiResponses) => Described {
            summary: "Continue a conversation, in OpenAI's Responses format",
            required: &["model", "input"],
            properties: vec![
                MODEL,
                ("input", Type::Array, "A text, or a list of items"),
                ("instructions", Type::String, "Instructions of the application"),
                ("previous_response_id", Type::String, "The response that this one goes on with"),
                ("store", Type::Boolean, "Whether the response is kept; it is unless this is false"),
                STREAM,
                ("max_output_tokens", Type::Integer, "Upper bound of generated tokens"),
                TOOLS,
            ],
        },
        (Task::Reply | Task::Stream, format) => openais(format.operation()),
    }
}

fn googles(summary: &'static str) -> Described {
    let contents = ("contents", Type::Array, "The conversation, oldest first, in Google's shape");
    Described { summary, required: &["contents"], properties: vec![contents, TOOLS] }
}

fn anthropics(summary: &'static str) -> Described {
    let messages = ("messages", Type::Array, "The conversation, oldest first, in Anthropic's shape");
    let system = ("system", Type::String, "Instructions of the application");
    let properties = vec![MODEL, messages, STREAM, MOST_TOKENS, system, TOOLS];
    Described { summary, required: &["model", "messages"], properties }
}

fn openais(operation: wire::format::Operation) -> Described {
    use wire::format::Operation::{Chat, Completion, Embedding, Rerank};
    match operation {
        Chat => Described {
            summary: "Continue a conversation",
            required: &["model", "messages"],
            properties: vec![
                MODEL,
                ("messages", Type::Array, "The conversation, oldest first, in OpenAI's shape"),
                STREAM,
                MOST_TOKENS,
                ("temperature", Type::Number, "Randomness, 0 to 2"),
                TOOLS,
            ],
        },
        Completion => Described {
            summary: "Continue a text",
            required: &["model", "prompt"],
            properties: vec![MODEL, ("prompt", Type::String, "The text to continue"), STREAM, MOST_TOKENS],
        },
        Embedding => Described {
            summary: "Vectors for texts",
            required: &["model", "input"],
            properties: vec![
                MODEL,
                ("input", Type::String, "A text or a list of texts"),
                ("dimensions", Type::Integer, "Length of the vectors"),
            ],
        },
        Rerank => Described {
            summary: "Order documents by what they say to a question",
            required: &["model", "query", "documents"],
            properties: vec![
                MODEL,
                ("query", Type::String, "The question"),
                ("documents", Type::Array, "Texts or objects to order"),
                ("top_n", Type::Integer, "How many of the best to return"),
                ("return_documents", Type::Boolean, "Whether the documents are returned with their scores"),
            ],
        },
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
