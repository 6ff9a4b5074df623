//! Which part of a list is asked for, and how the answer says which it is.

use serde::Deserialize;
use serde_json::Value;
use store::entity::{Object, Order, Page};
use utoipa::IntoParams;

use crate::access::Refused;
use crate::operator::bad;

/// The most rows of a page.
const MOST: u64 = 100;

/// A page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// From 1.
    page: Option<u64>,
    /// Rows a page.
    page_size: Option<u64>,
    /// `created_at`, `updated_at`, `spend`, or the name or id of the rows.
    sort_by: Option<String>,
    /// `asc` or `desc`.
    sort_order: Option<String>,
}

impl Part {
    /// As the database takes it; `size` where none is asked for.
    pub(crate) fn page(&self, size: u64, descending: bool) -> Result<Page, Refused> {
        let order = match self.sort_by.as_deref() {
            None | Some("created_at") => Order::CreatedAt,
            Some("updated_at") => Order::UpdatedAt,
            Some("spend") => Order::Spend,
            Some("user_id" | "team_id" | "id") => Order::Id,
            Some("user_email" | "team_alias" | "alias") => Order::Alias,
            Some(other) => return Err(bad("sort_by", format!("Invalid sort_by field: {other}"))),
        };
        let descending = match self.sort_order.as_deref() {
            None => descending,
            Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(bad("sort_order", "sort_order: must be asc or desc")),
        };
        let (number, size) = (self.page.unwrap_or(1), self.page_size.unwrap_or(size));
        if number == 0 || size == 0 || size > MOST {
            let rule = format!("page: at least 1; page_size: 1 to {MOST}");
            return Err(bad("page_size", rule));
        }
        Ok(Page { number, size, order, descending })
    }
}

/// A page under `name`, with the numbers beside it.
pub(crate) fn listing(name: &str, rows: Vec<Value>, total: u64, page: Page) -> Value {
    let mut answer = Object::new();
    answer.insert(name.to_owned(), rows.into());
    answer.insert("total".to_owned(), total.into());
    answer.insert("page".to_owned(), page.number.into());
    answer.insert("page_size".to_owned(), page.size.into());
    answer.insert("total_pages".to_owned(), total.div_ceil(page.size).into());
    Value::Object(answer)
}

#[cfg(test)]
#[path = "part_tests.rs"]
mod tests;
