//! What operators changed at run time, read from the database: models, credentials, settings.

use gateway::settings::GeneralSettings;
use store::db::{Db, DbError};
use store::entity::{CredentialFields, Filter, ModelFields, SettingFields};
use store::seal::{Seal, SealError};

use crate::config::Additions;

/// Everything, its secrets open. A row whose secrets cannot be opened is said and left out.
///
/// # Errors
/// The database's.
pub(crate) async fn read(db: &Db, general: &GeneralSettings) -> Result<Additions, DbError> {
    let mut additions = Additions::default();
    let everything = Filter::default();
    let credentials = db.find::<CredentialFields>(&everything).await?;
    let (models, settings) = match general.store_models {
        true => (db.find::<ModelFields>(&everything).await?, db.find::<SettingFields>(&everything).await?),
        false => (Vec::new(), Vec::new()),
    };
    let seal = match Seal::new(general.salt_key.as_ref(), general.master_key.as_ref()) {
        Ok(seal) => seal,
        Err(error) if credentials.len() + models.len() + settings.len() > 0 => {
            tracing::error!("models and credentials of the database are left out: {error}");
            return Ok(additions);
        }
        Err(_) => return Ok(additions),
    };
    for mut record in credentials {
        match seal.open_all(&mut record.fields.credential_values) {
            Ok(()) => additions.credentials.push((record.id, record.fields.credential_values)),
            Err(error) => left_out("credential", &record.id, error),
        }
    }
    for mut record in models {
        match seal.open_fields(&mut record.fields.litellm_params) {
            Ok(()) => additions.models.push((record.id, record.fields)),
            Err(error) => left_out("model", &record.id, error),
        }
    }
    for mut record in settings {
        let values = &mut record.fields.values;
        let opened = match record.id.as_str() {
            "environment_variables" => seal.open_all(values),
            _ => seal.open_fields(values),
        };
        match opened {
            Ok(()) => additions.settings.push((record.id, record.fields.values)),
            Err(error) => left_out("setting", &record.id, error),
        }
    }
    Ok(additions)
}

fn left_out(kind: &str, id: &str, error: SealError) {
    tracing::error!(kind, id, "left out: {error}");
}
