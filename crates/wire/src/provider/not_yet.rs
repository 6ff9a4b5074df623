//! Providers that LiteLLM knows and that have no row yet, so that naming one is answered with the reason.

/// Name and reason, as an operator wants to read it.
pub const NOT_YET: &[(&str, &str)] = &[
    ("a2a", AGENT),
    ("aleph_alpha", "the service was closed"),
    ("anthropic_text", "Anthropic's text completions were retired; use anthropic/ with the chat API"),
    ("anyscale", "the service was closed; use openai_like/ with api_base for a server of your own"),
    ("aws_polly", AUDIO),
    ("aws_textract", DOCUMENTS),
    ("azure_speech", AUDIO),
    ("bespoke", DECISIONS),
    ("black_forest_labs", IMAGES),
    ("chatgpt", "it needs a ChatGPT login, which is not supported; use openai/ with an API key"),
    ("databricks_agent", AGENT),
    ("deepgram", AUDIO),
    ("elevenlabs", AUDIO),
    ("eu_jev", DECISIONS),
    ("fal_ai", IMAGES),
    ("gdc", "Google Distributed Cloud is not supported yet; if yours speaks OpenAI's API use openai_like/"),
    ("gigachat", "it needs GigaChat's own sign-in (OAuth), which is not supported yet"),
    (
        "github_copilot",
        "it needs a GitHub device login, which is not supported yet; see github/ for GitHub Models",
    ),
    ("langflow", AGENT),
    ("langgraph", AGENT),
    ("laya", DECISIONS),
    ("microsoft_365_copilot", "it needs a Microsoft Entra sign-in, which is not supported yet"),
    ("milvus", VECTORS),
    ("mongodb", VECTORS),
    ("nace", DECISIONS),
    ("nvidia_riva", AUDIO),
    ("opensearch", VECTORS),
    ("palm", "Google closed the PaLM API; use gemini/"),
    ("petals", "its API takes forms and is a legacy; serve the model with vLLM and use hosted_vllm/"),
    ("pg_vector", VECTORS),
    ("recraft", IMAGES),
    ("reducto", DOCUMENTS),
    ("runwayml", IMAGES),
    ("s3_vectors", VECTORS),
    ("sap", "it needs SAP AI Core's sign-in (OAuth), which is not supported yet"),
    ("scaledown", "it compresses prompts and extracts from them; it does not chat"),
    ("soniox", AUDIO),
    ("stability", IMAGES),
    ("strands_decider", DECISIONS),
    ("text-completion-codestral", FILL),
    ("text-completion-inception", FILL),
    ("topaz", IMAGES),
    ("transcribe", AUDIO),
    ("typesafe", DECISIONS),
    ("valkey", VECTORS),
    ("vllm", "vLLM inside the process is not possible; run its server and use hosted_vllm/ with api_base"),
];

const AGENT: &str = "agent servers are not supported yet";
const AUDIO: &str = "it serves only audio, which is not supported yet";
const DECISIONS: &str = "judge models for decisions are not supported yet";
const DOCUMENTS: &str = "it serves only document reading, which is not supported yet";
const FILL: &str = "fill-in-the-middle completions are not supported yet";
const IMAGES: &str = "it serves only images or video, which are not supported yet";
const VECTORS: &str = "vector stores are not supported yet";
