use super::*;

#[test]
fn parameters_stand_for_something_within_their_segment() {
    for (template, path, expected) in [
        ("/key/info", "/key/info", true),
        ("/key/info", "/key/infos", false),
        ("/key/{key}/regenerate", "/key/sk-1/regenerate", true),
        ("/key/{key}/regenerate", "/key//regenerate", false),
        ("/key/{key}/regenerate", "/key/a/b/regenerate", false),
        ("/key/{key}/regenerate", "/key/a/regenerate/b", false),
        ("/key/{key}/regenerate", "/key/regenerate", false),
        ("/files/{file_id}", "/files/a", true),
        ("/files/{file_id}", "/files/", false),
        ("/{provider}/v1/files/{file_id}", "/azure/v1/files/f-1", true),
        ("/{provider}/v1/files/{file_id}", "/azure/v2/files/f-1", false),
        ("/models/{model}:generateContent", "/models/gemini-3:generateContent", true),
        ("/models/{model}:generateContent", "/models/:generateContent", false),
        ("/models/{model}:generateContent", "/models/google/gemini-3:generateContent", false),
        ("/models/{*model}:generateContent", "/models/google/gemini-3:generateContent", true),
        ("/models/{model:path}", "/models/google/gemini-3", true),
        ("/models/{*model}", "/models/", false),
        ("/engines/{*model}/embeddings", "/engines/a/b/embeddings", true),
        ("/engines/{*model}/embeddings", "/engines//embeddings", false),
        ("/odd/{unclosed", "/odd/{unclosed", true),
        ("/odd/{unclosed", "/odd/x", false),
    ] {
        assert_eq!(matches(template, path), expected, "{template} on {path}");
    }
}

#[test]
fn names_of_parameters_do_not_matter() {
    assert!(same("/key/{key}/regenerate", "/key/{key_id}/regenerate"));
    assert!(same("/models/{*model}", "/models/{id:path}"));
    assert!(!same("/models/{*model}", "/models/{model}"));
    assert!(!same("/key/{key}/regenerate", "/key/{key}/reset_spend"));
    assert!(!same("/key/{key}", "/key/info"));
}
