//! Price classes of hosts that bill models they do not list by the number of parameters in the name.

/// The catalog row for the size of a model, if its host has such classes and the name tells a size. An unknown
/// size has no class: it is unpriced.
pub(super) fn class(provider: &str, model: &str) -> Option<&'static str> {
    let model = model.to_ascii_lowercase();
    let classes: &[(f64, &'static str)] = match (provider, mixture(&model)) {
        ("fireworks_ai", Some(billions)) => {
            return within(
                billions,
                &[(56.0, "fireworks-ai-moe-up-to-56b"), (176.0, "fireworks-ai-56b-to-176b")],
            );
        }
        ("fireworks_ai", None) => &[
            (4.0, "fireworks-ai-up-to-4b"),
            (16.0, "fireworks-ai-4.1b-to-16b"),
            (f64::INFINITY, "fireworks-ai-above-16b"),
        ],
        ("together_ai", _) => &[
            (4.0, "together-ai-up-to-4b"),
            (8.0, "together-ai-4.1b-8b"),
            (21.0, "together-ai-8.1b-21b"),
            (41.0, "together-ai-21.1b-41b"),
            (80.0, "together-ai-41.1b-80b"),
            (110.0, "together-ai-81.1b-110b"),
        ],
        _ => return None,
    };
    within(billions(&model)?, classes)
}

fn within(size: f64, classes: &[(f64, &'static str)]) -> Option<&'static str> {
    classes.iter().find(|(most, _)| size <= *most).map(|(_, class)| *class)
}

/// `…-70b-…` → 70.
fn billions(model: &str) -> Option<f64> {
    words(model).find_map(|word| word.strip_suffix('b').and_then(number))
}

/// `…-8x7b-…` → 56.
fn mixture(model: &str) -> Option<f64> {
    words(model).find_map(|word| {
        let (experts, size) = word.strip_suffix('b')?.split_once('x')?;
        Some(number(experts)? * number(size)?)
    })
}

fn words(model: &str) -> impl Iterator<Item = &str> {
    model.split(['-', '/', '_', ':'])
}

fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| text.parse().ok()).flatten()
}
