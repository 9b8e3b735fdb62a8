//! The rules of axe-core, which see what a reader of the screen would stumble over.

use std::path::{Path, PathBuf};

use crate::webdriver::Browser;

/// axe-core's one file: that of `CAIRN_AXE`, or where the gate installs it.
fn axe() -> Option<String> {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/npm/node_modules/axe-core/axe.min.js");
    let path = std::env::var_os("CAIRN_AXE").map_or(installed, PathBuf::from);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no {}; `npm install --prefix target/npm axe-core` brings it", path.display());
    }
    text
}

/// Every rule that the page breaks, with the elements that do.
pub fn check(browser: &Browser) {
    let Some(axe) = axe() else { return };
    browser.script(&axe);
    let broken = browser.script_async(
        "const done = arguments[arguments.length - 1];
         axe.run().then((found) => done(found.violations.map((rule) =>
           `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`)),
           (error) => done([String(error)]));",
    );
    let broken: Vec<String> = serde_json::from_value(broken).unwrap();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
