//! The ledger as its users see it: what was recorded is there, whatever happens to the process and the disk.

#[cfg(test)]
mod charges;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod life;
#[cfg(test)]
mod trouble;
