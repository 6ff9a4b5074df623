//! Slices.
#[derive(Debug)]
pub struct Leased;
#[derive(Debug)]
pub(crate) struct Reservation;
impl Leased {
    pub(crate) fn state(&self) -> crate::State {
        crate::State::Alone
    }
    pub(crate) async fn reserve(
        &self,
        _asks: &[crate::Ask<'_>],
        _now_ms: u64,
    ) -> Result<Reservation, crate::Refused> {
        std::future::ready(Ok(Reservation)).await
    }
    pub(crate) fn settle(&self, _r: Reservation, _used: policy::account::Used, _now_ms: u64) {}
    pub(crate) async fn close(&self, _p: std::time::Duration) {
        std::future::ready(()).await
    }
}
