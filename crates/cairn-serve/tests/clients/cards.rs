//! The page's cards, for pages of other programs.

use cairn_serve::ServeConfig;

use crate::support::{Photos, Shipped, TestServer};

#[test]
fn predict_answers_with_the_cards_alone_where_html_is_accepted() {
    let server = TestServer::start(ServeConfig::default(), Shipped::ALL_LANDMARKS);
    let photos = Photos::draw();
    let photo = std::fs::read(photos.path("castle.png")).unwrap();
    let mut response = ureq::post(server.url("/v1/predict?name=castle.png"))
        .header("accept", "text/html")
        .content_type("image/png")
        .send(&photo[..])
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    let cards = response.body_mut().read_to_string().unwrap();
    assert!(cards.starts_with("<article class=\"card landmark\" id=\"photo-1\""), "{cards}");
    assert!(cards.contains("castle.png") && !cards.contains("<html"), "{cards}");
}
