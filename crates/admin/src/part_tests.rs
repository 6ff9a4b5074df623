use serde_json::json;
use store::entity::Order;

use super::{Part, listing};

#[test]
fn a_page_is_within_bounds_and_says_which_it_is() {
    let part = |value: serde_json::Value| serde_json::from_value::<Part>(value).unwrap();
    let page = part(json!({"page": 3, "page_size": 2, "sort_by": "spend"})).page(10, true).unwrap();
    assert_eq!((page.number, page.size, page.order, page.descending), (3, 2, Order::Spend, true));
    assert_eq!(
        listing("rows", vec![json!(1)], 5, page),
        json!({"rows": [1], "total": 5, "page": 3, "page_size": 2, "total_pages": 3})
    );
    for wrong in
        [json!({"page": 0}), json!({"page_size": 0}), json!({"page_size": 101}), json!({"sort_order": "up"})]
    {
        assert!(part(wrong.clone()).page(10, false).is_err(), "{wrong}");
    }
}
