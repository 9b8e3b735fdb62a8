//! XMP is edited in place: what is not ours stays.

use std::collections::BTreeMap;

use cairn_library::xmp::{
    ArrayKind, Change, Field, NEW_PACKET, Namespace, Packet, Property, Value, XmpError, edit,
};
use proptest::prelude::*;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// A sidecar around these Descriptions.
fn packet(descriptions: &str) -> String {
    format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'>{descriptions}</rdf:RDF></x:xmpmeta>"
    )
}

/// A Description with all prefixes of the tests.
fn description(attributes: &str, content: &str) -> String {
    let namespaces: String = Namespace::ALL
        .iter()
        .filter(|n| !["rdf", "xml"].contains(&n.prefix))
        .map(|n| format!(" xmlns:{}='{}'", n.prefix, n.uri))
        .collect();
    format!(
        "<rdf:Description rdf:about=''{namespaces} xmlns:my='urn:mine' {attributes}>{content}</rdf:Description>"
    )
}

fn keywords(property: Property, items: &[&str]) -> Change {
    Change::Append {
        property,
        kind: ArrayKind::Bag,
        items: items.iter().map(|item| Value::text(*item)).collect(),
    }
}

fn edited(packet: &str, changes: &[Change]) -> String {
    String::from_utf8(edit(packet.as_bytes(), changes).unwrap()).unwrap()
}

fn refusal(packet: &str, changes: &[Change]) -> XmpError {
    edit(packet.as_bytes(), changes).unwrap_err()
}

fn subjects(packet: &str) -> Vec<String> {
    Packet::parse(packet.as_bytes()).unwrap().texts(Property::SUBJECT).unwrap()
}

fn place_shown(city: &str) -> Value {
    let field = |namespace: Namespace, name: &str, value| Field {
        namespace: namespace.uri.to_owned(),
        name: name.to_owned(),
        value,
    };
    Value::Struct(vec![
        field(
            Namespace::IPTC_EXTENSION,
            "LocationName",
            Value::Array(ArrayKind::Alt, vec![Value::text("Tower & Co")]),
        ),
        field(Namespace::IPTC_EXTENSION, "City", Value::text(city)),
        field(Namespace::EXIF, "GPSLatitude", Value::text("48,51.5N")),
    ])
}

#[test]
fn an_item_is_added_to_an_array_that_keeps_its_kind_and_its_layout() {
    let before = packet(&description(
        "",
        "\n  <dc:subject>\n   <rdf:Seq>\n    <rdf:li>Paris</rdf:li>\n   </rdf:Seq>\n  </dc:subject>\n ",
    ));
    let after = edited(&before, &[keywords(Property::SUBJECT, &["Eiffel Tower", "a < b & c"])]);
    let expected = before.replace(
        "<rdf:li>Paris</rdf:li>",
        "<rdf:li>Paris</rdf:li>\n    <rdf:li>Eiffel Tower</rdf:li>\n    <rdf:li>a &lt; b &amp; c</rdf:li>",
    );
    assert_eq!(after, expected);
    assert_eq!(subjects(&after), ["Paris", "Eiffel Tower", "a < b & c"]);
}

#[test]
fn empty_arrays_and_empty_packets_are_filled() {
    let empty_array = packet(&description("", "<dc:subject><rdf:Bag/></dc:subject>"));
    assert_eq!(subjects(&edited(&empty_array, &[keywords(Property::SUBJECT, &["A"])])), ["A"]);
    let open_array = packet(&description("", "<dc:subject><rdf:Bag></rdf:Bag></dc:subject>"));
    assert_eq!(subjects(&edited(&open_array, &[keywords(Property::SUBJECT, &["A"])])), ["A"]);
    let no_description = format!("<rdf:RDF xmlns:rdf='{RDF}'/>");
    assert_eq!(subjects(&edited(&no_description, &[keywords(Property::SUBJECT, &["A"])])), ["A"]);
    assert_eq!(subjects(&edited(NEW_PACKET, &[keywords(Property::SUBJECT, &["A"])])), ["A"]);
}

#[test]
fn another_prefix_and_several_descriptions_are_understood() {
    let before = format!(
        "<r:RDF xmlns:r='{RDF}'><r:Description xmlns:d='http://purl.org/dc/elements/1.1/'><d:subject><r:Bag><r:li>A</r:li></r:Bag>\
         </d:subject></r:Description><r:Description xmlns:e='http://ns.adobe.com/photoshop/1.0/' e:City='Rome'/></r:RDF>"
    );
    let parsed = Packet::parse(before.as_bytes()).unwrap();
    assert_eq!(parsed.text(Property::CITY).unwrap().as_deref(), Some("Rome"));
    let shown = Change::Append {
        property: Property::LOCATION_SHOWN,
        kind: ArrayKind::Bag,
        items: vec![place_shown("Rome")],
    };
    let after = edited(&before, &[keywords(Property::SUBJECT, &["B"]), shown]);
    assert_eq!(subjects(&after), ["A", "B"]);
    assert!(after.contains("<r:li>A</r:li><r:li>B</r:li>"), "{after}");
    let shown = Packet::parse(after.as_bytes()).unwrap().get(Property::LOCATION_SHOWN).unwrap().unwrap();
    assert_eq!(shown.items().unwrap(), [place_shown("Rome")]);
}

#[test]
fn an_attribute_is_read_replaced_and_removed() {
    let before = packet(&description("photoshop:City='R&#xE9;mi' xmp:MetadataDate = '2020'", ""));
    let parsed = Packet::parse(before.as_bytes()).unwrap();
    assert_eq!(parsed.text(Property::CITY).unwrap().as_deref(), Some("Rémi"));
    let date = Change::Replace { property: Property::METADATA_DATE, text: "2026".to_owned() };
    let removed = Change::Remove { property: Property::CITY, value: Value::text("Rémi") };
    let after = edited(&before, &[date.clone(), removed]);
    assert_eq!(after, packet(&description("xmp:MetadataDate = \"2026\"", "")));
    let missing = packet(&description("", ""));
    assert_eq!(edited(&missing, &[date]), missing, "a date that is missing stays missing");
}

#[test]
fn only_the_value_that_was_recorded_is_removed() {
    let before = packet(&description(
        "photoshop:City='Rome'",
        "<dc:subject><rdf:Bag><rdf:li>A</rdf:li><rdf:li>B</rdf:li></rdf:Bag></dc:subject>",
    ));
    let other = Change::Remove { property: Property::CITY, value: Value::text("Paris") };
    let missing = Change::RemoveItems { property: Property::SUBJECT, items: vec![Value::text("C")] };
    assert_eq!(edited(&before, &[other, missing]), before);
}

#[test]
fn what_was_added_is_taken_from_the_padding_and_the_length_stays() {
    let padding = " ".repeat(2000) + "\n";
    let before = format!(
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>{}{padding}<?xpacket end='w'?>",
        packet("")
    );
    let after = edited(&before, &[keywords(Property::SUBJECT, &["A"])]);
    assert_eq!(after.len(), before.len());
    let little = before.replace(&padding, "    \n");
    let grown = edited(&little, &[keywords(Property::SUBJECT, &["A"])]);
    assert!(grown.len() > little.len());
    assert!(grown.ends_with("</x:xmpmeta>\n<?xpacket end='w'?>"), "{grown}");
}

#[test]
fn structures_are_known_in_any_order_of_their_fields() {
    let Value::Struct(mut fields) = place_shown("Rome") else { panic!() };
    fields.reverse();
    assert_eq!(Value::Struct(fields.clone()), place_shown("Rome"));
    fields.pop();
    assert_ne!(Value::Struct(fields), place_shown("Rome"));
}

#[test]
fn forms_that_are_not_understood_are_refused() {
    let add = [keywords(Property::SUBJECT, &["X"])];
    let with = |content: &str| refusal(&packet(&description("", content)), &add);
    let unknown = |error: XmpError| assert!(matches!(error, XmpError::UnknownForm(_)), "{error}");
    unknown(refusal(&packet(&description("dc:subject='Paris'", "")), &add));
    unknown(with("<dc:subject>Paris</dc:subject>"));
    unknown(with("<dc:subject><rdf:Bag xml:lang='en'><rdf:li>A</rdf:li></rdf:Bag></dc:subject>"));
    unknown(with("<dc:subject rdf:parseType='Literal'><b/></dc:subject>"));
    unknown(with("<dc:subject><rdf:List/></dc:subject>"));
    unknown(refusal(&packet("<my:Thing xmlns:my='urn:mine'/>"), &add));
    unknown(refusal(&packet("<rdf:Description rdf:about='a'/><rdf:Description rdf:about='b'/>"), &add));
    unknown(refusal(&packet("<rdf:Description rdf:nodeID='a'/>"), &add));
    unknown(refusal(&format!("<!DOCTYPE x [<!ENTITY e 'x'>]>{}", packet("")), &add));
    unknown(refusal(&format!("<RDF xmlns='{RDF}'/>"), &add));
    let array = "<dc:subject><rdf:Bag><rdf:li>A</rdf:li></rdf:Bag></dc:subject>";
    assert_eq!(with(&array.repeat(2)), XmpError::Twice("dc:subject".to_owned()));
    let in_both = packet(&description("photoshop:City='a'", "<photoshop:City>b</photoshop:City>"));
    let city = Change::Create { property: Property::CITY, value: Value::text("x") };
    assert_eq!(refusal(&in_both, std::slice::from_ref(&city)), XmpError::Twice("photoshop:City".to_owned()));
    let there = packet(&description("photoshop:City='a'", ""));
    assert_eq!(
        refusal(&there, &[city]),
        XmpError::Twice("photoshop:City".to_owned()),
        "nothing is overwritten"
    );
}

#[test]
fn malformed_xml_and_other_encodings_are_refused() {
    let add = [keywords(Property::SUBJECT, &["X"])];
    let malformed = |text: &str| {
        let error = refusal(text, &add);
        assert!(matches!(error, XmpError::Malformed(_)), "{text}: {error}");
    };
    malformed(&packet("<rdf:Description>"));
    malformed(&packet(&description("", "<dc:subject></dc:title>")));
    malformed(&packet(&description("", "<un:declared/>")));
    malformed(&packet(&description("", "<my:a>&unknown;</my:a>")));
    malformed(&packet(&description("my:a='1' my:a='2'", "")));
    malformed(&packet(&description("xmlns:other='urn:mine' my:a='1' other:a='2'", "")));
    malformed(&format!("<rdf:RDF xmlns:rdf='{RDF}'>"));
    malformed(&format!("{}</x>", packet("")));
    malformed(&packet(&"<a>".repeat(200)));
    assert_eq!(refusal("", &add), XmpError::NotOneRdf(0));
    assert_eq!(refusal("<a/>", &add), XmpError::NotOneRdf(0));
    let twice = format!("{}{}", packet(""), packet(""));
    assert_eq!(refusal(&twice, &add), XmpError::NotOneRdf(2));
    let wide: Vec<u8> = packet("").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(edit(&wide, &add), Err(XmpError::Encoding));
    assert_eq!(edit(b"<a>\xff</a>", &add), Err(XmpError::Encoding));
    let latin = format!("<?xml version='1.0' encoding='ISO-8859-1'?>{}", packet(""));
    assert_eq!(refusal(&latin, &add), XmpError::Encoding);
    let control = refusal(&packet(""), &[keywords(Property::SUBJECT, &["a\u{1}b"])]);
    assert!(matches!(control, XmpError::Unwritable(_)));
}

/// What the tests' other programs write: properties in both forms, arrays of all kinds, several Descriptions, comments.
fn any_packet() -> impl Strategy<Value = String> {
    let item = "[a-zA-Z|/é&<]{1,8}"
        .prop_map(|text| format!("<rdf:li>{}</rdf:li>", text.replace('&', "&amp;").replace('<', "&lt;")));
    let kinds = prop::sample::select(vec!["Bag", "Seq", "Alt"]);
    let array = (kinds, prop::collection::vec(item, 1..4), "[ \n]{0,3}").prop_map(|(kind, items, space)| {
        format!("{space}<rdf:{kind}>{space}{}{space}</rdf:{kind}>{space}", items.join(&space))
    });
    let arrays = prop::sample::select(vec![
        "dc:subject",
        "lr:hierarchicalSubject",
        "digiKam:TagsList",
        "my:list",
        "dc:creator",
    ]);
    let array = (arrays, array).prop_map(|(name, array)| (name, None, format!("<{name}>{array}</{name}>")));
    let simple =
        prop::sample::select(vec!["xmp:Rating", "my:a", "my:b", "photoshop:Headline", "xmp:MetadataDate"]);
    let simple = (simple, "[0-9a-z ]{1,9}", any::<bool>()).prop_map(|(name, text, short)| match short {
        true => (name, Some(format!(" {name}=\"{text}\"")), String::new()),
        false => (name, None, format!("<{name}>{text}</{name}>")),
    });
    let other = prop::sample::select(vec![
        ("my:s", "<my:s rdf:parseType='Resource'><my:a>1</my:a></my:s>"),
        ("my:t", "<my:t my:x='1' my:y='2'/>"),
        ("my:u", "<my:u><rdf:Description my:x='1'><my:y>&#65;</my:y></rdf:Description></my:u>"),
        ("my:v", "<my:v rdf:resource='urn:v'/>"),
        ("my:w", "<my:w><![CDATA[<raw>]]></my:w>"),
        ("comment", "<!-- dc:subject <not> here -->"),
    ]);
    let other = other.prop_map(|(name, text)| (name, None, text.to_owned()));
    let property = prop_oneof![3 => array, 3 => simple, 1 => other];
    let wrapper = (any::<bool>(), any::<bool>(), "[ \n]{0,3}");
    (prop::collection::vec((property, 0_usize..3), 0..9), wrapper).prop_map(
        |(properties, (wrapped, meta, space))| {
            let mut descriptions: BTreeMap<usize, (String, String)> = BTreeMap::new();
            let mut seen = Vec::new();
            for ((name, short, content), description) in properties {
                if !seen.contains(&name) {
                    seen.push(name);
                    let (attributes, children) = descriptions.entry(description).or_default();
                    attributes.push_str(&short.unwrap_or_default());
                    children.push_str(&format!("{space}{content}"));
                }
            }
            let inner: String = descriptions
                .values()
                .map(|(attributes, children)| {
                    format!("{space}{}", description(attributes, &format!("{children}{space}")))
                })
                .collect();
            let rdf = format!("<rdf:RDF xmlns:rdf='{RDF}'>{inner}{space}</rdf:RDF>");
            let meta =
                if meta { format!("<x:xmpmeta xmlns:x='adobe:ns:meta/'>{rdf}</x:xmpmeta>") } else { rdf };
            if wrapped {
                format!("\u{feff}<?xpacket begin='\u{feff}' id='W5'?>{meta}<?xpacket end='w'?>")
            } else {
                meta
            }
        },
    )
}

fn any_changes() -> impl Strategy<Value = Vec<Change>> {
    let word = "[A-Z]{2}[a-z|&\"']{1,6}";
    (prop::collection::vec(word, 1..4), any::<[bool; 5]>()).prop_map(|(words, which)| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let all = [
            keywords(Property::SUBJECT, &words),
            keywords(Property::TAGS_LIST, &words),
            keywords(Property::HIERARCHICAL_SUBJECT, &words),
            Change::Append {
                property: Property::LOCATION_SHOWN,
                kind: ArrayKind::Bag,
                items: vec![place_shown(words[0])],
            },
            Change::Create { property: Property::CITY, value: Value::text(words[0]) },
        ];
        all.into_iter().zip(which).filter_map(|(change, wanted)| wanted.then_some(change)).collect()
    })
}

type All = BTreeMap<(String, String), Vec<Value>>;

fn all(packet: &str) -> All {
    let parsed = Packet::parse(packet.as_bytes()).unwrap();
    parsed
        .properties()
        .map(|((namespace, name), values)| ((namespace.to_owned(), name.to_owned()), values))
        .collect()
}

/// What the changes should make of these properties, by another road than the editor's.
fn expected(mut before: All, changes: &[Change]) -> All {
    for change in changes {
        match change {
            Change::Append { property, kind, items } => {
                let key = (property.namespace.uri.to_owned(), property.name.to_owned());
                let values = before.entry(key).or_insert_with(|| vec![Value::Array(*kind, Vec::new())]);
                let Value::Array(_, there) = &mut values[0] else { panic!() };
                there.extend(items.iter().cloned());
            }
            Change::Create { property, value } => {
                before.insert(
                    (property.namespace.uri.to_owned(), property.name.to_owned()),
                    vec![value.clone()],
                );
            }
            _ => panic!(),
        }
    }
    before
}

fn inverse(changes: &[Change]) -> Vec<Change> {
    changes.iter().rev().filter_map(Change::inverse).collect()
}

proptest! {
    #[test]
    fn an_edit_changes_what_it_names_and_undo_by_items_gives_the_same_bytes(before in any_packet(), changes in any_changes()) {
        let after = edited(&before, &changes);
        roxmltree::Document::parse(after.trim_start_matches('\u{feff}')).unwrap();
        prop_assert_eq!(all(&after), expected(all(&before), &changes));
        // No byte of the old packet is lost: the new one has the old one's bytes, in order.
        let mut rest = after.bytes();
        prop_assert!(before.bytes().all(|byte| rest.any(|found| found == byte)));
        prop_assert_eq!(edited(&after, &inverse(&changes)), before);
    }

    #[test]
    fn undo_by_items_keeps_what_another_program_changed_meanwhile(before in any_packet(), changes in any_changes(), text in "[0-9]{3,5}") {
        let theirs = [
            keywords(Property::SUBJECT, &[&text]),
            Change::Create { property: Property::STATE, value: Value::text(text.clone()) },
        ];
        let between = edited(&edited(&before, &changes), &theirs);
        let after = edited(&between, &inverse(&changes));
        prop_assert_eq!(all(&after), expected(all(&before), &theirs));
    }

    #[test]
    fn damaged_packets_never_panic(before in any_packet(), at in any::<prop::sample::Index>(), byte in any::<u8>(), changes in any_changes()) {
        let mut bytes = before.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = edit(&bytes, &changes);
        bytes.truncate(at);
        let _ = edit(&bytes, &changes);
    }
}
