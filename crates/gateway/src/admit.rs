//! May they: the last gate before anything is sent. Only this makes a [`Permit`].

use std::sync::Arc;

use crate::auth::Caller;
use crate::call::Call;
use crate::live::{InFlight, Live};
use crate::refusal::Refusal;

/// Leave to make one call. Holds the parallel slot; ends by drop, however the call ends.
#[derive(Debug)]
pub struct Permit {
    /// Who was let in.
    pub caller: Caller,
    _slot: InFlight,
}

/// Lets a caller in, or says which limit is reached.
///
/// # Errors
/// 429 when `global_max_parallel_requests` calls are in flight.
pub fn request(live: &Arc<Live>, call: &Call, caller: Caller) -> Result<Permit, Refusal> {
    let limit = call.snapshot.general.max_parallel_requests;
    match live.enter(limit) {
        Some(slot) => Ok(Permit { caller, _slot: slot }),
        None => Err(Refusal {
            retry_after: Some(1),
            ..Refusal::new(
                429,
                format!(
                    "Max parallel request limit reached: general_settings.global_max_parallel_requests is {}.",
                    limit.unwrap_or_default()
                ),
            )
        }),
    }
}
