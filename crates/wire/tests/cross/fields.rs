//! The top-level fields that each upstream documents, and a model of its own to ask for.

const CLAUDE: &str = "max_tokens messages system tools tool_choice temperature top_p top_k stop_sequences thinking metadata \
    service_tier output_config output_format mcp_servers container context_management";
const GEMINI: &str =
    "contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent";
/// Hosts of open models take `top_k` beside what OpenAI documents.
const OPENAI: &str = "model messages tools tool_choice parallel_tool_calls temperature top_p max_tokens max_completion_tokens n \
    stop seed presence_penalty frequency_penalty logprobs top_logprobs logit_bias response_format reasoning_effort stream \
    stream_options user metadata store verbosity service_tier prompt_cache_key safety_identifier web_search_options \
    modalities audio prediction top_k";
const WATSONX: &str = "model_id project_id space_id messages tools tool_choice tool_choice_option temperature top_p max_tokens \
    max_completion_tokens n stop seed presence_penalty frequency_penalty logprobs top_logprobs logit_bias response_format \
    reasoning_effort include_reasoning time_limit chat_template_kwargs";

/// Upstream, model, fields by name.
pub(crate) const DOCUMENTED: [(&str, &str, &[&str]); 24] = [
    (
        "anthropic_bedrock",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        &[CLAUDE, "anthropic_version anthropic_beta"],
    ),
    ("anthropic_messages", "claude-sonnet-4-5", &[CLAUDE, "model stream"]),
    ("anthropic_vertex", "claude-sonnet-4-5", &[CLAUDE, "anthropic_version anthropic_beta stream"]),
    (
        "bedrock_converse",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        &["messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields \
            additionalModelResponseFieldPaths promptVariables requestMetadata performanceConfig serviceTier outputConfig"],
    ),
    (
        "cohere_chat",
        "command-a-03-2025",
        &[
            "model messages tools tool_choice strict_tools p k stop_sequences max_tokens temperature seed frequency_penalty \
            presence_penalty response_format logprobs documents citation_options safety_mode thinking priority stream",
        ],
    ),
    ("bytez", "openai-community/gpt2", &["messages params stream"]),
    ("custom_server", "m", &["model prompt params"]),
    ("gemini", "gemini-2.5-flash", &[GEMINI, "serviceTier"]),
    ("gemini_vertex", "gemini-2.5-flash", &[GEMINI, "labels serviceTier"]),
    (
        "nlp_cloud",
        "dolphin",
        &[
            "text max_length stop_sequences end_sequence top_p temperature top_k num_return_sequences repetition_penalty",
        ],
    ),
    (
        "ollama_chat",
        "llama3.1",
        &["model messages tools think format options stream keep_alive logprobs top_logprobs"],
    ),
    (
        "ollama_generate",
        "llama3.1",
        &[
            "model prompt suffix images format system stream think raw keep_alive options logprobs top_logprobs",
        ],
    ),
    ("openai_chat", "gpt-4.1", &[OPENAI]),
    (
        "openai_responses",
        "gpt-5",
        &[
            "model input instructions tools tool_choice parallel_tool_calls temperature top_p max_output_tokens reasoning text \
            include store stream user metadata service_tier prompt_cache_key safety_identifier truncation top_logprobs \
            max_tool_calls background conversation prompt previous_response_id",
        ],
    ),
    ("oracle", "meta.llama-3.3-70b-instruct", &["compartmentId servingMode chatRequest"]),
    ("replicate", "meta/meta-llama-3-70b-instruct", &["input stream"]),
    (
        "replicate_version",
        "meta/llama:5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa",
        &["input stream version"],
    ),
    ("sagemaker_chat", "endpoint", &[OPENAI]),
    ("sagemaker_text", "endpoint", &["inputs parameters stream"]),
    ("text_generation", "m", &["inputs parameters stream"]),
    ("triton", "m", &["text_input parameters stream"]),
    ("watsonx", "ibm/granite-3-8b-instruct", &[WATSONX]),
    ("watsonx_deployment", "deployment/abc", &[WATSONX]),
    (
        "watsonx_text",
        "ibm/granite-13b-chat-v2",
        &["model_id project_id space_id input parameters moderations"],
    ),
];
