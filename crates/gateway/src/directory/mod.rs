//! Who there is: keys, users, teams and the rest as the database says, kept in memory as a whole, so that no call
//! waits for a database and a key that is unknown costs one look-up.

mod identity;

pub use self::identity::Identity;
