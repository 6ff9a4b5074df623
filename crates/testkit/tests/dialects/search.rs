//! Embeddings and rankings of the vendors that share their paths.

use serde_json::{Value, json};

use super::{Outcome, assert_refused, post, provider};

fn rerank(model: &str) -> Value {
    json!({"model": model, "query": "red fish", "documents": ["a blue dog", "one red fish", "red fish"]})
}

fn places(rows: &Value) -> Vec<u64> {
    rows.as_array().into_iter().flatten().filter_map(|row| row["index"].as_u64()).collect()
}

#[tokio::test]
async fn every_vendor_ranks_the_same_in_its_own_shape() -> Outcome {
    let provider = provider(json!({}))?;
    let cases = [
        ("/v2/rerank", "rerank-v3.5", "results", "/meta/billed_units/search_units"),
        ("/v1/rerank", "rerank-english-v3.0", "results", "/meta/billed_units/search_units"),
        ("/v1/rerank", "jina-reranker-v2-base-multilingual", "results", "/usage/total_tokens"),
        ("/v1/rerank", "rerank-2.5", "data", "/usage/total_tokens"),
        ("/together/v1/rerank", "Salesforce/Llama-Rank-V1", "results", "/usage/prompt_tokens"),
        ("/rerank", "BAAI/bge-reranker-base", "results", "/usage/prompt_tokens"),
    ];
    for (path, model, rows, usage) in cases {
        let reply = post(&provider, path, rerank(model)).await?.json();
        assert_eq!(places(&reply[rows]), [2, 1, 0], "{model}: {reply}");
        assert!(reply.pointer(usage).is_some_and(Value::is_u64), "{model}: {reply}");
    }
    let jina = post(&provider, "/v1/rerank", rerank("jina-reranker-m0")).await?.json();
    assert_eq!(jina["results"][0]["document"], json!({"text": "red fish"}));
    let mut voyage = rerank("rerank-2.5");
    voyage["top_k"] = json!(1);
    voyage["return_documents"] = json!(true);
    let voyage = post(&provider, "/v1/rerank", voyage).await?.json();
    assert_eq!(voyage["data"], json!([{"index": 2, "relevance_score": 1.0, "document": "red fish"}]));
    let tei = json!({"query": "What is Deep Learning?", "texts": ["Deep Learning is not...", "Deep learning is..."], "return_text": true});
    let tei = post(&provider, "/rerank", tei).await?.json();
    assert_eq!(tei.as_array().map(Vec::len), Some(2), "{tei}");
    assert!(tei[0]["score"].is_number() && tei[0]["text"].is_string(), "{tei}");
    Ok(())
}

#[tokio::test]
async fn each_vendor_refuses_the_fields_of_the_others() -> Outcome {
    let provider = provider(json!({}))?;
    let cohere = vec![
        ("/return_documents", json!(true), "parameter 'return_documents' is not a valid field"),
        ("/documents/0", json!({"text": "a"}), "documents"),
    ];
    assert_refused(&provider, "/v2/rerank", &rerank("rerank-v3.5"), "/message", cohere).await?;
    let voyage = vec![("/top_n", json!(1), "Argument 'top_n' is not supported by our API.")];
    assert_refused(&provider, "/voyage/v1/rerank", &rerank("rerank-2"), "/detail", voyage).await?;
    let jina = vec![("/top_k", json!(1), "top_k: Extra inputs are not permitted")];
    assert_refused(&provider, "/jina/v1/rerank", &rerank("jina-reranker-m0"), "/detail", jina).await?;
    let together = vec![("/top_k", json!(1), "top_k")];
    assert_refused(&provider, "/together/v1/rerank", &rerank("m"), "/error/message", together).await?;
    let embeddings = json!({"model": "voyage-3.5", "input": ["a"], "output_dimension": 256});
    let voyage = vec![
        ("/dimensions", json!(256), "Argument 'dimensions' is not supported by our API."),
        ("/input_type", json!("search_query"), "input_type: must be one of query, document"),
        ("/encoding_format", json!("float"), "encoding_format"),
    ];
    assert_refused(&provider, "/v1/embeddings", &embeddings, "/detail", voyage).await?;
    let embed = json!({"model": "embed-v4.0", "input_type": "search_query", "embedding_types": ["float"], "texts": ["hello"]});
    let many: Vec<String> = (0..97).map(|number: u32| number.to_string()).collect();
    let cohere = vec![
        ("/input_type", Value::Null, "parameter 'input_type' is required"),
        ("/images", json!(["data:image/png;base64,aGk="]), "exactly one of"),
        ("/texts", json!(many), "at most 96 - received 97"),
    ];
    assert_refused(&provider, "/v2/embed", &embed, "/message", cohere).await
}

#[tokio::test]
async fn embeddings_have_each_vendors_shape() -> Outcome {
    let provider = provider(json!({"dimensions": 8}))?;
    let embed = json!({"model": "embed-v4.0", "input_type": "search_query", "embedding_types": ["float"], "texts": ["red fish", "dog"]});
    let cohere = post(&provider, "/v2/embed", embed).await?.json();
    assert_eq!(
        (&cohere["response_type"], &cohere["meta"]["billed_units"]["input_tokens"]),
        (&json!("embeddings_by_type"), &json!(3))
    );
    let vector = &cohere["embeddings"]["float"][0];
    assert_eq!(vector.as_array().map(Vec::len), Some(8));

    let jina = json!({"model": "jina-embeddings-v3", "task": "text-matching", "late_chunking": false, "input": [{"text": "red fish"}, "dog"]});
    let jina = post(&provider, "/v1/embeddings", jina).await?.json();
    assert_eq!((&jina["data"][0]["embedding"], &jina["usage"]["total_tokens"]), (vector, &json!(3)));
    let voyage =
        post(&provider, "/v1/embeddings", json!({"model": "voyage-3.5", "input": "red fish"})).await?.json();
    assert_eq!((&voyage["data"][0]["embedding"], &voyage["usage"]), (vector, &json!({"total_tokens": 2})));
    for path in [
        "/embed",
        "/hf-inference/models/BAAI/bge-small/pipeline/feature-extraction",
        "/pipeline/feature-extraction/BAAI/bge-small",
    ] {
        let vectors =
            post(&provider, path, json!({"inputs": ["red fish", "dog"], "normalize": true})).await?.json();
        assert_eq!((&vectors[0], vectors.as_array().map(Vec::len)), (vector, Some(2)), "{path}");
    }
    let refused = post(&provider, "/embed", json!({"input": "a"})).await?;
    assert_eq!((refused.status, &refused.json()["error_type"]), (422, &json!("validation")));
    Ok(())
}
