use super::*;
use crate::format::Operation;
use crate::provider::find;

fn at(
    name: &str,
    operation: Operation,
    api_base: Option<&str>,
    model: &str,
    version: Option<&str>,
) -> Result<Address, AddressError> {
    let provider = find(name).unwrap();
    let caller = match operation {
        Operation::Chat => Format::OpenAiChat,
        Operation::Completion => Format::OpenAiCompletions,
        Operation::Embedding => Format::OpenAiEmbeddings,
        Operation::Rerank => Format::CohereRerank,
    };
    address(provider, provider.speak(operation, caller, model).unwrap(), api_base, model, version)
}

fn chat_url(name: &str, api_base: Option<&str>) -> String {
    at(name, Operation::Chat, api_base, "m", None).unwrap().url
}

#[test]
fn base_and_path_are_joined_without_doubling_anything() {
    for (name, base, url) in [
        ("openai", None, "https://api.openai.com/v1/chat/completions"),
        ("openai", Some(""), "https://api.openai.com/v1/chat/completions"),
        ("groq", None, "https://api.groq.com/openai/v1/chat/completions"),
        ("openai", Some("https://h/v1/"), "https://h/v1/chat/completions"),
        ("openai", Some(" https://h/v1// "), "https://h/v1/chat/completions"),
        ("openai", Some("http://h:8000"), "http://h:8000/chat/completions"),
        ("openai", Some("HTTPS://h"), "https://h/chat/completions"),
        ("openai", Some("http://[::1]:8000/v1"), "http://[::1]:8000/v1/chat/completions"),
        ("openai_like", Some("https://h/v1/chat/completions"), "https://h/v1/chat/completions"),
        ("openai_like", Some("https://h/v1/chat/completions/"), "https://h/v1/chat/completions"),
        ("openai_like", Some("https://h/api/chat"), "https://h/api/chat/chat/completions"),
        ("openai_like", Some("https://h/v1?tenant=a&b=c"), "https://h/v1/chat/completions?tenant=a&b=c"),
        ("openai_like", Some("https://h?tenant=a"), "https://h/chat/completions?tenant=a"),
        ("anthropic", None, "https://api.anthropic.com/v1/messages"),
        ("anthropic", Some("https://api.anthropic.com/v1"), "https://api.anthropic.com/v1/messages"),
        ("anthropic", Some("https://h/x/v1/messages"), "https://h/x/v1/messages"),
        ("anthropic", Some("https://h/anthropic"), "https://h/anthropic/v1/messages"),
        ("gemini", None, "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
        ("gemini", Some("https://h/v1beta"), "https://h/v1beta/models/m:generateContent"),
        ("gemini", Some("https://h/v1beta/openai/"), "https://h/v1beta/models/m:generateContent"),
        ("cohere", None, "https://api.cohere.ai/v2/chat"),
        ("cohere", Some("https://h/v2/chat"), "https://h/v2/chat"),
        (
            "huggingface",
            Some("https://me.endpoints.example"),
            "https://me.endpoints.example/v1/chat/completions",
        ),
        ("datarobot", None, "https://app.datarobot.com/api/v2/genai/llmgw/chat/completions/"),
        (
            "datarobot",
            Some("https://app.datarobot.com/api/v2/deployments/1/chat/completions/"),
            "https://app.datarobot.com/api/v2/deployments/1/chat/completions/",
        ),
        ("ollama", None, "http://localhost:11434/api/chat"),
        ("ollama", Some("http://h:11434/"), "http://h:11434/api/chat"),
        ("ollama", Some("http://h/api"), "http://h/api/chat"),
        ("ollama_chat", Some("http://h/proxy/api/generate"), "http://h/proxy/api/chat"),
    ] {
        assert_eq!(chat_url(name, base), url, "{name} at {base:?}");
    }
}

#[test]
fn a_full_url_of_one_operation_serves_the_others_too() {
    let base = Some("https://h/v1/chat/completions");
    let url = |operation| at("openai", operation, base, "m", None).unwrap().url;
    assert_eq!(url(Operation::Completion), "https://h/v1/completions");
    assert_eq!(url(Operation::Embedding), "https://h/v1/embeddings");
}

#[test]
fn hostile_or_mistaken_bases_are_refused_without_being_quoted() {
    for base in [
        "ftp://h/v1",
        "h/v1",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://user:hunter2@h/v1",
        "https://api.openai.com\\@hunter2.example/v1",
        "https://h/v1\r\nhunter2: 1",
        "https://h/a hunter2",
        "https://h/v1#hunter2",
        "https://h:99999/hunter2",
        "https://h:/hunter2x:y:z@",
        "https://h:+80/hunter2",
        "https://[::1/hunter2",
        "https://[nope]/hunter2",
        "https://hünter2/v1",
        "https://h/{hunter2}",
    ] {
        let error = at("openai", Operation::Chat, Some(base), "m", None).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("api_base: ") && !text.contains("hunter2"), "{base}: {text}");
    }
}

#[test]
fn a_base_that_only_the_operator_knows_is_asked_for() {
    let text = |name: &str| at(name, Operation::Chat, None, "m", None).unwrap_err().to_string();
    assert_eq!(
        text("hosted_vllm"),
        "api_base: hosted_vllm needs one (or the environment variable HOSTED_VLLM_API_BASE)"
    );
    assert_eq!(text("custom_openai"), "api_base: custom_openai needs one");
    assert!(text("azure").contains("AZURE_API_BASE"));
    assert!(text("cloudflare").contains("CLOUDFLARE_API_BASE"));
    assert_eq!(
        at("demo", Operation::Chat, Some("https://h"), "m", None),
        Err(AddressError::BuiltIn { provider: "demo" })
    );
}

const AZURE: &str = "https://r.openai.azure.com";

#[test]
fn azure_names_the_deployment_in_the_path_and_a_version_in_the_query() {
    for (base, model, version, url) in [
        ("", "gpt", None, "/openai/deployments/gpt/chat/completions?api-version=2025-02-01-preview"),
        ("/", "gpt", Some("2024-06-01"), "/openai/deployments/gpt/chat/completions?api-version=2024-06-01"),
        (
            "/openai",
            "gpt",
            Some("2024-06-01"),
            "/openai/deployments/gpt/chat/completions?api-version=2024-06-01",
        ),
        (
            "",
            "o_series/mine",
            Some("2024-06-01"),
            "/openai/deployments/mine/chat/completions?api-version=2024-06-01",
        ),
        (
            "",
            "a b/../c?d",
            Some("1"),
            "/openai/deployments/a%20b%2F..%2Fc%3Fd/chat/completions?api-version=1",
        ),
        ("?api-version=7", "gpt", Some("1"), "/openai/deployments/gpt/chat/completions?api-version=7"),
        ("?a=b", "gpt", Some("1"), "/openai/deployments/gpt/chat/completions?a=b&api-version=1"),
        (
            "/openai/deployments/own",
            "gpt",
            Some("1"),
            "/openai/deployments/own/chat/completions?api-version=1",
        ),
        (
            "/openai/deployments/own/chat/completions?api-version=2",
            "gpt",
            None,
            "/openai/deployments/own/chat/completions?api-version=2",
        ),
    ] {
        let address = at("azure", Operation::Chat, Some(&format!("{AZURE}{base}")), model, version).unwrap();
        assert_eq!(address.url, format!("{AZURE}{url}"));
        assert!(!address.model_in_body);
        assert_eq!(address.auth, Auth::Header("api-key"));
    }
}

#[test]
fn azures_v1_api_is_recognised_by_version_or_by_base() {
    for (base, version, url) in [
        ("", Some("v1"), "/openai/v1/chat/completions"),
        ("", Some("latest"), "/openai/v1/chat/completions"),
        ("", Some("preview"), "/openai/v1/chat/completions?api-version=preview"),
        ("/openai", Some("v1"), "/openai/v1/chat/completions"),
        ("/openai/v1/", None, "/openai/v1/chat/completions"),
        ("/openai/v1", Some("2024-06-01"), "/openai/v1/chat/completions"),
        ("/openai/v1/chat/completions", Some("preview"), "/openai/v1/chat/completions?api-version=preview"),
    ] {
        let address = at("azure", Operation::Chat, Some(&format!("{AZURE}{base}")), "gpt", version).unwrap();
        assert_eq!(address.url, format!("{AZURE}{url}"));
        assert!(address.model_in_body);
        assert_eq!((address.model.as_str(), address.auth), ("gpt", Auth::Bearer));
    }
}

#[test]
fn a_deployment_or_version_cannot_leave_its_place() {
    for (name, base) in [("replicate", None), ("bytez", None), ("triton", Some("http://h"))] {
        for model in ["", "..", "a/../b", "a//b"] {
            let address = at(name, Operation::Chat, base, model, None);
            let escaped = || address.as_ref().is_ok_and(|address| address.url.contains("%2F"));
            assert!(matches!(address, Err(AddressError::Model { .. })) || escaped(), "{name}/{model}");
        }
    }
    for model in ["", ".", ".."] {
        assert!(matches!(
            at("azure", Operation::Chat, Some(AZURE), model, None),
            Err(AddressError::Model { .. })
        ));
    }
    for version in ["2024&x=y", "2024#", "a b", "v1/../.."] {
        assert_eq!(
            at("azure", Operation::Chat, Some(AZURE), "m", Some(version)),
            Err(AddressError::ApiVersion)
        );
    }
}

#[test]
fn azure_ai_depends_on_the_kind_of_host() {
    let key = Auth::Header("api-key");
    for (base, version, url, auth) in [
        (
            "https://r.services.ai.azure.com",
            None,
            "https://r.services.ai.azure.com/models/chat/completions",
            key,
        ),
        (
            "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
            None,
            "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
            key,
        ),
        (
            "https://r.services.ai.azure.com/models",
            Some("2024-05-01-preview"),
            "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
            key,
        ),
        (
            "https://r.services.ai.azure.com/openai/v1",
            None,
            "https://r.services.ai.azure.com/openai/v1/chat/completions",
            Auth::Bearer,
        ),
        (
            "https://R.OpenAI.Azure.com",
            Some("1"),
            "https://R.OpenAI.Azure.com/openai/deployments/m/chat/completions?api-version=1",
            key,
        ),
        (
            "https://m.models.ai.azure.com",
            None,
            "https://m.models.ai.azure.com/chat/completions",
            Auth::Bearer,
        ),
        (
            "https://evilservices.ai.azure.com",
            None,
            "https://evilservices.ai.azure.com/chat/completions",
            Auth::Bearer,
        ),
    ] {
        let address = at("azure_ai", Operation::Chat, Some(base), "m", version).unwrap();
        assert_eq!((address.url.as_str(), address.auth), (url, auth));
    }
}

#[test]
fn ragflow_reads_the_assistant_from_the_model() {
    let at = |model: &str| at("ragflow", Operation::Chat, Some("http://h:9380"), model, None);
    let address = at("chat/7 7/gpt/x").unwrap();
    assert_eq!(address.url, "http://h:9380/api/v1/chats_openai/7%207/chat/completions");
    assert_eq!(address.model, "gpt/x");
    assert_eq!(at("agent/9/m").unwrap().url, "http://h:9380/api/v1/agents_openai/9/chat/completions");
    assert!(matches!(at("gpt"), Err(AddressError::Model { .. })));
    assert!(matches!(at("other/1/m"), Err(AddressError::Model { .. })));
}

#[test]
fn models_are_named_as_the_upstream_does() {
    let model = |name: &str, model: &str| at(name, Operation::Chat, None, model, None).unwrap().model;
    assert_eq!(model("fireworks_ai", "llama-v3"), "accounts/fireworks/models/llama-v3");
    assert_eq!(model("fireworks_ai", "accounts/me/models/x"), "accounts/me/models/x");
    assert_eq!(model("huggingface", "together/deepseek-ai/R1"), "deepseek-ai/R1:together");
    assert_eq!(model("huggingface", "deepseek-ai/R1"), "deepseek-ai/R1");
    assert_eq!(model("clarifai", "openai.chat.gpt-4.1"), "https://clarifai.com/openai/chat/models/gpt-4.1");
    assert_eq!(model("groq", "meta/llama"), "meta/llama");
}

#[test]
fn tokens_are_counted_beside_the_messages() {
    for (base, url) in [
        (None, "https://api.anthropic.com/v1/messages/count_tokens"),
        (Some("https://h/v1/messages"), "https://h/v1/messages/count_tokens"),
        (Some("https://h/x/v1?a=b"), "https://h/x/v1/messages/count_tokens?a=b"),
    ] {
        let address = at("anthropic", Operation::Chat, base, "claude", None).unwrap();
        assert_eq!(address.count_url.as_deref(), Some(url), "{base:?}");
    }
}

fn url_of(name: &str, format: Format, api_base: Option<&str>, model: &str) -> Option<(String, Auth)> {
    let provider = find(name).unwrap();
    let speaks = provider.ways(model).find(|speaks| speaks.format == format)?;
    let address = address(provider, speaks, api_base, model, None).unwrap();
    Some((address.url, address.auth))
}

#[test]
fn messages_stand_beside_the_path_of_the_openai_api() {
    let key = Auth::Header("x-api-key");
    for (name, base, model, url, auth) in [
        ("deepseek", None, "m", "https://api.deepseek.com/anthropic/v1/messages", key),
        (
            "deepseek",
            Some("https://api.deepseek.com/v1"),
            "m",
            "https://api.deepseek.com/anthropic/v1/messages",
            key,
        ),
        (
            "deepseek",
            Some("https://api.deepseek.com"),
            "m",
            "https://api.deepseek.com/anthropic/v1/messages",
            key,
        ),
        ("deepseek", Some("https://h/ds/beta"), "m", "https://h/ds/anthropic/v1/messages", key),
        (
            "deepseek",
            Some("https://api.deepseek.com/anthropic"),
            "m",
            "https://api.deepseek.com/anthropic/v1/messages",
            key,
        ),
        ("deepseek", Some("https://h/anthropic/v1/messages"), "m", "https://h/anthropic/v1/messages", key),
        ("deepseek", Some("https://h/beta/chat/completions"), "m", "https://h/anthropic/v1/messages", key),
        ("minimax", None, "m", "https://api.minimax.io/anthropic/v1/messages", key),
        ("bigmodel", None, "m", "https://open.bigmodel.cn/api/anthropic/v1/messages", key),
        ("tencent", None, "m", "https://tokenhub-intl.tencentcloudmaas.com/v1/messages", key),
        ("edenai", None, "m", "https://api.edenai.run/v3/v1/messages", Auth::Bearer),
        ("opencode_go", None, "m", "https://opencode.ai/inference/go/anthropic/v1/messages", Auth::Bearer),
        ("meta", None, "m", "https://api.meta.ai/v1/messages", Auth::Bearer),
        ("meta", Some("https://h/v1/chat/completions"), "m", "https://h/v1/messages", Auth::Bearer),
        (
            "databricks",
            Some("https://ws/serving-endpoints"),
            "databricks-claude-sonnet-4",
            "https://ws/serving-endpoints/anthropic/v1/messages",
            Auth::Bearer,
        ),
        (
            "bedrock_mantle",
            Some("https://bedrock-mantle.eu-west-1.api.aws/v1"),
            "anthropic.claude-sonnet-4-5",
            "https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages",
            Auth::Bearer,
        ),
        (
            "snowflake",
            Some("https://a.snowflakecomputing.com/api/v2"),
            "claude-4-sonnet",
            "https://a.snowflakecomputing.com/api/v2/cortex/v1/messages",
            Auth::Snowflake,
        ),
        (
            "azure_ai",
            Some("https://r.services.ai.azure.com/models"),
            "claude-opus-4-1",
            "https://r.services.ai.azure.com/anthropic/v1/messages",
            key,
        ),
        (
            "azure_ai",
            Some("https://r.services.ai.azure.com/anthropic/v1/messages"),
            "claude-opus-4-1",
            "https://r.services.ai.azure.com/anthropic/v1/messages",
            key,
        ),
    ] {
        let found = url_of(name, Format::AnthropicMessages, base, model);
        assert_eq!(found, Some((url.to_owned(), auth)), "{name} at {base:?}");
    }
}

#[test]
fn some_models_are_spoken_to_otherwise() {
    for (name, format, model, spoken) in [
        ("databricks", Format::AnthropicMessages, "databricks-meta-llama-3-3", false),
        ("databricks", Format::OpenAiResponses, "databricks-gpt-5-2", true),
        ("databricks", Format::OpenAiResponses, "databricks-gpt-oss-120b", false),
        ("azure_ai", Format::AnthropicMessages, "claude-opus-4-1", true),
        ("azure_ai", Format::AnthropicMessages, "Llama-4", false),
        ("azure_ai", Format::OpenAiResponses, "gpt-4.1", true),
        ("bedrock_mantle", Format::OpenAiResponses, "openai.gpt-5.4", true),
        ("bedrock_mantle", Format::OpenAiResponses, "openai.gpt-oss-20b", false),
        ("perplexity", Format::OpenAiChat, "sonar-pro", true),
        ("perplexity", Format::OpenAiResponses, "sonar-pro", false),
        ("perplexity", Format::OpenAiChat, "anthropic/claude-sonnet-4-5", false),
        ("perplexity", Format::OpenAiResponses, "anthropic/claude-sonnet-4-5", true),
    ] {
        let base = Some("https://h/v1");
        assert_eq!(url_of(name, format, base, model).is_some(), spoken, "{name}/{model} in {format:?}");
    }
}

#[test]
fn responses_stand_beside_chat() {
    for (name, base, model, url, auth) in [
        ("openai", None, "gpt-5", "https://api.openai.com/v1/responses", Auth::Bearer),
        ("openai", Some("https://h/v1/chat/completions"), "gpt-5", "https://h/v1/responses", Auth::Bearer),
        ("openai", Some("https://h/v1/responses"), "gpt-5", "https://h/v1/responses", Auth::Bearer),
        ("xai", None, "grok-4", "https://api.x.ai/v1/responses", Auth::Bearer),
        ("openrouter", None, "a/b", "https://openrouter.ai/api/v1/responses", Auth::Bearer),
        ("volcengine", None, "m", "https://ark.cn-beijing.volces.com/api/v3/responses", Auth::Bearer),
        ("perplexity", None, "openai/gpt-5.1", "https://api.perplexity.ai/v1/responses", Auth::Bearer),
        ("manus", None, "manus-1.6", "https://api.manus.im/v1/responses", Auth::Header("api_key")),
        (
            "azure",
            Some(AZURE),
            "mine",
            "https://r.openai.azure.com/openai/v1/responses?api-version=preview",
            Auth::Header("api-key"),
        ),
        (
            "azure",
            Some(
                "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01&a=b",
            ),
            "mine",
            "https://r.openai.azure.com/openai/v1/responses?a=b&api-version=preview",
            Auth::Header("api-key"),
        ),
        (
            "azure",
            Some("https://r.openai.azure.com/openai/v1"),
            "mine",
            "https://r.openai.azure.com/openai/v1/responses",
            Auth::Bearer,
        ),
        (
            "azure_ai",
            Some("https://r.services.ai.azure.com/models"),
            "gpt-5",
            "https://r.services.ai.azure.com/openai/v1/responses?api-version=preview",
            Auth::Header("api-key"),
        ),
    ] {
        let found = url_of(name, Format::OpenAiResponses, base, model);
        assert_eq!(found, Some((url.to_owned(), auth)), "{name} at {base:?}");
    }
    let chat = chat_url("openai", Some("https://h/v1/responses"));
    assert_eq!(chat, "https://h/v1/chat/completions");
}

#[test]
fn own_dialects_name_the_model_where_their_servers_look_for_it() {
    const VERSION: &str = "2c1608e18606fad2812020dc541930f2d0495ce32eee50074220b87300bc16e1";
    for (name, base, model, url, stream) in [
        (
            "watsonx",
            Some("https://us-south.ml.cloud.ibm.com"),
            "ibm/granite-3-8b-instruct",
            "https://us-south.ml.cloud.ibm.com/ml/v1/text/chat?version=2024-03-13",
            Some("https://us-south.ml.cloud.ibm.com/ml/v1/text/chat_stream?version=2024-03-13"),
        ),
        (
            "watsonx",
            Some("https://us-south.ml.cloud.ibm.com/"),
            "deployment/1-2",
            "https://us-south.ml.cloud.ibm.com/ml/v1/deployments/1-2/text/chat?version=2024-03-13",
            Some(
                "https://us-south.ml.cloud.ibm.com/ml/v1/deployments/1-2/text/chat_stream?version=2024-03-13",
            ),
        ),
        (
            "sagemaker_chat",
            Some("https://runtime.sagemaker.us-east-1.amazonaws.com"),
            "my endpoint",
            "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/my%20endpoint/invocations",
            Some(
                "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/my%20endpoint/invocations-response-stream",
            ),
        ),
        (
            "replicate",
            None,
            "meta/meta-llama-3-8b-instruct",
            "https://api.replicate.com/v1/models/meta/meta-llama-3-8b-instruct/predictions",
            None,
        ),
        (
            "replicate",
            None,
            "deployments/me/mine",
            "https://api.replicate.com/v1/deployments/me/mine/predictions",
            None,
        ),
        ("replicate", None, VERSION, "https://api.replicate.com/v1/predictions", None),
    ] {
        let address = at(name, Operation::Chat, base, model, None).unwrap();
        assert_eq!((address.url.as_str(), address.stream_url.as_deref()), (url, stream), "{name}/{model}");
    }
    let named = at("replicate", Operation::Chat, None, &format!("meta/llama:{VERSION}"), None).unwrap();
    assert_eq!(
        (named.url.as_str(), named.model.as_str()),
        ("https://api.replicate.com/v1/predictions", VERSION)
    );
}

#[test]
fn servers_of_text_are_called_where_they_listen() {
    for (name, base, model, url, stream) in [
        ("bytez", None, "Qwen/Qwen3-4B", "https://api.bytez.com/models/v2/Qwen/Qwen3-4B", None),
        (
            "nlp_cloud",
            None,
            "finetuned-llama-3-70b",
            "https://api.nlpcloud.io/v1/gpu/finetuned-llama-3-70b/generation",
            None,
        ),
        ("triton", Some("http://h:8000"), "m", "http://h:8000/v2/models/m/generate", None),
        (
            "triton",
            Some("http://h:8000/v2/models/x/generate"),
            "m",
            "http://h:8000/v2/models/x/generate",
            None,
        ),
        (
            "predibase",
            Some("https://serving.app.predibase.com/t/deployments/v2/llms"),
            "m",
            "https://serving.app.predibase.com/t/deployments/v2/llms/m/generate",
            Some("https://serving.app.predibase.com/t/deployments/v2/llms/m/generate_stream"),
        ),
        (
            "predibase",
            Some("https://h/llms/x/generate"),
            "m",
            "https://h/llms/x/generate",
            Some("https://h/llms/x/generate_stream"),
        ),
        ("custom", Some("http://h:5000/predict"), "m", "http://h:5000/predict", None),
        (
            "oci",
            Some("https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/20231130/actions/chat"),
            "meta.llama-3.3-70b-instruct",
            "https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/20231130/actions/chat",
            None,
        ),
    ] {
        let address = at(name, Operation::Chat, base, model, None).unwrap();
        assert_eq!((address.url.as_str(), address.stream_url.as_deref()), (url, stream), "{name}/{model}");
    }
}

type Asked = (&'static str, Operation, Option<&'static str>, &'static str, &'static str);

fn assert_urls<const N: usize>(asked: [Asked; N]) {
    for (name, operation, base, model, url) in asked {
        assert_eq!(at(name, operation, base, model, None).unwrap().url, url, "{name} at {base:?}");
    }
}

#[test]
fn vectors_and_rankings_have_addresses_of_their_own() {
    let (embed, rank) = (Operation::Embedding, Operation::Rerank);
    assert_urls([
        ("cohere", embed, None, "m", "https://api.cohere.ai/v2/embed"),
        ("cohere_chat", rank, None, "m", "https://api.cohere.ai/v2/rerank"),
        ("cohere", rank, Some("https://api.cohere.com/v2/rerank"), "m", "https://api.cohere.com/v2/rerank"),
        ("cohere", embed, Some("https://h/v2/chat"), "m", "https://h/v2/embed"),
        ("voyage", embed, None, "m", "https://api.voyageai.com/v1/embeddings"),
        ("voyage", rank, None, "m", "https://api.voyageai.com/v1/rerank"),
        ("jina_ai", embed, None, "m", "https://api.jina.ai/v1/embeddings"),
        ("jina_ai", rank, Some("https://h/v1/embeddings"), "m", "https://h/v1/rerank"),
        ("mistral", embed, None, "m", "https://api.mistral.ai/v1/embeddings"),
        ("infinity", rank, Some("http://h:7997"), "m", "http://h:7997/rerank"),
        ("together_ai", rank, None, "m", "https://api.together.ai/v1/rerank"),
        ("hosted_vllm", rank, Some("http://h:8000/v1"), "m", "http://h:8000/v1/rerank"),
        ("deepinfra", rank, None, "a/b", "https://api.deepinfra.com/v1/inference/a/b"),
        ("deepinfra", rank, Some("https://h/v1/openai"), "a/b", "https://h/v1/inference/a/b"),
        (
            "nvidia_nim",
            rank,
            None,
            "nvidia/rank-3.2-1b",
            "https://ai.api.nvidia.com/v1/retrieval/nvidia/rank-3_2-1b/reranking",
        ),
        ("nvidia_nim", rank, Some("http://h/v1"), "nvidia/m", "http://h/v1/ranking"),
        (
            "huggingface",
            embed,
            None,
            "a/b",
            "https://router.huggingface.co/hf-inference/models/a/b/pipeline/feature-extraction",
        ),
        ("huggingface", embed, Some("http://tei:8080/embed"), "a/b", "http://tei:8080/embed"),
        ("huggingface", embed, Some("https://me.endpoints.example/"), "a/b", "https://me.endpoints.example"),
        ("huggingface", rank, Some("http://tei:8080"), "a/b", "http://tei:8080/rerank"),
    ]);
}

#[test]
fn clouds_have_addresses_of_their_own_for_vectors_and_rankings() {
    let (embed, rank) = (Operation::Embedding, Operation::Rerank);
    let bedrock = Some("https://bedrock-runtime.eu-west-1.amazonaws.com");
    assert_urls([
        (
            "azure_ai",
            rank,
            Some("https://h.inference.ai.azure.com"),
            "m",
            "https://h.inference.ai.azure.com/v1/rerank",
        ),
        (
            "azure_ai",
            rank,
            Some("https://r.services.ai.azure.com/models"),
            "m",
            "https://r.services.ai.azure.com/providers/cohere/v2/rerank",
        ),
        (
            "gemini",
            embed,
            None,
            "gemini-embedding-001",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents",
        ),
        (
            "vertex_ai",
            embed,
            Some("https://h/p"),
            "text-embedding-005",
            "https://h/p/publishers/google/models/text-embedding-005:predict",
        ),
        (
            "vertex_ai",
            embed,
            Some("https://h/p"),
            "gemini-embedding-2",
            "https://h/p/publishers/google/models/gemini-embedding-2:embedContent",
        ),
        (
            "bedrock",
            embed,
            bedrock,
            "us-east-1/amazon.titan-embed-text-v2:0",
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke",
        ),
        (
            "vertex_ai",
            rank,
            Some("https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1"),
            "semantic-ranker-default@latest",
            "https://discoveryengine.googleapis.com/v1/projects/p/locations/global/rankingConfigs/default_ranking_config:rank",
        ),
        (
            "vertex_ai",
            rank,
            Some("https://h/v1/projects/p/locations/eu"),
            "semantic-ranker-default-004",
            "https://h/v1/projects/p/locations/global/rankingConfigs/default_ranking_config:rank",
        ),
        ("voyage", embed, None, "voyage-context-3", "https://api.voyageai.com/v1/contextualizedembeddings"),
        ("voyage", embed, None, "voyage-multimodal-3.5", "https://api.voyageai.com/v1/multimodalembeddings"),
        ("voyage", embed, None, "voyage-3.5", "https://api.voyageai.com/v1/embeddings"),
        (
            "bedrock",
            rank,
            bedrock,
            "amazon.rerank-v1:0",
            "https://bedrock-agent-runtime.eu-west-1.amazonaws.com/rerank",
        ),
    ]);
}

#[test]
fn bedrock_ranks_by_arn() {
    let model = |region: &str, model: &str| {
        let base = format!("https://bedrock-runtime.{region}.amazonaws.com");
        at("bedrock", Operation::Rerank, Some(&base), model, None).unwrap().model
    };
    let arn = "arn:aws:bedrock:eu-west-1::foundation-model/cohere.rerank-v3-5:0";
    assert_eq!(model("eu-west-1", "cohere.rerank-v3-5:0"), arn);
    assert_eq!(model("us-east-1", arn), arn);
    assert!(
        model("us-gov-west-1", "amazon.rerank-v1:0").starts_with("arn:aws-us-gov:bedrock:us-gov-west-1::")
    );
}
