//! What Gemini refuses, in its words, as its reference and its error messages document it. Names may be
//! in camel or snake case, as in every JSON that is read as protocol buffers.

use serde_json::{Map, Value};

use super::anthropic_rules::is_base64;
use super::draft::signature_fits;
use super::gemini::Verb;
use super::prompt::Prompt;
use super::rules::{Checked, Kind, Shape, at, ensure, from, has, items, list, refuse, shaped};

const REQUEST: &Shape = &[
    ("contents", Kind::Any),
    ("systemInstruction", Kind::Object),
    ("tools", Kind::Any),
    ("toolConfig", Kind::Object),
    ("safetySettings", Kind::List),
    ("generationConfig", Kind::Object),
    ("cachedContent", Kind::Text),
    ("serviceTier", Kind::Text),
    ("store", Kind::Flag),
    ("model", Kind::Text),
];
const VERTEX_ONLY: &[&str] = &["labels", "modelArmorConfig"];
const CONFIG: &Shape = &[
    ("temperature", Kind::Number(0.0, 2.0)),
    ("topP", Kind::Number(0.0, 1.0)),
    ("topK", Kind::Number(0.0, 1e9)),
    ("candidateCount", Kind::Integer(1, 8)),
    ("maxOutputTokens", from(1)),
    ("stopSequences", Kind::Texts),
    ("responseMimeType", Kind::OneOf(&["text/plain", "application/json", "text/x.enum"])),
    ("responseSchema", Kind::Object),
    ("responseJsonSchema", Kind::Any),
    ("presencePenalty", Kind::Number(-2.0, 2.0)),
    ("frequencyPenalty", Kind::Number(-2.0, 2.0)),
    ("seed", Kind::Integer(-2_147_483_648, 2_147_483_647)),
    ("responseLogprobs", Kind::Flag),
    ("logprobs", Kind::Integer(0, 20)),
    ("enableEnhancedCivicAnswers", Kind::Flag),
    ("responseModalities", Kind::Texts),
    ("speechConfig", Kind::Object),
    ("thinkingConfig", Kind::Object),
    ("imageConfig", Kind::Object),
    ("mediaResolution", Kind::Text),
    ("audioTimestamp", Kind::Flag),
];
const PART: &Shape = &[
    ("text", Kind::Text),
    ("inlineData", Kind::Object),
    ("fileData", Kind::Object),
    ("functionCall", Kind::Object),
    ("functionResponse", Kind::Object),
    ("executableCode", Kind::Object),
    ("codeExecutionResult", Kind::Object),
    ("thought", Kind::Flag),
    ("thoughtSignature", Kind::Text),
    ("videoMetadata", Kind::Object),
    ("mediaResolution", Kind::Object),
    ("partMetadata", Kind::Object),
];
/// The part's data: one of them, and only one.
const PART_DATA: usize = 7;

pub(crate) fn check(prompt: &Prompt, verb: Verb) -> Checked {
    let body = camel(&prompt.body);
    match verb {
        Verb::Generate => {
            Request { model: &prompt.model, vertex: prompt.path.contains("/publishers/") }.check(&body)
        }
        Verb::CountTokens => {
            let shape = [
                ("contents", Kind::Any),
                ("generateContentRequest", Kind::Object),
                ("systemInstruction", Kind::Object),
                ("tools", Kind::Any),
                ("model", Kind::Text),
                ("instances", Kind::List),
                ("generationConfig", Kind::Object),
            ];
            shaped(&body, "", &shape, &[])
        }
        Verb::EmbedContent => embed(&body, "", &[]),
        Verb::BatchEmbedContents => {
            shaped(&body, "", &[("requests", Kind::List)], &["requests"])?;
            let model = format!("models/{}", prompt.model);
            items(&body["requests"], "requests").try_for_each(|(path, request)| {
                embed(request, &path, &["model"])?;
                let same = request["model"] == model.as_str();
                ensure(same, at(&path, "model"), format!("must be the model of the path, {model}"))
            })
        }
        Verb::Predict => {
            shaped(&body, "", &[("instances", Kind::List), ("parameters", Kind::Object)], &["instances"])?;
            let parameters = &body["parameters"];
            let shape = [("outputDimensionality", from(1)), ("autoTruncate", Kind::Flag)];
            if has(&body, "parameters") {
                shaped(parameters, "parameters", &shape, &[])?;
            }
            let shape = [("content", Kind::Text), ("taskType", Kind::Text), ("title", Kind::Text)];
            items(&body["instances"], "instances")
                .try_for_each(|(path, instance)| shaped(instance, &path, &shape, &["content"]))
        }
    }
}

fn embed(request: &Value, path: &str, required: &[&str]) -> Checked {
    let shape = [
        ("model", Kind::Text),
        ("content", Kind::Object),
        (
            "taskType",
            Kind::OneOf(&[
                "RETRIEVAL_QUERY",
                "RETRIEVAL_DOCUMENT",
                "SEMANTIC_SIMILARITY",
                "CLASSIFICATION",
                "CLUSTERING",
                "QUESTION_ANSWERING",
                "FACT_VERIFICATION",
                "CODE_RETRIEVAL_QUERY",
            ]),
        ),
        ("title", Kind::Text),
        ("outputDimensionality", from(1)),
        ("autoTruncate", Kind::Flag),
    ];
    shaped(request, path, &shape, &["content"])?;
    shaped(request, path, &shape, required)
}

/// Field names in camel case, but for the names that are data: arguments, schemas' properties, labels.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let renamed = fields.iter().map(|(name, value)| {
                let name = name.split('_').enumerate().fold(String::new(), |mut camel, (index, word)| {
                    let mut letters = word.chars();
                    match letters.next().filter(|_| index > 0) {
                        Some(first) => camel.extend(first.to_uppercase().chain(letters)),
                        None => camel += word,
                    }
                    camel
                });
                let data = [
                    "args",
                    "response",
                    "properties",
                    "labels",
                    "parametersJsonSchema",
                    "responseJsonSchema",
                ];
                let value = if data.contains(&name.as_str()) { value.clone() } else { camel(value) };
                (name, value)
            });
            Value::Object(renamed.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(camel).collect()),
        other => other.clone(),
    }
}

pub(crate) struct Request<'a> {
    model: &'a str,
    pub(crate) vertex: bool,
}

impl Request<'_> {
    /// Before the third generation: no mixed tools, no thinking levels, unsigned calls.
    pub(crate) fn is_older(&self) -> bool {
        ["gemini-1", "gemini-2"].iter().any(|name| self.model.starts_with(name))
    }

    fn check(&self, body: &Value) -> Checked {
        let mut shape = REQUEST.to_vec();
        shape.extend(VERTEX_ONLY.iter().filter(|_| self.vertex).map(|name| (*name, Kind::Any)));
        shaped(body, "", &shape, &[])?;
        ensure(
            !list(&body["contents"]).is_empty() || body["contents"].is_object(),
            "contents",
            "contents is not specified",
        )?;
        for (path, part) in items(&body["systemInstruction"]["parts"], "systemInstruction.parts") {
            self.part(part, &path)?;
        }
        for (path, content) in items(&body["contents"], "contents") {
            shaped(content, &path, &[("role", Kind::Text), ("parts", Kind::Any)], &[])?;
            let role = content["role"].as_str().unwrap_or("user");
            ensure(
                matches!(role, "user" | "model" | "function"),
                &path,
                "Please use a valid role: user, model.",
            )?;
            ensure(
                !list(&content["parts"]).is_empty(),
                at(&path, "parts"),
                "contents.parts must not be empty.",
            )?;
            items(&content["parts"], &at(&path, "parts"))
                .try_for_each(|(path, part)| self.part(part, &path))?;
        }
        self.turns(list(&body["contents"]))?;
        self.tools(body)?;
        self.config(body)
    }

    fn part(&self, part: &Value, path: &str) -> Checked {
        shaped(part, path, PART, &[])?;
        let data = PART[..PART_DATA].iter().filter(|(name, _)| has(part, name) && part[*name] != "").count();
        ensure(data == 1, at(path, "data"), "required oneof field 'data' must have one initialized field")?;
        let fields = |name: &'static str, shape: &Shape, required: &[&str]| {
            if has(part, name) { shaped(&part[name], &at(path, name), shape, required) } else { Ok(()) }
        };
        fields(
            "inlineData",
            &[("mimeType", Kind::Text), ("data", Kind::Text), ("displayName", Kind::Text)],
            &["mimeType", "data"],
        )?;
        ensure(
            !has(part, "inlineData") || is_base64(&part["inlineData"]["data"]),
            at(path, "inlineData.data"),
            "Base64 decoding failed",
        )?;
        fields(
            "fileData",
            &[("mimeType", Kind::Text), ("fileUri", Kind::Text), ("displayName", Kind::Text)],
            &["fileUri"],
        )?;
        if let Some(uri) = part["fileData"]["fileUri"].as_str() {
            let known = uri.starts_with("https://") || uri.starts_with("gs://") && self.vertex;
            ensure(
                known,
                at(path, "fileData.fileUri"),
                format!("Cannot fetch content from the provided URL: {uri}"),
            )?;
        }
        fields(
            "functionCall",
            &[("id", Kind::Text), ("name", Kind::Text), ("args", Kind::Object)],
            &["name"],
        )?;
        let response = [
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("response", Kind::Object),
            ("parts", Kind::List),
            ("willContinue", Kind::Flag),
            ("scheduling", Kind::Text),
        ];
        fields("functionResponse", &response, &["name", "response"])?;
        match part.get("thoughtSignature") {
            Some(signature) => {
                ensure(is_base64(signature), at(path, "thoughtSignature"), "Base64 decoding failed")
            }
            None => Ok(()),
        }
    }

    fn turns(&self, contents: &[Value]) -> Checked {
        let count = |content: Option<&Value>, name: &str| {
            content.map_or(0, |content| list(&content["parts"]).iter().filter(|part| has(part, name)).count())
        };
        // Neighbours of one side are one turn.
        let mut thought = String::new();
        for (index, content) in contents.iter().enumerate() {
            let path = format!("contents.{index}");
            let calls = count(Some(content), "functionCall");
            let responses = count(Some(content), "functionResponse");
            let before = index.checked_sub(1).and_then(|index| contents.get(index));
            if calls > 0 {
                let after_user = before.is_some_and(|before| before["role"] != "model");
                ensure(
                    after_user,
                    &path,
                    "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
                )?;
                let answered = count(contents.get(index + 1), "functionResponse");
                ensure(
                    answered == calls,
                    &path,
                    "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
                )?;
                self.signatures(content, &path, &mut thought)?;
            }
            ensure(
                responses == 0 || count(before, "functionCall") > 0,
                &path,
                "Please ensure that function response turn comes immediately after a function call turn.",
            )?;
        }
        Ok(())
    }

    /// From the third generation on the first call of a step must bring its signature back.
    fn signatures(&self, content: &Value, path: &str, thought: &mut String) -> Checked {
        let mut first = true;
        for (path, part) in items(&content["parts"], &at(path, "parts")) {
            if part["thought"] == true {
                *thought = part["text"].as_str().unwrap_or_default().to_owned();
            }
            if !has(part, "functionCall") {
                continue;
            }
            if std::mem::take(&mut first) && self.model.starts_with("gemini-3") {
                let name = part["functionCall"]["name"].as_str().unwrap_or_default();
                ensure(
                    has(part, "thoughtSignature"),
                    &path,
                    format!(
                        "Function call is missing a thought_signature in functionCall parts. Additional data, function call `{name}`."
                    ),
                )?;
            }
            let signature = part["thoughtSignature"].as_str().unwrap_or("none");
            ensure(
                thought.is_empty() || signature_fits(signature, thought),
                at(&path, "thoughtSignature"),
                "Thought signature is not valid",
            )?;
        }
        Ok(())
    }

    fn config(&self, body: &Value) -> Checked {
        let config = &body["generationConfig"];
        if config.is_null() {
            return Ok(());
        }
        let path = "generationConfig";
        shaped(config, path, CONFIG, &[])?;
        ensure(
            list(&config["stopSequences"]).len() <= 5,
            at(path, "stopSequences"),
            "at most 5 stop sequences are allowed",
        )?;
        let json = config["responseMimeType"] == "application/json";
        for name in ["responseSchema", "responseJsonSchema"] {
            ensure(
                !has(config, name)
                    || config["responseMimeType"] != "text/plain" && has(config, "responseMimeType"),
                at(path, name),
                "only allowed when response_mime_type is application/json or text/x.enum",
            )?;
        }
        let functions = list(&body["tools"]).iter().any(|tool| has(tool, "functionDeclarations"));
        ensure(
            !(json && functions && self.is_older()),
            at(path, "responseMimeType"),
            "Function calling with a response mime type: 'application/json' is unsupported",
        )?;
        if has(config, "responseSchema") {
            self.schema(&config["responseSchema"], &at(path, "responseSchema"))?;
        }
        let penalties = ["presencePenalty", "frequencyPenalty"].iter().any(|name| has(config, name));
        ensure(!penalties || self.is_older(), path, "Penalty is not enabled for this model")?;
        self.thinking(&config["thinkingConfig"])
    }

    fn thinking(&self, thinking: &Value) -> Checked {
        if thinking.is_null() {
            return Ok(());
        }
        let path = "generationConfig.thinkingConfig";
        let levels = (
            "thinkingLevel",
            Kind::OneOf(&[
                "THINKING_LEVEL_UNSPECIFIED",
                "MINIMAL",
                "LOW",
                "MEDIUM",
                "HIGH",
                "minimal",
                "low",
                "medium",
                "high",
            ]),
        );
        shaped(
            thinking,
            path,
            &[("includeThoughts", Kind::Flag), ("thinkingBudget", from(-1)), levels],
            &[],
        )?;
        let (level, budget) = (has(thinking, "thinkingLevel"), thinking["thinkingBudget"].as_i64());
        ensure(
            !(level && budget.is_some()),
            path,
            "You can only set only one of thinking budget and thinking level.",
        )?;
        ensure(!(level && self.is_older()), path, "Thinking level is not supported for this model.")?;
        let Some(budget) = budget.filter(|_| self.model.starts_with("gemini-2.5-pro")) else { return Ok(()) };
        if budget == 0 {
            return refuse(path, "Budget 0 is invalid. This model only works in thinking mode.");
        }
        ensure(
            budget == -1 || (128..=32_768).contains(&budget),
            path,
            format!("The thinking budget {budget} is invalid. Please choose a value between 128 and 32768."),
        )
    }
}
