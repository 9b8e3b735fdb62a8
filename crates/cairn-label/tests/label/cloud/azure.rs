//! Azure Blob Storage, as Azurite emulates it.

use std::path::Path;

use cairn_label::Stores;
use cairn_reference::python_with;

use super::assert_a_store_to_write_to;
use super::process::{Process, npm_package};

#[test]
fn azure_holds_lists_photos_and_outputs() {
    let Some(azurite) = npm_package("azurite") else { return };
    if python_with(&["hmac"]).is_none() {
        return;
    }
    let server = Process::python("azure_server.py", &[Path::new(&azurite)]);
    let account = "devstoreaccount1";
    // The key that everyone has who emulates this store.
    let key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    let variables = [
        ("AZURE_STORAGE_ENDPOINT", format!("http://127.0.0.1:{}/{account}", server.port)),
        ("AZURE_STORAGE_ACCOUNT_NAME", account.to_owned()),
        ("AZURE_STORAGE_ACCOUNT_KEY", key.to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    assert_a_store_to_write_to(&Stores::with_variables(|| false, variables), "az://container/prefix");
}
