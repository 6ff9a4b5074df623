//! What some upstreams call a model, where that is not the name people configure.

/// Fireworks names its own models by their account's path; a short name means that account.
pub(super) fn fireworks(model: &str) -> Option<String> {
    (!model.contains(['/', '#'])).then(|| format!("accounts/fireworks/models/{model}"))
}

/// Hugging Face's router takes the host that serves a model as a suffix: `HOST/ORG/MODEL` → `ORG/MODEL:HOST`.
pub(super) fn hugging_face(model: &str) -> Option<String> {
    let (host, model) = model.split_once('/')?;
    (model.contains('/') && !model.contains(':')).then(|| format!("{model}:{host}"))
}

/// Clarifai names a model by its page: `USER.APP.MODEL` → `https://clarifai.com/USER/APP/models/MODEL`.
pub(super) fn clarifai(model: &str) -> Option<String> {
    let mut parts = model.splitn(3, '.');
    let (user, app, name) = (parts.next()?, parts.next()?, parts.next()?);
    (!model.contains('/')).then(|| format!("https://clarifai.com/{user}/{app}/models/{name}"))
}

/// Amazon names a model without the words by which LiteLLM's users choose an API and a region.
pub(super) fn bedrock(model: &str) -> Option<String> {
    Some(crate::bedrock::Address::of(model).id.to_owned())
}

/// An endpoint of one's own at Vertex AI is named by its digits: `openai/ID` and `gemini/ID` → `ID`.
pub(super) fn vertex(model: &str) -> Option<String> {
    let id = ["openai/", "gemini/"].iter().find_map(|word| model.strip_prefix(word))?;
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.to_owned())
}

/// A deployment at watsonx is called by its id: `deployment/ID` → `ID`.
pub(super) fn watsonx(model: &str) -> Option<String> {
    model.strip_prefix("deployment/").map(str::to_owned)
}

/// A version at Replicate is named by its digits alone: `OWNER/NAME:VERSION` → `VERSION`.
pub(super) fn replicate(model: &str) -> Option<String> {
    let (_, version) = model.rsplit_once(':')?;
    (version.len() == 64).then(|| version.to_owned())
}
