use super::*;

#[test]
fn a_dotenv_file_fills_what_is_not_set() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join(".env"),
        "# keys\nexport OPENAI_API_KEY = sk-file # trailing\nPORT=5000\n\nQUOTED=\"two\\nlines # kept\"\n\
         PLAIN='${HOME_DIR} stays'\nURL=http://${HOST_NAME:-localhost}:${PORT}/#anchor\nMULTI='a\nb'\nnonsense line\nLAST=end",
    )
    .unwrap();
    let mut environment: Environment = [("PORT", "4000")].into_iter().collect();
    assert!(environment.read_dotenv(directory.path()).unwrap());
    let get = |name: &str| environment.get(name).unwrap_or("<unset>").to_owned();
    assert_eq!(get("OPENAI_API_KEY"), "sk-file");
    assert_eq!(get("PORT"), "4000", "a real variable wins over the file");
    assert_eq!(get("QUOTED"), "two\nlines # kept");
    assert_eq!(get("PLAIN"), "${HOME_DIR} stays");
    assert_eq!(get("URL"), "http://localhost:4000/#anchor");
    assert_eq!(get("MULTI"), "a\nb");
    assert_eq!(get("LAST"), "end");
}

#[test]
fn production_mode_leaves_the_file_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".env"), "OPENAI_API_KEY=sk-file").unwrap();
    let mut environment: Environment = [("LITELLM_MODE", "PRODUCTION")].into_iter().collect();
    assert!(!environment.read_dotenv(directory.path()).unwrap());
    assert_eq!(environment.get("OPENAI_API_KEY"), None);
}

#[test]
fn no_file_is_no_error_and_binary_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut environment = Environment::default();
    assert!(!environment.read_dotenv(directory.path()).unwrap());
    std::fs::write(directory.path().join(".env"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(environment.read_dotenv(directory.path()).is_err());
}

#[test]
fn blank_counts_as_not_filled_and_debug_shows_no_value() {
    let environment: Environment = [("A", " "), ("B", " key "), ("C", "True")].into_iter().collect();
    assert_eq!(environment.first_filled(&["A", "B"]), Some(("B", "key")));
    assert!(environment.is_on("C") && !environment.is_on("B") && !environment.is_on("MISSING"));
    assert_eq!(format!("{environment:?}"), "Environment(3 variables)");
}
