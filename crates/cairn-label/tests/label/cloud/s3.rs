//! S3: a real server (moto), and one that says no.

use cairn_label::{Plan, Stores};
use cairn_reference::python_with;

use super::assert_a_store_to_write_to;
use super::process::Process;
use super::server::{Answer, Server};
use crate::photos::Folder;

fn stores(port: u16) -> Stores {
    let variables = [
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "very-secret".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ];
    Stores::with_variables(|| false, variables.map(|(name, value)| (name.to_owned(), value)))
}

#[test]
fn s3_holds_lists_photos_and_outputs() {
    if python_with(&["moto.server", "boto3"]).is_none() {
        return;
    }
    let server = Process::python("s3_server.py", &[]);
    let stores = stores(server.port);
    assert_a_store_to_write_to(&stores, "s3://bucket/some prefix");
    // A bucket that is not there is no reason to take each photo for missing.
    let error = stores.store("s3://nowhere/out").unwrap().list().unwrap_err();
    let said = format!("{error}: {}", error.source);
    assert!(said.contains("s3://nowhere/out: cannot be listed") && said.contains("NoSuchBucket"), "{said}");
}

#[test]
fn credentials_that_are_refused_fail_shards_and_are_never_shown() {
    let folder = Folder::new();
    let refusal =
        b"<Error><Code>SignatureDoesNotMatch</Code><StringToSign>very-secret</StringToSign></Error>";
    let server = Server::new([]);
    server.answers("/bucket/", [Answer::Status(403, refusal.to_vec())]);
    let stores = stores(server.port());
    let list = folder.write("list.jsonl", "{\"photo\": \"s3://bucket/a.jpg\"}\n");
    let out = stores.store(folder.path("out")).unwrap();
    let inputs = cairn_label::Lists::of(&[list]).unwrap().open(&stores, &*out, &[]).unwrap();
    let plan = Plan::of(&*out, folder.settings(3), &inputs).unwrap();
    let labeller = cairn_label::Labeller {
        plan: &plan,
        inputs: &inputs,
        model: &folder.model,
        out: &*out,
        stores: &stores,
    };
    let error = labeller.label_shard(0, &mut |_| std::ops::ControlFlow::Continue(())).unwrap_err();
    let said = format!("{error:?} {error}");
    assert!(said.contains("the store answers 403 (SignatureDoesNotMatch)"), "{said}");
    assert!(!said.contains("very-secret"), "{said}");
}
