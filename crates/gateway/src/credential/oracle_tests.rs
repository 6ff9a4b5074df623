use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::credential::Credential;
use crate::credential::tests::{around, headers, rsa_key};

fn settings() -> OracleSettings {
    OracleSettings {
        user: Some("ocid1.user.oc1..u".to_owned()),
        tenancy: Some("ocid1.tenancy.oc1..t".to_owned()),
        fingerprint: Some("20:3b:97".to_owned()),
        ..OracleSettings::default()
    }
}

#[tokio::test]
async fn a_request_is_signed_with_the_users_key() {
    let (pem, public) = rsa_key();
    let settings = OracleSettings { key: Some(pem.replace('\n', "\\n").into()), ..settings() };
    let credential = Credential::oracle(&settings, &around(&[])).unwrap();
    let headers = headers(&credential).await.unwrap();
    assert_eq!(headers["date"], "Tue, 24 Nov 2026 22:57:15 GMT");
    // The SHA-256 of `{}`.
    assert_eq!(headers["x-content-sha256"], "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(headers["authorization"].is_sensitive());
    assert!(
        authorization.contains("keyId=\"ocid1.tenancy.oc1..t/ocid1.user.oc1..u/20:3b:97\""),
        "{authorization}"
    );
    let (_, signature) = authorization.split_once("signature=\"").unwrap();
    let signature = STANDARD.decode(signature.trim_end_matches('"')).unwrap();
    let signed = "date: Tue, 24 Nov 2026 22:57:15 GMT\n\
                  (request-target): post /model/m%3A0/converse\n\
                  host: bedrock-runtime.us-east-1.amazonaws.com\n\
                  content-length: 2\n\
                  content-type: application/json\n\
                  x-content-sha256: RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=";
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .verify(signed.as_bytes(), &signature)
        .expect("the signature holds");
}

#[test]
fn the_key_may_stand_in_a_file_and_all_of_it_in_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    std::fs::write(&path, rsa_key().0).unwrap();
    let by_path = OracleSettings { key_file: Some(path.to_str().unwrap().to_owned()), ..settings() };
    Credential::oracle(&by_path, &around(&[])).unwrap();
    let around = around(&[
        ("OCI_USER", "u"),
        ("OCI_TENANCY", "t"),
        ("OCI_FINGERPRINT", "f"),
        ("HOME", directory.path().to_str().unwrap()),
        ("OCI_KEY_FILE", "~/key.pem"),
        ("OCI_COMPARTMENT_ID", "ocid1.compartment.oc1..c"),
        ("OCI_REGION", "eu-frankfurt-1"),
    ]);
    Credential::oracle(&OracleSettings::default(), &around).unwrap();
    assert_eq!(region(&OracleSettings::default(), &around), "eu-frankfurt-1");
    let compartment = compartment(&around).unwrap();
    assert_eq!(compartment, ("oci_compartment_id", "ocid1.compartment.oc1..c".to_owned()));
}

#[tokio::test]
async fn oracles_own_file_is_read_where_nothing_else_says_it() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    std::fs::create_dir(home.join(".oci")).unwrap();
    std::fs::write(home.join("key.pem"), rsa_key().0).unwrap();
    let config = "# of the command line\n[DEFAULT]\nuser=u0\nfingerprint=f0\ntenancy = t0\nregion=uk-london-1\nkey_file=~/key.pem\n\n\
                  [OTHER]\nuser=u1\nfingerprint=f1\ntenancy=t1\nkey_file=~/key.pem\npass_phrase=x\n";
    std::fs::write(home.join(".oci/config"), config).unwrap();
    let home = ("HOME", home.to_str().unwrap());
    let none = OracleSettings::default();
    let signed = async |settings: &OracleSettings, variables: &[(&str, &str)]| {
        let credential = Credential::oracle(settings, &around(variables)).unwrap();
        headers(&credential).await.unwrap()["authorization"].to_str().unwrap().to_owned()
    };
    assert!(signed(&none, &[home]).await.contains("keyId=\"t0/u0/f0\""));
    assert!(signed(&none, &[home, ("OCI_USER", "u9")]).await.contains("keyId=\"t0/u9/f0\""));
    assert!(
        signed(&settings(), &[home])
            .await
            .contains("keyId=\"ocid1.tenancy.oc1..t/ocid1.user.oc1..u/20:3b:97\"")
    );
    assert_eq!(region(&none, &around(&[home])), "uk-london-1");
    let refused =
        |variables: &[(&str, &str)]| Credential::oracle(&none, &around(variables)).unwrap_err().to_string();
    let other = refused(&[home, ("OCI_CONFIG_PROFILE", "OTHER")]);
    assert!(other.starts_with("pass_phrase: "), "{other}");
    assert!(refused(&[home, ("OCI_CONFIG_PROFILE", "NOBODY")]).ends_with("has no profile of this name"));
    assert!(refused(&[("OCI_CONFIG_FILE", "/nowhere")]).starts_with("/nowhere: "));
}

#[test]
fn what_is_missing_is_named() {
    let said =
        |settings: &OracleSettings| Credential::oracle(settings, &around(&[])).unwrap_err().to_string();
    assert_eq!(
        said(&OracleSettings { user: None, ..settings() }),
        "oci_user: is missing; the environment has no OCI_USER"
    );
    assert_eq!(
        said(&settings()),
        "no credentials were found; looked at oci_key, oci_key_file, OCI_KEY, OCI_KEY_FILE, ~/.oci/config"
    );
    let quoted = OracleSettings { fingerprint: Some("a\",headers=\"date".to_owned()), ..settings() };
    assert_eq!(said(&quoted), "oci_fingerprint: holds characters that no id has");
    let broken = OracleSettings { key: Some("no key".into()), ..settings() };
    assert_eq!(said(&broken), "oci_key: holds no private key in PEM form");
}
