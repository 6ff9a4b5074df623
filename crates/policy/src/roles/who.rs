//! The ways in which an actor may be entitled to a route. A rule is a set of them; one is enough.
//!
//! Proxy admins need none, except where only the master key will do. Their viewers need none to read.

/// A set of entitlements.
pub(super) type Who = u32;

/// Nobody else.
pub(super) const ADMIN: Who = 0;
/// Without a key, even.
pub(super) const ANYONE: Who = 1;
/// Whoever is identified, customers included.
pub(super) const CALLERS: Who = 1 << 1;
/// Whoever is identified, except customers. What they see is narrowed to what is theirs by the route.
pub(super) const KEYS: Who = 1 << 2;
/// The user whom the object belongs to, or who is the object.
pub(super) const OWNER: Who = 1 << 3;
/// The owner of an object of no team and of no foreign organization.
pub(super) const PERSONAL: Who = 1 << 4;
/// The key that is the object.
pub(super) const ITSELF: Who = 1 << 5;
/// Admins of the object's team.
pub(super) const TEAM_ADMIN: Who = 1 << 6;
/// Members of the object's team.
pub(super) const TEAM_MEMBER: Who = 1 << 7;
/// Members of the object's team, if the team's permissions of members list the route.
pub(super) const PERMITTED: Who = 1 << 8;
/// Keys of the object's team.
pub(super) const TEAM_KEY: Who = 1 << 9;
/// Admins of the object's organization.
pub(super) const ORGANIZATION_ADMIN: Who = 1 << 10;
/// Members of the object's organization.
pub(super) const ORGANIZATION_MEMBER: Who = 1 << 11;
/// Admins of any team. What they see is narrowed by the route.
pub(super) const SOME_TEAM: Who = 1 << 12;
/// Admins of any organization. What they see is narrowed by the route.
pub(super) const SOME_ORGANIZATION: Who = 1 << 13;
/// No entitlement: roles that only read may call it too, though its method is not one that reads.
pub(super) const HARMLESS: Who = 1 << 14;
/// The master key alone.
pub(super) const MASTER: Who = 1 << 15;
