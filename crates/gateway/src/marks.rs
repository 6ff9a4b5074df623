//! What callers know by other names in a reply that passes through: the model they asked for, the ids that lead back
//! to whoever keeps a response. Spliced in by byte range; everything else stays as it came.

use std::ops::Range;

use bytes::Bytes;
use wire::envelope;
use wire::meter::Names;
use wire::openai_responses::routed::Routed;

use crate::deployment::Deployment;
use crate::intake::Payload;

/// The names of one call, as JSON texts.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    /// The model asked for.
    model: Bytes,
    /// The response before, as the caller named it.
    previous: Option<Bytes>,
    /// The deployment that will be asked if a caller names an id of this reply later.
    keeper: String,
}

/// Places of a text with what belongs there, in order.
pub(crate) type Splices = Vec<(Range<usize>, Bytes)>;

impl Marks {
    /// Those of a call that `deployment` answers.
    #[must_use]
    pub(crate) fn of(payload: &Payload, deployment: &Deployment) -> Self {
        let previous = payload.envelope.raw("previous_response_id");
        Self {
            model: envelope::json(&payload.asked),
            previous: previous.map(|json| Bytes::copy_from_slice(json.as_bytes())),
            keeper: deployment.id.clone(),
        }
    }

    /// What to write at `names` of `text`.
    #[must_use]
    pub(crate) fn on(&self, text: &str, names: Names) -> Splices {
        let sealed = |place: &Range<usize>| {
            let id = Routed::sealed(&self.keeper, text[place.clone()].trim_matches('"'));
            Bytes::from(format!("\"{id}\""))
        };
        let id = names.id.map(|place| (place.clone(), sealed(&place)));
        let model = names.model.map(|place| (place, self.model.clone()));
        let previous = names.previous.zip(self.previous.clone());
        let mut splices: Splices = [id, model, previous].into_iter().flatten().collect();
        splices.retain(|(place, new)| text.as_bytes().get(place.clone()) != Some(new));
        splices.sort_by_key(|(place, _)| place.start);
        splices
    }
}

/// `bytes` with `splices`, in pieces.
#[must_use]
pub(crate) fn spliced(bytes: &Bytes, splices: Splices) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(splices.len() * 2 + 1);
    let mut at = 0;
    for (place, new) in splices {
        pieces.push(bytes.slice(at..place.start));
        pieces.push(new);
        at = place.end;
    }
    pieces.push(bytes.slice(at..));
    pieces
}
