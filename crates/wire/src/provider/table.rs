//! The rows. A host that speaks OpenAI's API is one row here and nothing elsewhere; what is odd about it is a
//! quirk of its row. Facts (addresses, variables, fields refused) are those of the vendors' documentation and
//! of LiteLLM 1.109, whose names for providers these are.

use super::quirks::Quirk::{Clamp, FlattenText, Hook, StripMessageKeys, StripToolKeys, Unsupported};
use super::row::{
    AI21, ANY_TOOL, AUTO_TOOL, AZURE, COHERE_QUIRKS, COMPLETION_TOKENS, DEEPSEEK_QUIRKS, GROQ, MAX_TOKENS,
    MISTRAL, MOONSHOT, NO_EXTRAS, NO_LOGPROBS, NO_PENALTIES, NO_SCHEMA, NO_USER, OLDER, OPENAI, PLAIN,
    USAGE_COST, V0, XAI, built_in, host, server,
};
use super::ways::{
    ALL, ANTHROPIC, ANTHROPIC_VERSION, AZURE_AI, BEDROCK, BEDROCK_SIGN_IN, BIGMODEL, BYTEZ, CHAT_EMBED,
    CHAT_EMBED_MESSAGES_RESPONSES, CHAT_EMBED_RANK, CHAT_EMBED_RESPONSES, CHAT_MESSAGES_RESPONSES,
    CHAT_RESPONSES, CHAT_TEXT_EMBED, COHERE, CUSTOM, DATABRICKS, DATAROBOT, DEEP_INFRA, DEEPSEEK, FIREWORKS,
    GEMINI, HOSTINGER, HUGGING_FACE, INFINITY, JINA, LITELLM, MANTLE, MANUS, MINIMAX, MISTRAL_WAYS,
    NLP_CLOUD, NVIDIA, OLLAMA, OPENCODE_GO, ORACLE, PERPLEXITY, PREDIBASE, REPLICATE, SAGEMAKER,
    SAGEMAKER_CHAT, SAGEMAKER_SIGN_IN, SNOWFLAKE, TENCENT, TEXT, TOGETHER, TRITON, V1_CHAT, V1_CHAT_EMBED,
    VERTEX, VLLM, VOYAGE, WATSONX, WATSONX_TEXT,
};
use super::{Addressing, Auth, Provider, SignIn, hooks, model_name};

const BEDROCK_URL: &str = "https://bedrock-runtime.{AWS_REGION_NAME}.amazonaws.com";
/// Below it stand the project and the location, which the gateway finds out.
const VERTEX_URL: &str = "https://{VERTEXAI_LOCATION}-aiplatform.googleapis.com";
const SAGEMAKER_URL: &str = "https://runtime.sagemaker.{AWS_REGION_NAME}.amazonaws.com";

/// Sorted by name.
pub(super) const ROWS: &[Provider] = &[
    host("abliteration", "Abliteration", "https://api.abliteration.ai/v1", &["ABLITERATION_API_KEY"]),
    host("ai21", "AI21", "https://api.ai21.com/studio/v1", &["AI21_API_KEY"])
        .bases(&["AI21_API_BASE"])
        .quirks(AI21),
    host("ai21_chat", "AI21 Chat", "https://api.ai21.com/studio/v1", &["AI21_API_KEY"])
        .bases(&["AI21_API_BASE"])
        .quirks(AI21),
    host("aiand", "ai&", "https://api.aiand.com/v1", &["AIAND_API_KEY"])
        .bases(&["AIAND_API_BASE"])
        .speaks(CHAT_MESSAGES_RESPONSES),
    host("aihubmix", "AIHubMix", "https://aihubmix.com/v1", &["AIHUBMIX_API_KEY"])
        .bases(&["AIHUBMIX_API_BASE"])
        .quirks(OLDER),
    host("aiml", "AI/ML API", "https://api.aimlapi.com/v1", &["AIML_API_KEY"])
        .bases(&["AIML_API_BASE"])
        .quirks(OLDER),
    host("amazon_nova", "Amazon Nova", "https://api.nova.amazon.com/v1", &["AMAZON_NOVA_API_KEY"])
        .bases(&["AMAZON_NOVA_API_BASE"])
        .quirks(&[
            MAX_TOKENS,
            NO_USER,
            NO_LOGPROBS,
            NO_PENALTIES,
            NO_EXTRAS,
            Unsupported(&["response_format", "parallel_tool_calls", "seed", "n"]),
        ]),
    host("anthropic", "Anthropic", "https://api.anthropic.com", &[])
        .keys(&["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
        .bases(&["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"])
        .speaks(ANTHROPIC)
        .auth(Auth::Header("x-api-key"))
        .headers(ANTHROPIC_VERSION)
        .quirks(&[]),
    host("apertis", "Apertis", "https://api.stima.tech/v1", &["STIMA_API_KEY"]).quirks(OLDER),
    host("assemblyai", "AssemblyAI", "https://llm-gateway.assemblyai.com/v1", &["ASSEMBLYAI_API_KEY"]),
    server("azure", "Azure", &["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"])
        .bases(&["AZURE_API_BASE"])
        .speaks(ALL)
        .quirks(AZURE)
        .auth(Auth::Azure)
        .addressing(Addressing::Azure)
        .required()
        .chat_models(),
    server("azure_ai", "Azure AI", &["AZURE_AI_API_KEY"])
        .bases(&["AZURE_AI_API_BASE"])
        .speaks(AZURE_AI)
        .quirks(&[FlattenText])
        .addressing(Addressing::AzureAi)
        .required()
        .chat_models(),
    server("azure_text", "Azure Text", &["AZURE_API_KEY"])
        .bases(&["AZURE_API_BASE"])
        .speaks(TEXT)
        .auth(Auth::Azure)
        .addressing(Addressing::Azure)
        .required(),
    host("baseten", "Baseten", "https://inference.baseten.co/v1", &["BASETEN_API_KEY"]).quirks(&[
        MAX_TOKENS,
        NO_LOGPROBS,
        NO_EXTRAS,
        Unsupported(&["parallel_tool_calls", "n"]),
    ]),
    host("bedrock", "Amazon Bedrock", BEDROCK_URL, &["AWS_BEARER_TOKEN_BEDROCK"])
        .bases(&["AWS_BEDROCK_RUNTIME_ENDPOINT"])
        .speaks(BEDROCK)
        .auth(BEDROCK_SIGN_IN)
        .model_name(model_name::bedrock)
        .quirks(&[]),
    host(
        "bedrock_mantle",
        "Bedrock Mantle",
        "https://bedrock-mantle.{BEDROCK_MANTLE_REGION}.api.aws/v1",
        &[],
    )
    .keys(&["BEDROCK_MANTLE_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"])
    .bases(&["BEDROCK_MANTLE_API_BASE"])
    .quirks(&[MAX_TOKENS, NO_USER, Unsupported(&["n"])])
    .speaks(MANTLE),
    host("bigmodel", "BigModel (Zhipu AI)", "https://open.bigmodel.cn/api/paas/v4", &["BIGMODEL_API_KEY"])
        .bases(&["BIGMODEL_API_BASE"])
        .quirks(&[MAX_TOKENS, NO_USER, NO_LOGPROBS, NO_PENALTIES, Unsupported(&["seed", "n"])])
        .speaks(BIGMODEL),
    host("bytez", "Bytez", "https://api.bytez.com/models/v2", &["BYTEZ_API_KEY"])
        .speaks(BYTEZ)
        .auth(Auth::Scheme("Key"))
        .quirks(&[]),
    host("cerebras", "Cerebras", "https://api.cerebras.ai/v1", &["CEREBRAS_API_KEY"])
        .bases(&["CEREBRAS_API_BASE"])
        .quirks(&[
            MAX_TOKENS,
            NO_LOGPROBS,
            NO_PENALTIES,
            NO_EXTRAS,
            Unsupported(&["parallel_tool_calls", "n"]),
        ]),
    host(
        "charity_engine",
        "Charity Engine",
        "https://api.charityengine.services/remotejobs/v2/inference",
        &[],
    )
    .keys(&["CHARITY_ENGINE_API_KEY"])
    .quirks(OLDER),
    host("chutes", "Chutes", "https://llm.chutes.ai/v1", &["CHUTES_API_KEY"]).quirks(OLDER),
    host("clarifai", "Clarifai", "https://api.clarifai.com/v2/ext/openai/v1", &["CLARIFAI_API_KEY"])
        .quirks(&[
            NO_USER,
            NO_LOGPROBS,
            NO_EXTRAS,
            Unsupported(&["stop", "parallel_tool_calls", "seed", "n"]),
        ])
        .model_name(model_name::clarifai),
    host("clf_ai_gateway", "CLF AI Gateway", "https://api.clfaigateway.dev/v1", &["CLF_AI_GATEWAY_API_KEY"])
        .bases(&["CLF_AI_GATEWAY_API_BASE"])
        .quirks(&[]),
    host(
        "cloudflare",
        "Cloudflare AI Workers",
        "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
        &[],
    )
    .keys(&["CLOUDFLARE_API_KEY"])
    .bases(&["CLOUDFLARE_API_BASE"]),
    host("codestral", "Codestral", "https://codestral.mistral.ai/v1", &["CODESTRAL_API_KEY"])
        .bases(&["CODESTRAL_API_BASE"])
        .quirks(MISTRAL),
    host("cognition", "Cognition", "https://api.cognition.ai/v1", &["COGNITION_API_KEY"])
        .bases(&["COGNITION_API_BASE"]),
    host("cohere", "Cohere", "https://api.cohere.ai", &["COHERE_API_KEY", "CO_API_KEY"])
        .bases(&["COHERE_API_BASE"])
        .speaks(COHERE)
        .quirks(COHERE_QUIRKS),
    host("cohere_chat", "Cohere Chat", "https://api.cohere.ai", &["COHERE_API_KEY", "CO_API_KEY"])
        .bases(&["COHERE_API_BASE"])
        .speaks(COHERE)
        .quirks(COHERE_QUIRKS),
    host("cometapi", "CometAPI", "https://api.cometapi.com/v1", &["COMETAPI_KEY", "COMETAPI_API_KEY"])
        .bases(&["COMETAPI_API_BASE"])
        .speaks(CHAT_EMBED),
    host("compactifai", "CompactifAI", "https://api.compactif.ai/v1", &["COMPACTIFAI_API_KEY"]),
    host("coralbricks", "CoralBricks", "https://inference.coralbricks.ai/v1", &["CORALBRICKS_API_KEY"])
        .bases(&["CORALBRICKS_API_BASE"])
        .speaks(CHAT_MESSAGES_RESPONSES),
    host("cortecs", "Cortecs", "https://api.cortecs.ai/v1", &["CORTECS_API_KEY"])
        .bases(&["CORTECS_API_BASE"])
        .speaks(CHAT_MESSAGES_RESPONSES),
    host("crusoe", "Crusoe", "https://api.inference.crusoecloud.com/v1", &["CRUSOE_API_KEY"])
        .bases(&["CRUSOE_API_BASE"])
        .quirks(OLDER),
    server("custom", "Custom", &[]).speaks(CUSTOM).local(),
    server("custom_openai", "Custom OpenAI", &[]).quirks(OLDER),
    host("darkbloom", "Darkbloom", "https://api.darkbloom.dev/v1", &["DARKBLOOM_API_KEY"])
        .bases(&["DARKBLOOM_API_BASE"])
        .quirks(OLDER),
    host("dashscope", "Dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1", &[])
        .keys(&["DASHSCOPE_API_KEY"])
        .bases(&["DASHSCOPE_API_BASE"])
        .speaks(CHAT_EMBED),
    server("databricks", "Databricks", &["DATABRICKS_API_KEY"])
        .bases(&["DATABRICKS_API_BASE"])
        .speaks(DATABRICKS)
        .quirks(&[MAX_TOKENS])
        .required(),
    host("datarobot", "DataRobot", "https://app.datarobot.com", &["DATAROBOT_API_TOKEN"])
        .bases(&["DATAROBOT_ENDPOINT"])
        .speaks(DATAROBOT)
        .quirks(OLDER),
    host("deepinfra", "DeepInfra", "https://api.deepinfra.com/v1/openai", &["DEEPINFRA_API_KEY"])
        .bases(&["DEEPINFRA_API_BASE"])
        .speaks(DEEP_INFRA)
        .quirks(&[
            MAX_TOKENS,
            NO_USER,
            NO_LOGPROBS,
            AUTO_TOOL,
            Unsupported(&["parallel_tool_calls", "seed", "service_tier", "store"]),
        ]),
    host("deepseek", "Deepseek", "https://api.deepseek.com/beta", &["DEEPSEEK_API_KEY"])
        .bases(&["DEEPSEEK_API_BASE"])
        .speaks(DEEPSEEK)
        .quirks(DEEPSEEK_QUIRKS),
    built_in("demo", "Demo (built in)"),
    host("docker_model_runner", "Docker Model Runner", "http://localhost:22088/engines/llama.cpp", &[])
        .keys(&["DOCKER_MODEL_RUNNER_API_KEY"])
        .bases(&["DOCKER_MODEL_RUNNER_API_BASE"])
        .quirks(OLDER)
        .local(),
    host("edenai", "Eden AI", "https://api.edenai.run/v3", &["EDENAI_API_KEY"])
        .bases(&["EDENAI_API_BASE"])
        .speaks(CHAT_EMBED_MESSAGES_RESPONSES),
    host("empiriolabs", "EmpirioLabs", "https://api.empiriolabs.ai/v1", &["EMPIRIOLABS_API_KEY"])
        .bases(&["EMPIRIOLABS_API_BASE"])
        .quirks(OLDER)
        .speaks(CHAT_RESPONSES),
    host("empower", "Empower", "https://app.empower.dev/api/v1", &["EMPOWER_API_KEY"])
        .bases(&["EMPOWER_API_BASE"])
        .quirks(OLDER),
    host("featherless_ai", "Featherless AI", "https://api.featherless.ai/v1", &[])
        .keys(&["FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"])
        .bases(&["FEATHERLESS_AI_API_BASE", "FEATHERLESS_API_BASE"])
        .quirks(&[NO_USER, NO_LOGPROBS, Unsupported(&["tools", "tool_choice", "response_format", "seed"])]),
    host("fireworks_ai", "Fireworks AI", "https://api.fireworks.ai/inference/v1", &[])
        .keys(&["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"])
        .bases(&["FIREWORKS_API_BASE"])
        .speaks(FIREWORKS)
        .quirks(&[MAX_TOKENS, NO_USER, ANY_TOOL, StripToolKeys(&["strict"])])
        .model_name(model_name::fireworks),
    host("friendliai", "FriendliAI", "https://api.friendli.ai/serverless/v1", &[])
        .keys(&["FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"])
        .bases(&["FRIENDLI_API_BASE"])
        .quirks(OLDER),
    host("galadriel", "Galadriel", "https://api.galadriel.com/v1", &["GALADRIEL_API_KEY"])
        .bases(&["GALADRIEL_API_BASE"])
        .quirks(OLDER),
    host("gemini", "Google AI Studio - Gemini", "https://generativelanguage.googleapis.com", &[])
        .keys(&["GEMINI_API_KEY", "GOOGLE_API_KEY", "PALM_API_KEY"])
        .bases(&["GEMINI_API_BASE"])
        .speaks(GEMINI)
        .auth(Auth::Header("x-goog-api-key")),
    host("github", "GitHub Models", "https://models.inference.ai.azure.com", &["GITHUB_API_KEY"])
        .bases(&["GITHUB_API_BASE"])
        .quirks(OLDER),
    host("gmi", "GMI Cloud", "https://api.gmi-serving.com/v1", &["GMI_API_KEY"]).quirks(OLDER),
    host("gradient_ai", "GradientAI", "https://inference.do-ai.run/v1", &["GRADIENT_AI_API_KEY"])
        .bases(&["GRADIENT_AI_AGENT_ENDPOINT"])
        .quirks(&[NO_USER, NO_LOGPROBS, NO_EXTRAS, Unsupported(&["response_format", "seed", "n"])]),
    host("groq", "Groq AI", "https://api.groq.com/openai/v1", &["GROQ_API_KEY"])
        .bases(&["GROQ_API_BASE"])
        .quirks(GROQ),
    host("helicone", "Helicone", "https://ai-gateway.helicone.ai", &["HELICONE_API_KEY"]),
    host("heroku", "Heroku", "https://us.inference.heroku.com", &["HEROKU_API_KEY"])
        .bases(&["HEROKU_API_BASE"])
        .speaks(V1_CHAT),
    server("hosted_vllm", "Hosted VLLM", &["HOSTED_VLLM_API_KEY"])
        .bases(&["HOSTED_VLLM_API_BASE"])
        .speaks(VLLM)
        .quirks(&[
            NO_USER,
            StripToolKeys(&["strict", "additionalProperties"]),
            StripMessageKeys { keys: &["thinking_blocks"], except_roles: &[] },
            Hook(hooks::thinking_as_effort),
        ])
        .local(),
    host("hostinger_router", "Hostinger Router", "https://router.hostinger.com/v1", &[])
        .keys(&["HOSTINGER_ROUTER_API_KEY"])
        .bases(&["HOSTINGER_ROUTER_API_BASE"])
        .speaks(HOSTINGER)
        .quirks(&[]),
    host("huggingface", "Huggingface", "https://router.huggingface.co", &[])
        .keys(&["HF_TOKEN", "HUGGINGFACE_API_KEY"])
        .bases(&["HF_API_BASE", "HUGGINGFACE_API_BASE"])
        .speaks(HUGGING_FACE)
        .model_name(model_name::hugging_face),
    host("hyperbolic", "Hyperbolic", "https://api.hyperbolic.xyz/v1", &["HYPERBOLIC_API_KEY"])
        .bases(&["HYPERBOLIC_API_BASE"])
        .quirks(&[NO_LOGPROBS, NO_EXTRAS, Unsupported(&["parallel_tool_calls"])]),
    host("inception", "Inception", "https://api.inceptionlabs.ai/v1", &["INCEPTION_API_KEY"])
        .bases(&["INCEPTION_API_BASE"])
        .quirks(&[
            MAX_TOKENS,
            NO_USER,
            NO_LOGPROBS,
            NO_PENALTIES,
            NO_EXTRAS,
            Unsupported(&["top_p", "parallel_tool_calls", "seed", "n"]),
        ]),
    host("inferenceapis", "Inference APIs", "https://api.inferenceapis.com/v1", &["INFERENCEAPIS_API_KEY"])
        .bases(&["INFERENCEAPIS_API_BASE"])
        .speaks(CHAT_MESSAGES_RESPONSES),
    server("infinity", "Infinity", &["INFINITY_API_KEY"])
        .bases(&["INFINITY_API_BASE"])
        .speaks(INFINITY)
        .local(),
    host("jina_ai", "Jina AI", "https://api.jina.ai/v1", &[])
        .keys(&["JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"])
        .bases(&["JINA_AI_API_BASE"])
        .speaks(JINA)
        .quirks(&[]),
    host("kyma", "Kyma API", "https://kymaapi.com/v1", &["KYMA_API_KEY"]),
    host("lambda_ai", "Lambda AI", "https://api.lambda.ai/v1", &["LAMBDA_API_KEY"])
        .bases(&["LAMBDA_API_BASE"])
        .quirks(OLDER),
    host("lemonade", "Lemonade", "http://localhost:8000/api/v1", &["LEMONADE_API_KEY"])
        .bases(&["LEMONADE_API_BASE"])
        .quirks(&[])
        .local(),
    host("libertai", "LibertAI", "https://api.libertai.io/v1", &["LIBERTAI_API_KEY"])
        .bases(&["LIBERTAI_API_BASE"])
        .quirks(OLDER),
    server("litellm_proxy", "LiteLLM Proxy", &["LITELLM_PROXY_API_KEY"])
        .bases(&["LITELLM_PROXY_API_BASE"])
        .speaks(LITELLM),
    host("llamafile", "Llamafile", "http://127.0.0.1:8080/v1", &["LLAMAFILE_API_KEY"])
        .bases(&["LLAMAFILE_API_BASE"])
        .speaks(CHAT_EMBED)
        .local(),
    host("llamagate", "LlamaGate", "https://api.llamagate.dev/v1", &["LLAMAGATE_API_KEY"]).quirks(OLDER),
    server("lm_studio", "LM Studio", &["LM_STUDIO_API_KEY"])
        .bases(&["LM_STUDIO_API_BASE"])
        .speaks(CHAT_TEXT_EMBED)
        .quirks(&[NO_USER, Hook(hooks::json_object_as_schema)])
        .local(),
    host("manus", "Manus", "https://api.manus.im/v1", &["MANUS_API_KEY"])
        .bases(&["MANUS_API_BASE"])
        .speaks(MANUS)
        .auth(Auth::Header("api_key"))
        .quirks(&[]),
    host("maritalk", "Maritalk", "https://chat.maritaca.ai/api", &["MARITALK_API_KEY"])
        .bases(&["MARITALK_API_BASE"])
        .quirks(&[
            NO_USER,
            NO_LOGPROBS,
            NO_EXTRAS,
            Unsupported(&["response_format", "parallel_tool_calls", "seed"]),
        ]),
    host("meta", "Meta Model API", "https://api.meta.ai/v1", &["META_API_KEY"])
        .bases(&["META_API_BASE"])
        .speaks(CHAT_MESSAGES_RESPONSES),
    host("meta_llama", "Meta - Llama API", "https://api.llama.com/compat/v1", &["LLAMA_API_KEY"])
        .bases(&["LLAMA_API_BASE"]),
    host("minimax", "Minimax", "https://api.minimax.io/v1", &["MINIMAX_API_KEY"])
        .bases(&["MINIMAX_API_BASE"])
        .speaks(MINIMAX),
    host("mistral", "Mistral AI API", "https://api.mistral.ai/v1", &["MISTRAL_API_KEY"])
        .bases(&["MISTRAL_AZURE_API_BASE", "MISTRAL_API_BASE"])
        .speaks(MISTRAL_WAYS)
        .quirks(MISTRAL),
    host("modelscope", "ModelScope", "https://api-inference.modelscope.cn/v1", &["MODELSCOPE_API_KEY"])
        .bases(&["MODELSCOPE_API_BASE"]),
    host("moonshot", "Moonshot", "https://api.moonshot.ai/v1", &["MOONSHOT_API_KEY"])
        .bases(&["MOONSHOT_API_BASE"])
        .quirks(MOONSHOT),
    host("morph", "Morph", "https://api.morphllm.com/v1", &["MORPH_API_KEY"])
        .bases(&["MORPH_API_BASE"])
        .quirks(&[MAX_TOKENS, NO_USER, Unsupported(&["n", "service_tier", "store"])]),
    host("nadir", "Nadir", "https://api.getnadir.com/v1", &["NADIR_API_KEY"])
        .bases(&["NADIR_API_BASE"])
        .quirks(&[NO_USER, NO_LOGPROBS, NO_EXTRAS, Unsupported(&["stop", "seed", "n"])]),
    host("nano-gpt", "Nano-Gpt", "https://nano-gpt.com/api/v1", &["NANOGPT_API_KEY"]).quirks(OLDER),
    host("nebius", "Nebius AI Studio", "https://api.studio.nebius.ai/v1", &["NEBIUS_API_KEY"])
        .bases(&["NEBIUS_API_BASE"])
        .speaks(CHAT_EMBED)
        .quirks(OLDER),
    host("neosantara", "Neosantara", "https://api.neosantara.xyz/v1", &["NEOSANTARA_API_KEY"])
        .bases(&["NEOSANTARA_API_BASE"])
        .quirks(OLDER)
        .speaks(CHAT_RESPONSES),
    host("nlp_cloud", "NLP Cloud", "https://api.nlpcloud.io/v1/gpu", &["NLP_CLOUD_API_KEY"])
        .bases(&["NLP_CLOUD_API_BASE"])
        .speaks(NLP_CLOUD)
        .auth(Auth::Scheme("Token"))
        .quirks(&[]),
    host("novita", "Novita AI", "https://api.novita.ai/v3/openai", &["NOVITA_API_KEY"])
        .bases(&["NOVITA_API_BASE"])
        .speaks(CHAT_TEXT_EMBED),
    host("nscale", "Nscale", "https://inference.api.nscale.com/v1", &["NSCALE_API_KEY"])
        .bases(&["NSCALE_API_BASE"])
        .quirks(&[NO_USER, Unsupported(&["seed", "service_tier", "store"])]),
    host("nvidia_nim", "Nvidia NIM", "https://integrate.api.nvidia.com/v1", &["NVIDIA_NIM_API_KEY"])
        .bases(&["NVIDIA_NIM_API_BASE"])
        .speaks(NVIDIA)
        .quirks(&[MAX_TOKENS, NO_USER, NO_LOGPROBS, NO_EXTRAS, Unsupported(&["n"])]),
    host("oci", "OCI", "https://inference.generativeai.{OCI_REGION}.oci.oraclecloud.com", &["OCI_KEY"])
        .bases(&["OCI_API_BASE"])
        .speaks(ORACLE)
        .auth(Auth::SignIn(SignIn::Oracle))
        .quirks(&[]),
    host("ollama", "Ollama", "http://localhost:11434", &["OLLAMA_API_KEY"])
        .bases(&["OLLAMA_API_BASE"])
        .speaks(OLLAMA)
        .quirks(&[])
        .local(),
    host("ollama_chat", "Ollama Chat", "http://localhost:11434", &["OLLAMA_API_KEY"])
        .bases(&["OLLAMA_API_BASE"])
        .speaks(OLLAMA)
        .quirks(&[])
        .local(),
    server("oobabooga", "Oobabooga", &[]).speaks(V1_CHAT_EMBED).quirks(PLAIN).local(),
    host("openai", "OpenAI", "https://api.openai.com/v1", &["OPENAI_API_KEY"])
        .bases(&["OPENAI_BASE_URL", "OPENAI_API_BASE"])
        .speaks(ALL)
        .quirks(OPENAI)
        .organization("openai-organization")
        .chat_models(),
    server("openai_like", "OpenAI-like", &["OPENAI_LIKE_API_KEY"])
        .bases(&["OPENAI_LIKE_API_BASE"])
        .speaks(CHAT_EMBED),
    host("opencode_go", "OpenCode Go", "https://opencode.ai/inference/go/openai/v1", &[])
        .keys(&["OPENCODE_GO_API_KEY", "OPENCODE_API_KEY"])
        .bases(&["OPENCODE_GO_API_BASE"])
        .quirks(OLDER)
        .speaks(OPENCODE_GO),
    host("openinfer", "OpenInfer", "https://api.openinfer.ai/v1", &["OPENINFER_API_KEY"])
        .bases(&["OPENINFER_API_BASE"])
        .speaks(CHAT_MESSAGES_RESPONSES),
    host("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", &["OPENROUTER_API_KEY", "OR_API_KEY"])
        .bases(&["OPENROUTER_API_BASE"])
        .speaks(ALL)
        .quirks(&[NO_USER, USAGE_COST]),
    host("ovhcloud", "OVHCloud AI Endpoints", "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1", &[])
        .keys(&["OVHCLOUD_API_KEY"])
        .bases(&["OVHCLOUD_API_BASE"])
        .speaks(CHAT_EMBED),
    host("parasail", "Parasail", "https://api.parasail.io/v1", &["PARASAIL_API_KEY"])
        .bases(&["PARASAIL_API_BASE"])
        .speaks(CHAT_RESPONSES),
    host("perplexity", "Perplexity AI", "https://api.perplexity.ai", &[])
        .keys(&["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"])
        .bases(&["PERPLEXITY_API_BASE"])
        .quirks(&[NO_USER, NO_LOGPROBS, Unsupported(&["tools", "tool_choice", "stop", "seed", "n"])])
        .speaks(PERPLEXITY),
    host("pinstripes", "Pinstripes", "https://pinstripes.io/v1", &["PINSTRIPES_API_KEY"])
        .bases(&["PINSTRIPES_API_BASE"])
        .quirks(OLDER)
        .speaks(CHAT_RESPONSES),
    host("poe", "Poe", "https://api.poe.com/v1", &["POE_API_KEY"]).quirks(OLDER),
    host(
        "predibase",
        "Predibase",
        "https://serving.app.predibase.com/{PREDIBASE_TENANT_ID}/deployments/v2/llms",
        &["PREDIBASE_API_KEY"],
    )
    .bases(&["PREDIBASE_API_BASE"])
    .speaks(PREDIBASE)
    .quirks(&[]),
    host("prism", "Prism", "https://api.prisminference.com/v1", &["PRISM_API_KEY"])
        .bases(&["PRISM_API_BASE"])
        .speaks(CHAT_MESSAGES_RESPONSES),
    host("publicai", "PublicAI", "https://api.publicai.co/v1", &["PUBLICAI_API_KEY"])
        .bases(&["PUBLICAI_API_BASE"])
        .quirks(&[MAX_TOKENS, NO_USER, FlattenText]),
    host("qwen_ai_platform", "Qianwen AI Platform", "https://dashscope.aliyuncs.com/compatible-mode/v1", &[])
        .keys(&["QWEN_AI_PLATFORM_API_KEY", "DASHSCOPE_API_KEY"])
        .bases(&["QWEN_AI_PLATFORM_API_BASE"])
        .speaks(CHAT_EMBED),
    host("qwencloud", "QwenCloud", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", &[])
        .keys(&["QWENCLOUD_API_KEY", "DASHSCOPE_API_KEY"])
        .bases(&["QWENCLOUD_API_BASE"])
        .speaks(CHAT_EMBED),
    server("ragflow", "RAGFlow", &["RAGFLOW_API_KEY"])
        .bases(&["RAGFLOW_API_BASE"])
        .addressing(Addressing::RagFlow)
        .required(),
    host("refuseless", "Refuseless", "https://api.refuseless.com/v1", &["REFUSELESS_API_KEY"])
        .speaks(CHAT_RESPONSES),
    host("reka", "Reka", "https://api.reka.ai/v1", &["REKA_API_KEY"]).bases(&["REKA_API_BASE"]),
    host("replicate", "Replicate", "https://api.replicate.com/v1", &[])
        .keys(&["REPLICATE_API_KEY", "REPLICATE_API_TOKEN"])
        .bases(&["REPLICATE_API_BASE"])
        .speaks(REPLICATE)
        .auth(Auth::Scheme("Token"))
        .headers(&[("prefer", "wait=5")])
        .model_name(model_name::replicate)
        .quirks(&[]),
    host("sagemaker", "AWS - Sagemaker", SAGEMAKER_URL, &["AWS_ACCESS_KEY_ID"])
        .speaks(SAGEMAKER)
        .auth(SAGEMAKER_SIGN_IN)
        .quirks(&[]),
    host("sagemaker_chat", "Sagemaker Chat", SAGEMAKER_URL, &["AWS_ACCESS_KEY_ID"])
        .speaks(SAGEMAKER_CHAT)
        .auth(SAGEMAKER_SIGN_IN)
        .quirks(&[]),
    host("sagemaker_nova", "SageMaker Nova", SAGEMAKER_URL, &["AWS_ACCESS_KEY_ID"])
        .speaks(SAGEMAKER_CHAT)
        .auth(SAGEMAKER_SIGN_IN)
        .quirks(&[]),
    host("sail", "Sail", "https://api.sailresearch.com/v1", &["SAIL_API_KEY"])
        .bases(&["SAIL_API_BASE"])
        .quirks(&[NO_LOGPROBS, NO_PENALTIES, Unsupported(&["stop", "seed", "logit_bias", "service_tier"])])
        .speaks(CHAT_MESSAGES_RESPONSES),
    host("sambanova", "Sambanova", "https://api.sambanova.ai/v1", &["SAMBANOVA_API_KEY"])
        .bases(&["SAMBANOVA_API_BASE"])
        .speaks(CHAT_EMBED)
        .quirks(&[MAX_TOKENS, NO_USER, NO_LOGPROBS, NO_PENALTIES, NO_EXTRAS, Unsupported(&["seed", "n"])]),
    host("sarvam", "Sarvam", "https://api.sarvam.ai/v1", &["SARVAM_API_KEY"])
        .quirks(OLDER)
        .auth(Auth::Header("api-subscription-key")),
    host("scaleway", "Scaleway", "https://api.scaleway.ai/v1", &["SCW_SECRET_KEY"]).speaks(CHAT_EMBED_RANK),
    host("scx-ai", "SCX.ai", "https://api.scx.ai/v1", &["SCX_API_KEY"]).bases(&["SCX_API_BASE"]).quirks(&[
        MAX_TOKENS,
        NO_USER,
        Clamp { field: "temperature", low: 0.0, high: 1.99 },
    ]),
    host("snowflake", "Snowflake", "https://{SNOWFLAKE_ACCOUNT_ID}.snowflakecomputing.com/api/v2", &[])
        .keys(&["SNOWFLAKE_JWT"])
        .bases(&["SNOWFLAKE_API_BASE"])
        .speaks(SNOWFLAKE)
        .quirks(&[COMPLETION_TOKENS, NO_USER, NO_PENALTIES, Unsupported(&["stop", "n", "seed"])])
        .auth(Auth::Snowflake),
    host("streamlake", "StreamLake", "https://vanchin.streamlake.ai/api/gateway/v1/endpoints", &[])
        .keys(&["STREAMLAKE_API_KEY"])
        .bases(&["STREAMLAKE_API_BASE"])
        .quirks(&[COMPLETION_TOKENS, NO_USER]),
    host("synthetic", "Synthetic", "https://api.synthetic.new/openai/v1", &["SYNTHETIC_API_KEY"])
        .quirks(OLDER),
    host("tencent", "Tencent TokenHub", "https://tokenhub-intl.tencentcloudmaas.com/v1", &[])
        .keys(&["TENCENT_API_KEY"])
        .bases(&["TENCENT_API_BASE"])
        .quirks(&[NO_USER, Hook(hooks::effort_as_thinking)])
        .speaks(TENCENT),
    host("tensormesh", "Tensormesh", "https://serverless.tensormesh.ai/v1", &[])
        .keys(&["TENSORMESH_INFERENCE_API_KEY"])
        .bases(&["TENSORMESH_SERVERLESS_BASE_URL"])
        .quirks(OLDER)
        .speaks(CHAT_RESPONSES),
    host("text-completion-openai", "Text Completion OpenAI", "https://api.openai.com/v1", &[])
        .keys(&["OPENAI_API_KEY"])
        .bases(&["OPENAI_BASE_URL", "OPENAI_API_BASE"])
        .speaks(TEXT)
        .quirks(&[])
        .organization("openai-organization"),
    host("together_ai", "Together AI", "https://api.together.ai/v1", &[])
        .keys(&["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"])
        .bases(&["TOGETHER_AI_API_BASE"])
        .speaks(TOGETHER),
    server("triton", "Triton", &[]).speaks(TRITON).local(),
    host("v0", "V0", "https://api.v0.dev/v1", &["V0_API_KEY"]).bases(&["V0_API_BASE"]).quirks(V0),
    host("veniceai", "Veniceai", "https://api.venice.ai/api/v1", &["VENICE_AI_API_KEY"]).quirks(OLDER),
    host("vercel_ai_gateway", "Vercel AI Gateway", "https://ai-gateway.vercel.sh/v1", &[])
        .keys(&["VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"])
        .bases(&["VERCEL_AI_GATEWAY_API_BASE"])
        .speaks(CHAT_EMBED),
    host("vertex_ai", "Google Vertex AI", VERTEX_URL, &[])
        .bases(&["VERTEXAI_API_BASE"])
        .speaks(VERTEX)
        .keyless()
        .auth(Auth::SignIn(SignIn::Google))
        .model_name(model_name::vertex)
        .quirks(&[]),
    host("vertex_ai_beta", "Google Vertex AI (beta)", VERTEX_URL, &[])
        .bases(&["VERTEXAI_API_BASE"])
        .speaks(VERTEX)
        .keyless()
        .auth(Auth::SignIn(SignIn::Google))
        .model_name(model_name::vertex)
        .quirks(&[]),
    host("volcengine", "Volcengine", "https://ark.cn-beijing.volces.com/api/v3", &[])
        .keys(&["VOLCENGINE_API_KEY", "ARK_API_KEY"])
        .bases(&["VOLCENGINE_API_BASE"])
        .speaks(CHAT_EMBED_RESPONSES)
        .quirks(&[
            MAX_TOKENS,
            NO_USER,
            Unsupported(&["response_format", "parallel_tool_calls", "service_tier", "store"]),
        ]),
    host("voyage", "Voyage AI", "https://api.voyageai.com/v1", &[])
        .keys(&["VOYAGE_API_KEY", "VOYAGE_AI_API_KEY", "VOYAGE_AI_TOKEN"])
        .bases(&["VOYAGE_API_BASE"])
        .speaks(VOYAGE)
        .quirks(&[]),
    host("wandb", "WandB Inference", "https://api.inference.wandb.ai/v1", &["WANDB_API_KEY"])
        .bases(&["WANDB_API_BASE"])
        .speaks(CHAT_EMBED)
        .quirks(OLDER),
    server("watsonx", "IBM - Watsonx.ai", &["WATSONX_API_KEY", "WATSONX_APIKEY", "WX_API_KEY"])
        .bases(&["WATSONX_API_BASE", "WATSONX_URL", "WX_URL", "WML_URL"])
        .speaks(WATSONX)
        .auth(Auth::SignIn(SignIn::Ibm))
        .model_name(model_name::watsonx)
        .required(),
    server(
        "watsonx_text",
        "IBM - Watsonx.ai text generation",
        &["WATSONX_API_KEY", "WATSONX_APIKEY", "WX_API_KEY"],
    )
    .bases(&["WATSONX_API_BASE", "WATSONX_URL", "WX_URL", "WML_URL"])
    .speaks(WATSONX_TEXT)
    .auth(Auth::SignIn(SignIn::Ibm))
    .required(),
    host("xai", "xAI", "https://api.x.ai/v1", &["XAI_API_KEY"])
        .bases(&["XAI_API_BASE"])
        .quirks(XAI)
        .speaks(CHAT_RESPONSES),
    host("xiaomi_mimo", "Xiaomi Mimo", "https://api.xiaomimimo.com/v1", &["XIAOMI_MIMO_API_KEY"])
        .quirks(OLDER),
    server("xinference", "Xinference", &["XINFERENCE_API_KEY"])
        .bases(&["XINFERENCE_API_BASE"])
        .speaks(CHAT_EMBED_RANK)
        .quirks(OLDER)
        .local(),
    host("zai", "Z.AI (Zhipu AI)", "https://api.z.ai/api/paas/v4", &["ZAI_API_KEY"])
        .bases(&["ZAI_API_BASE"])
        .quirks(&[
            MAX_TOKENS,
            NO_USER,
            NO_LOGPROBS,
            NO_PENALTIES,
            Unsupported(&["seed", "n", "parallel_tool_calls"]),
            NO_SCHEMA,
        ]),
    host("zerogpu", "ZeroGPU", "https://api.zerogpu.ai/v1", &["ZEROGPU_API_KEY"])
        .bases(&["ZEROGPU_API_BASE"])
        .speaks(CHAT_RESPONSES),
];
