//! The rules of axe-core, which see what a reader of the screen would stumble over.

use crate::npm::npm;
use crate::webdriver::Browser;

/// Every rule that the page breaks, with the elements that do.
pub(crate) fn check(browser: &Browser) {
    let Some(axe) = npm("axe-core/axe.min.js") else { return };
    browser.script(&std::fs::read_to_string(axe).unwrap());
    let broken = browser.script_async(
        "const done = arguments[arguments.length - 1];
         axe.run().then((found) => done(found.violations.map((rule) =>
           `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`)),
           (error) => done([String(error)]));",
    );
    let broken: Vec<String> = serde_json::from_value(broken).unwrap();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
