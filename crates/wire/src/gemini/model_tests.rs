//! Names of Gemini models as the public model catalog lists them.

use super::{Gemini, Size};

#[test]
fn names() {
    for (name, third, thinks, json_schema, size) in [
        ("gemini-1.5-pro-002", false, false, false, Size::Pro),
        ("gemini-2.0-flash-001", false, false, true, Size::Flash),
        ("gemini-2.5-flash-lite-preview-09-2025", false, true, true, Size::FlashLite),
        ("models/gemini-2.5-pro", false, true, true, Size::Pro),
        ("gemini-2.5-flash-image", false, false, true, Size::Flash),
        ("gemini-live-2.5-flash", false, true, true, Size::Flash),
        ("gemini-3-pro-preview", true, true, true, Size::Pro),
        ("gemini-3-pro-image-preview", true, true, true, Size::Pro),
        ("gemini-3.1-flash-lite", true, true, true, Size::FlashLite),
        ("gemini-flash-latest", true, true, true, Size::Flash),
        ("gemini-exp-1206", false, false, false, Size::Other),
        ("gemma-3-27b-it", false, false, false, Size::Other),
        ("1234567890", false, false, false, Size::Other),
    ] {
        let model = Gemini::of(name);
        let found = (model.is_third(), model.thinks(), model.takes_json_schema(), model.size());
        assert_eq!(found, (third, thinks, json_schema, size), "{name}");
    }
}
